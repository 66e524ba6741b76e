import { randomUUID } from 'node:crypto'
import type { Hex } from '@postrider/protocol/wire'
import { type HDAccount, keccak256 } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { type Database, openDatabase } from '../core/db/index.ts'
import { silentLogger } from '../core/logger.ts'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { createChainClient } from './client.ts'
import { REBROADCAST_AFTER_MS, REPLACED_AFTER_LOOKS, STUCK_AFTER_MS } from './constants.ts'
import { callOf, readContract } from './contracts.ts'
import { raisedFees } from './fees.ts'
import { createSender } from './sender.ts'
import { type DevChain, startDevChain } from './testing/devchain.ts'
import { provision } from './testing/harness.ts'
import { startTcpProxy } from './testing/tcp-proxy.ts'
import {
  createDbTransactionStore,
  createMemoryTransactionStore,
  type StoredTransaction,
  type TransactionStore,
} from './transaction-store.ts'

const GWEI = 10n ** 9n

let dev: DevChain
let account: HDAccount
let friend: HDAccount

beforeAll(async () => {
  dev = await startDevChain()
  account = dev.account(1)
  friend = dev.account(2)
  await provision(dev, account)
})

afterAll(() => dev?.stop())

const POLL_MS = 10

/** A clock whose time a test can push ahead while timers stay real, and that counts the pauses between looks. */
function createShiftedClock() {
  let shiftMs = 0
  let pauses = 0
  return {
    ...systemClock,
    nowMs: () => Date.now() + shiftMs,
    sleep(ms: number, signal?: AbortSignal) {
      if (ms === POLL_MS) pauses++
      return systemClock.sleep(ms, signal)
    },
    shift(ms: number) {
      shiftMs += ms
    },
    /** Until the sender has looked at the chain this many times more. */
    async looks(count: number) {
      const target = pauses + count
      await waitUntil(() => pauses >= target)
    },
  }
}

async function start(
  options: { store?: TransactionStore; rpcUrl?: string; confirmations?: number; maxFeePerGas?: bigint } = {},
) {
  const { store = createMemoryTransactionStore(), rpcUrl = dev.url, ...rest } = options
  const clock = createShiftedClock()
  const components = { clock, logger: silentLogger }
  const client = createChainClient(components, { network: dev.network, rpcUrls: [rpcUrl], timeoutMs: 2_000 })
  const sender = createSender(
    { ...components, client, store },
    { account, confirmations: 0, pollMs: POLL_MS, maxFeePerGas: 1_000n * GWEI, ...rest },
  )
  await sender.start()
  onTestFinished(() => sender.stop())
  return { sender, store, clock, client }
}

const transfer = (amount: bigint, key: string = randomUUID()) => ({
  ...callOf(dev.network, 'token', 'transfer', [friend.address, amount]),
  key,
})

async function tokens(of: Hex): Promise<bigint> {
  const { client } = await start()
  return readContract(client, 'token', 'balanceOf', [of])
}

async function waitUntil(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await systemClock.sleep(5)
}

const poolSize = async (): Promise<number> => {
  const block = await dev.client.getBlock({ blockTag: 'pending' })
  return block.transactions.length
}

describe('sender', () => {
  it('sends one after the other and returns receipts', async () => {
    const { sender } = await start()
    const before = await tokens(friend.address)
    const receipts = await Promise.all([1n, 2n, 3n].map((amount) => sender.submit(transfer(amount))))
    expect(receipts.map(({ status }) => status)).toEqual(['success', 'success', 'success'])
    expect(await tokens(friend.address)).toBe(before + 6n)
    expect(sender.pending()).toBe(0)
  })

  it('never sends one key twice', async () => {
    const { sender, store } = await start()
    const before = await tokens(friend.address)
    const intent = transfer(5n)
    const [first, again] = await Promise.all([sender.submit(intent), sender.submit(intent)])
    expect(again.transactionHash).toBe(first.transactionHash)
    const later = await start({ store })
    expect((await later.sender.submit(intent)).transactionHash).toBe(first.transactionHash)
    expect(await tokens(friend.address)).toBe(before + 5n)
  })

  it('simulates first and decodes what the contract refuses', async () => {
    const { sender, store } = await start()
    const intent = { ...callOf(dev.network, 'nodeRegistry', 'announceExit', [friend.address]), key: 'exit' }
    await expect(sender.submit(intent)).rejects.toMatchObject({
      code: 'CHAIN_REVERTED',
      data: { errorName: 'NodeRegistry_NotRegistered', args: { operator: friend.address } },
    })
    expect(await store.get('exit')).toBeUndefined()
    await expect(sender.submit(transfer(10n ** 30n))).rejects.toMatchObject({
      code: 'CHAIN_REVERTED',
      data: { errorName: 'ERC20InsufficientBalance', args: { needed: `${10n ** 30n}` } },
    })
    await expect(sender.quote(intent)).rejects.toMatchObject({ code: 'CHAIN_REVERTED' })
    const quote = await sender.quote(transfer(1n))
    expect(quote.gas).toBeGreaterThan(21_000n)
    expect(quote.maxCost).toBe(quote.gas * quote.fees.maxFee)
  })

  it('says when there is no money for gas, and whose', async () => {
    const poor = privateKeyToAccount(generatePrivateKey())
    const components = { clock: systemClock, logger: silentLogger }
    const client = createChainClient(components, { network: dev.network })
    const sender = createSender(
      { ...components, client, store: createMemoryTransactionStore() },
      { account: poor, confirmations: 0, pollMs: POLL_MS, maxFeePerGas: 1_000n * GWEI },
    )
    await sender.start()
    const intent = { ...callOf(dev.network, 'token', 'approve', [friend.address, 1n]), key: 'poor' }
    await expect(sender.submit(intent)).rejects.toMatchObject({
      code: 'CHAIN_INSUFFICIENT_GAS_MONEY',
      data: { account: poor.address },
    })
    expect(await sender.balance()).toBe(0n)
    await sender.stop()
  })

  it('refuses to pay more for gas than it may', async () => {
    const { sender } = await start({ maxFeePerGas: 1n })
    await expect(sender.submit(transfer(1n))).rejects.toMatchObject({ code: 'CHAIN_FEE_TOO_HIGH' })
  })

  it('counts a mined transaction that was refused as a failure, with its reason', async () => {
    const { sender, store } = await start()
    await dev.setAutomine(false)
    onTestFinished(() => dev.setAutomine(true))
    const everything = await readContract((await start()).client, 'token', 'balanceOf', [account.address])
    const intent = transfer(everything)
    const result = expect(sender.submit(intent)).rejects.toMatchObject({
      code: 'CHAIN_REVERTED',
      data: { errorName: 'ERC20InsufficientBalance', txHash: expect.any(String) },
    })
    await waitUntil(async () => (await poolSize()) === 1)
    // Somebody takes a token away between simulation and mining.
    const slot = keccak256(`0x${account.address.slice(2).padStart(64, '0')}${'0'.repeat(64)}`)
    await dev.client.setStorageAt({
      address: dev.network.contracts.token,
      index: slot,
      value: `0x${'0'.repeat(64)}`,
    })
    await dev.mine()
    await result
    expect(await store.get(intent.key)).toMatchObject({ status: 'reverted' })
    await dev.setAutomine(true)
    await provision(dev, account)
    await expect(sender.submit(intent)).rejects.toMatchObject({ code: 'CHAIN_REVERTED' })
  })

  it('raises the fee of a stuck transaction and takes whichever form is mined', async () => {
    const { sender, store, clock } = await start()
    const before = await tokens(friend.address)
    await dev.setAutomine(false)
    onTestFinished(() => dev.setAutomine(true))
    const intent = transfer(7n)
    const sent = sender.submit(intent)
    await waitUntil(async () => (await poolSize()) === 1)
    clock.shift(STUCK_AFTER_MS)
    await waitUntil(async () => (await store.get(intent.key))?.attempts.length === 2)
    await waitUntil(async () => {
      const { transactions } = await dev.client.getBlock({ blockTag: 'pending' })
      return transactions[0] === (await store.get(intent.key))?.attempts[1]?.hash
    })
    await dev.mine()
    const receipt = await sent
    const attempts = (await store.get(intent.key))?.attempts ?? []
    expect(receipt.transactionHash).toBe(attempts[1]?.hash)
    expect(attempts[1]!.maxFee).toBeGreaterThan(attempts[0]!.maxFee)
    expect(await tokens(friend.address)).toBe(before + 7n)
  })

  it('notices that another process used its nonce', async () => {
    const { sender } = await start()
    await dev.setAutomine(false)
    onTestFinished(() => dev.setAutomine(true))
    const intent = transfer(8n)
    const result = expect(sender.submit(intent)).rejects.toMatchObject({ code: 'CHAIN_TRANSACTION_REPLACED' })
    await waitUntil(async () => (await poolSize()) === 1)
    const nonce = await dev.client.getTransactionCount({ address: account.address })
    const fees = { maxFeePerGas: 900n * GWEI, maxPriorityFeePerGas: 800n * GWEI }
    await dev.client.sendTransaction({ account, to: friend.address, value: 1n, nonce, gas: 21_000n, ...fees })
    await dev.mine()
    await result
    await dev.setAutomine(true)
    expect((await sender.submit(intent)).status).toBe('success')
  })

  it('waits with its nonce used until no reorganisation can give it back', async () => {
    const { sender, clock } = await start({ confirmations: 2 })
    const before = await tokens(friend.address)
    await dev.setAutomine(false)
    onTestFinished(() => dev.setAutomine(true))
    const fork = await dev.snapshot()
    const sent = sender.submit(transfer(6n))
    await waitUntil(async () => (await poolSize()) === 1)
    const nonce = await dev.client.getTransactionCount({ address: account.address })
    const fees = { maxFeePerGas: 900n * GWEI, maxPriorityFeePerGas: 800n * GWEI }
    await dev.client.sendTransaction({ account, to: friend.address, value: 1n, nonce, gas: 21_000n, ...fees })
    await dev.mine()
    await clock.looks(REPLACED_AFTER_LOOKS + 1)
    await dev.revert(fork)
    clock.shift(REBROADCAST_AFTER_MS)
    await waitUntil(async () => (await poolSize()) === 1)
    await dev.mine(3)
    expect((await sent).status).toBe('success')
    expect(await tokens(friend.address)).toBe(before + 6n)
  })

  it('fills a gap before its nonce: with what a reorganisation removed, or with nothing', async () => {
    const { sender, store, clock } = await start()
    const before = await tokens(friend.address)
    const fork = await dev.snapshot()
    const firstNonce = await dev.client.getTransactionCount({ address: account.address })
    await sender.submit(transfer(3n))
    await dev.setAutomine(false)
    onTestFinished(() => dev.setAutomine(true))
    // A transaction from elsewhere takes the next nonce; ours comes after it, and both nonces before it vanish.
    await dev.client.sendTransaction({ account, to: friend.address, value: 1n })
    const intent = transfer(4n)
    const sent = sender.submit(intent)
    await waitUntil(async () => (await store.get(intent.key)) !== undefined)
    await dev.revert(fork)
    await dev.setAutomine(true)
    const mined = async () => dev.client.getTransactionCount({ address: account.address })
    for (let next = (await mined()) + 1; next <= firstNonce + 2; next++) {
      clock.shift(STUCK_AFTER_MS / 2)
      await waitUntil(async () => (await mined()) >= next)
    }
    clock.shift(STUCK_AFTER_MS / 2)
    expect((await sent).status).toBe('success')
    expect(await tokens(friend.address)).toBe(before + 7n)
  })

  it('sends again what was mined, confirmed, and then reorganised away', async () => {
    const { sender, store } = await start()
    const before = await tokens(friend.address)
    const fork = await dev.snapshot()
    const intent = transfer(5n)
    const first = await sender.submit(intent)
    await dev.revert(fork)
    await dev.mine(2)
    expect(await tokens(friend.address)).toBe(before)
    const second = await sender.submit(intent)
    expect(second.transactionHash).toBe(first.transactionHash)
    expect(second.blockNumber).toBeGreaterThan(first.blockNumber)
    expect(await store.get(intent.key)).toMatchObject({
      status: 'done',
      blockNumber: Number(second.blockNumber),
    })
    expect(await tokens(friend.address)).toBe(before + 5n)
  })

  it('does not wait for what was reorganised away after its signed form was forgotten', async () => {
    const { sender, store } = await start()
    const fork = await dev.snapshot()
    const intent = transfer(5n)
    await sender.submit(intent)
    await dev.revert(fork)
    expect(await store.prune(Number.MAX_SAFE_INTEGER)).toBe(1)
    await expect(sender.submit(intent)).rejects.toMatchObject({ code: 'CHAIN_RPC_FAILED' })
    await expect(sender.submit(transfer(1n))).resolves.toBeDefined()
  })

  it('waits for confirmations', async () => {
    const { sender, clock } = await start({ confirmations: 2 })
    let done = false
    const sent = sender.submit(transfer(1n)).then(() => {
      done = true
    })
    const height = await dev.client.getBlockNumber()
    await waitUntil(async () => (await dev.client.getBlockNumber()) > height || done)
    await dev.mine()
    await clock.looks(3)
    expect(done).toBe(false)
    await dev.mine()
    await sent
  })

  it('outlives an outage of the chain while a transaction is out', async () => {
    await using proxy = await startTcpProxy(dev.port)
    const { sender, clock } = await start({ rpcUrl: proxy.url })
    await dev.setAutomine(false)
    onTestFinished(() => dev.setAutomine(true))
    const sent = sender.submit(transfer(1n))
    await waitUntil(async () => (await poolSize()) === 1)
    proxy.cut()
    await dev.mine()
    await clock.looks(3)
    proxy.restore()
    expect((await sent).status).toBe('success')
  })

  it('stops at once, and keeps what is out', async () => {
    await using proxy = await startTcpProxy(dev.port)
    const { sender, store } = await start({ rpcUrl: proxy.url })
    await dev.setAutomine(false)
    onTestFinished(() => dev.setAutomine(true))
    const intent = transfer(1n)
    const out = expect(sender.submit(intent)).rejects.toMatchObject({ code: 'CHAIN_SENDER_STOPPED' })
    const waits = expect(sender.submit(transfer(2n))).rejects.toMatchObject({ code: 'CHAIN_SENDER_STOPPED' })
    await waitUntil(async () => (await poolSize()) === 1)
    proxy.freeze()
    await sender.stop()
    await Promise.all([out, waits])
    expect(await store.open(account.address)).toMatchObject([{ key: intent.key }])
    await dev.mine()
  })
})

describe('restart', () => {
  /** Stops a sender the moment the transaction is written down, before or after it is broadcast. */
  const crashes = [
    { when: 'before the broadcast', reaches: false },
    { when: 'after the broadcast', reaches: true },
  ]

  it.each(crashes)('pays once when the process dies $when', async ({ reaches }) => {
    await using dir = await createTempDir()
    const before = await tokens(friend.address)
    const intent = transfer(9n)
    const first = await openDatabase(dir.file('node.db'))
    const store = createDbTransactionStore(first.db, Date.now)
    await dieAfterPut(store, intent.key, reaches)
    await first.close()

    const second: Database = await openDatabase(dir.file('node.db'))
    const later = createDbTransactionStore(second.db, Date.now)
    expect(await later.get(intent.key)).toMatchObject({ status: 'sent' })
    const { sender } = await start({ store: later })
    const receipt = await sender.submit(intent)
    expect(receipt.status).toBe('success')
    expect(await tokens(friend.address)).toBe(before + 9n)
    expect(await later.open(account.address)).toEqual([])
    expect(await later.get(intent.key)).toMatchObject({ status: 'done', txHash: receipt.transactionHash })
    await sender.stop()
    await second.close()
  })

  /** Plays the part of `send` up to the crash. */
  async function dieAfterPut(store: TransactionStore, key: string, broadcast: boolean): Promise<void> {
    const { to, data } = transfer(9n, key)
    const nonce = await dev.client.getTransactionCount({ address: account.address })
    const fees = { maxFee: 100n * GWEI, priorityFee: GWEI }
    const raw = await account.signTransaction({
      chainId: dev.network.chainId,
      type: 'eip1559',
      nonce,
      to,
      data,
      gas: 100_000n,
      maxFeePerGas: fees.maxFee,
      maxPriorityFeePerGas: fees.priorityFee,
    })
    const transaction: StoredTransaction = {
      key,
      kind: 'transfer',
      sender: account.address,
      target: to,
      data,
      value: 0n,
      nonce,
      gas: 100_000n,
      status: 'sent',
      attempts: [{ hash: keccak256(raw), raw, ...fees, sentMs: Date.now() }],
    }
    await store.put(transaction)
    if (broadcast) await dev.client.sendRawTransaction({ serializedTransaction: raw })
  }
})

describe.each(['memory', 'database'] as const)('transaction store in %s', (kind) => {
  async function createStore(nowMs = () => 5): Promise<TransactionStore> {
    if (kind === 'memory') return createMemoryTransactionStore(nowMs)
    const dir = await createTempDir()
    const database = await openDatabase(dir.file('node.db'))
    onTestFinished(async () => {
      await database.close()
      await dir.remove()
    })
    return createDbTransactionStore(database.db, nowMs)
  }

  const sample: StoredTransaction = {
    key: 'k',
    kind: 'transfer',
    sender: `0x${'ab'.repeat(20)}`,
    target: `0x${'cd'.repeat(20)}`,
    data: '0x12',
    value: 2n ** 100n,
    nonce: 3,
    gas: 21_000n,
    status: 'sent',
    attempts: [{ hash: '0x01', raw: '0x02', maxFee: 2n ** 90n, priorityFee: 1n, sentMs: 1 }],
  }

  it('keeps transactions with their attempts in order until they end', async () => {
    const store = await createStore()
    expect(await store.get('k')).toBeUndefined()
    await store.put(sample)
    const second = { hash: '0x03', raw: '0x04', maxFee: 3n, priorityFee: 2n, sentMs: 2 } as const
    await store.addAttempt('k', second)
    const expected = { ...sample, attempts: [...sample.attempts, second] }
    expect(await store.get('k')).toEqual(expected)
    await store.put({ ...sample, key: 'earlier', nonce: 2, attempts: [{ ...second, hash: '0x05' }] })
    expect((await store.open(sample.sender)).map(({ key }) => key)).toEqual(['earlier', 'k'])
    expect(await store.open(sample.target)).toEqual([])
    const failure = { errorName: 'E', args: { a: '1' } }
    await store.end('k', {
      status: 'reverted',
      txHash: '0x03',
      blockNumber: 7,
      gasUsed: 5n,
      gasPrice: 6n,
      failure,
    })
    expect(await store.get('k')).toMatchObject({
      status: 'reverted',
      txHash: '0x03',
      blockNumber: 7,
      failure,
    })
    expect((await store.open(sample.sender)).map(({ key }) => key)).toEqual(['earlier'])
  })

  it('finds transactions by their nonces, without those that were replaced', async () => {
    const store = await createStore()
    for (const nonce of [3, 4, 5]) await store.put({ ...sample, key: `k${nonce}`, nonce, attempts: [] })
    await store.end('k3', { status: 'done' })
    await store.end('k4', { status: 'replaced' })
    const keys = async (from: number, to: number) =>
      (await store.withNonces(sample.sender, from, to)).map(({ key }) => key)
    expect(await keys(0, 6)).toEqual(['k3', 'k5'])
    expect(await keys(4, 5)).toEqual([])
    expect(await keys(5, 6)).toEqual(['k5'])
  })

  it('forgets the signed forms of old transactions that ended, and not what became of them', async () => {
    let nowMs = 5
    const store = await createStore(() => nowMs)
    const signedAt = async (key: string, sentMs: number) =>
      store.put({ ...sample, key, attempts: [{ ...sample.attempts[0]!, hash: `0x0${sentMs}`, sentMs }] })
    await signedAt('old', 1)
    await signedAt('open', 2)
    await signedAt('young', 3)
    for (const key of ['old', 'young']) {
      await store.end(key, { status: 'done', txHash: '0x77', gasUsed: 5n })
      nowMs = 9
    }
    expect(await store.prune(9)).toBe(1)
    expect(await store.prune(9)).toBe(0)
    expect(await store.get('old')).toMatchObject({
      status: 'done',
      txHash: '0x77',
      gasUsed: 5n,
      attempts: [],
      data: '0x',
    })
    for (const key of ['open', 'young']) {
      expect(await store.get(key)).toMatchObject({ data: sample.data, attempts: [{}] })
    }
  })

  it('takes a replaced key anew, and no other', async () => {
    const store = await createStore()
    await store.put(sample)
    await store.end('k', { status: 'replaced' })
    await store.put({ ...sample, nonce: 9, attempts: [{ ...sample.attempts[0]!, hash: '0x09' }] })
    expect(await store.get('k')).toMatchObject({ nonce: 9, status: 'sent', attempts: [{ hash: '0x09' }] })
    await expect(store.put(sample)).rejects.toMatchObject({ code: 'CORE_DB_FAILED' })
  })
})

describe('fees of a replacement', () => {
  it('rise by a quarter or to the market, never above the limit', () => {
    const before = { maxFee: 100n, priorityFee: 10n }
    expect(raisedFees(before, { maxFee: 50n, priorityFee: 1n }, 1_000n)).toEqual({
      maxFee: 126n,
      priorityFee: 13n,
    })
    expect(raisedFees(before, { maxFee: 300n, priorityFee: 20n }, 1_000n)).toEqual({
      maxFee: 300n,
      priorityFee: 20n,
    })
  })

  it('rise to the limit if that is enough for a replacement, and not at all if it is not', () => {
    const before = { maxFee: 100n, priorityFee: 10n }
    const market = { maxFee: 300n, priorityFee: 1n }
    expect(raisedFees(before, market, 111n)).toEqual({ maxFee: 111n, priorityFee: 13n })
    expect(raisedFees(before, market, 110n)).toBeUndefined()
    expect(raisedFees({ maxFee: 100n, priorityFee: 100n }, market, 120n)).toEqual({
      maxFee: 120n,
      priorityFee: 120n,
    })
  })
})
