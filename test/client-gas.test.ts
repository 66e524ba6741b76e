// The client's transactions while gas gets dearer: what is stuck is replaced, and counts once whichever of them is mined.
import type { Address, Hex } from '@postrider/protocol/wire'
import { keccak256, parseTransaction, type TransactionSerializedEIP1559, toHex } from 'viem'
import { generatePrivateKey } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { STUCK_AFTER_MS, TRANSACTION_TIMEOUT_MS } from '../client/chain/constants.ts'
import { createMemoryStorage } from '../client/storage/memory.ts'
import { decodeRecord, type RecordValue } from '../client/storage/records.ts'
import type { Storage, Write } from '../client/storage/types.ts'
import { crash, isCrash } from '../client/testing/crash-storage.ts'
import { createWallet } from '../client/wallet/keys.ts'
import { type DevChain, startDevChain } from '../node/chain/testing/devchain.ts'
import { type LyingEndpoint, startLyingEndpoint } from '../node/chain/testing/lying-endpoint.ts'
import { BUDGET, DEPOSIT, openPayingClient, type PayingClient } from './support/paying-client.ts'

const GWEI = 10n ** 9n
/** A base fee that no transaction covers which was signed before it. */
const DEAR = 100n * GWEI
/** For what a busy machine may be slow at. */
const WAIT_MS = 20_000

let dev: DevChain
let endpoint: LyingEndpoint
let payee: Address

beforeAll(async () => {
  dev = await startDevChain()
  endpoint = await startLyingEndpoint(dev.url)
  payee = dev.account(1).address
})
afterAll(async () => {
  await endpoint?.[Symbol.asyncDispose]()
  await dev?.stop()
})
afterEach(async () => {
  endpoint.tell(undefined)
  await dev.setAutomine(true)
  await setBaseFee(GWEI)
})

type Setting = Partial<Parameters<typeof openPayingClient>[0]>

/** A client with a channel, and everything that it broadcasts from now on. */
async function setUp(setting: Setting = {}) {
  const wallet = createWallet({ privateKey: generatePrivateKey() })
  await dev.mint(wallet.account.address, 20n * DEPOSIT)
  await dev.fund(wallet.account.address, 10n ** 18n)
  const clock = { offsetMs: 0 }
  const network = { ...dev.network, rpcUrls: [endpoint.url] }
  const open = (more: Setting = {}) => openPayingClient({ network, wallet, clock, ...setting, ...more })
  const client = await open()
  await client.open(payee)
  const sent: Hex[] = []
  endpoint.tell((result, { method, params }) => {
    if (method === 'eth_sendRawTransaction' && !sent.includes(params[0] as Hex)) sent.push(params[0] as Hex)
    return result
  })
  return { client, clock, wallet, sent, open }
}

const feeOf = (raw: Hex | undefined): bigint =>
  parseTransaction(raw as TransactionSerializedEIP1559).maxFeePerGas ?? 0n

/** A block without what offers less. */
async function setBaseFee(baseFeePerGas: bigint): Promise<void> {
  await dev.client.setNextBlockBaseFeePerGas({ baseFeePerGas })
  await dev.mine()
}

const countOf = (sent: readonly Hex[]) => expect.poll(() => sent.length, { timeout: WAIT_MS })

type World = Awaited<ReturnType<typeof setUp>>

/** A top-up that waits, because gas got dearer after it was sent. */
async function stuckTopUp({ client, sent }: World): Promise<{ raised: Promise<unknown> }> {
  await dev.setAutomine(false)
  const raised = client.raise(payee, DEPOSIT + 1n).catch((error) => error)
  await countOf(sent).toBe(1)
  await setBaseFee(DEAR)
  expect(feeOf(sent[0])).toBeLessThan(DEAR)
  return { raised }
}

/** One top-up was made, and ledger, records, contracts and budget agree on it. */
async function expectOneTopUp(client: PayingClient): Promise<void> {
  expect((await client.reconcile()).differences).toEqual([])
  expect((await client.ledger()).map(({ kind }) => kind)).toEqual(['open', 'topUp'])
  expect(await spentBy(client)).toBe(2n * DEPOSIT)
}

const spentBy = async ({ spending }: PayingClient) => BUDGET.daily - (await spending.remaining())

it('replaces a top-up that is stuck by one that offers more, and counts it once', async () => {
  const world = await setUp()
  const { client, clock, sent } = world
  const { raised } = await stuckTopUp(world)
  clock.offsetMs += STUCK_AFTER_MS
  await countOf(sent).toBe(2)
  expect(feeOf(sent[1])).toBeGreaterThan(DEAR)
  expect(await spentBy(client)).toBe(2n * DEPOSIT)
  await dev.mine()
  expect(await raised).toMatchObject({ deposit: 2n * DEPOSIT })
  await expectOneTopUp(client)
})

it('counts it once too when the first one is mined after all', async () => {
  const world = await setUp()
  const { client, clock, sent } = world
  const { raised } = await stuckTopUp(world)
  clock.offsetMs += STUCK_AFTER_MS
  await countOf(sent).toBe(2)
  const [first, second] = sent as [Hex, Hex]
  await dev.client.dropTransaction({ hash: keccak256(second) })
  await dev.client.sendRawTransaction({ serializedTransaction: first })
  await setBaseFee(GWEI)
  expect(await raised).toMatchObject({ deposit: 2n * DEPOSIT })
  const rows = await client.ledger()
  expect(rows.at(-1)).toMatchObject({ kind: 'topUp', transaction: keccak256(first) })
  await expectOneTopUp(client)
})

it('goes on after a crash between a replacement on disk and its broadcast', async () => {
  const disk = createMemoryStorage()
  let dead = false
  const dying: Storage = {
    ...disk,
    async batch(writes) {
      if (dead) throw crash()
      await disk.batch(writes)
      dead = writes.some(replaces)
      if (dead) throw crash()
    },
  }
  const world = await setUp({ storage: dying })
  const { clock, sent, open } = world
  const { raised } = await stuckTopUp(world)
  clock.offsetMs += STUCK_AFTER_MS
  expect(await raised).toSatisfy(isCrash)
  expect(sent).toHaveLength(1)

  const client = await open({ storage: disk })
  expect(await spentBy(client)).toBe(2n * DEPOSIT)
  const again = client.raise(payee, DEPOSIT + 1n)
  await countOf(sent).toBe(2)
  await dev.mine()
  expect(await again).toMatchObject({ deposit: 2n * DEPOSIT })
  await expectOneTopUp(client)
})

/** Whether a write is of a transaction that takes the place of another one. */
function replaces(write: Write): boolean {
  if (!('key' in write) || !write.key.startsWith('wallet/spending/') || !write.value) return false
  const { transaction } = decodeRecord<{ transaction?: { earlier?: RecordValue } }>(write.key, write.value)
  return transaction?.earlier !== undefined
}

it('signs no other payment while the end of one is open, as both would use one permit', async () => {
  const { client, clock, sent } = await setUp()
  await dev.setAutomine(false)
  const raised = client.raise(payee, DEPOSIT + 1n).catch((error) => error)
  await countOf(sent).toBe(1)
  clock.offsetMs += TRANSACTION_TIMEOUT_MS
  expect(await raised).toMatchObject({ code: 'CLIENT_TIMEOUT' })

  const broadcasts = () => endpoint.asked.get('eth_sendRawTransaction') ?? 0
  const before = broadcasts()
  const opened = client.open(dev.account(2).address)
  await expect.poll(broadcasts, { timeout: WAIT_MS }).toBeGreaterThan(before)
  expect(sent).toHaveLength(1)
  await dev.setAutomine(true)
  await dev.mine()
  expect(await opened).toMatchObject({ status: 'open', deposit: DEPOSIT })
  expect((await client.reconcile()).differences).toEqual([])
  expect((await client.ledger()).map(({ kind }) => kind)).toEqual(['open', 'topUp', 'open'])
})

it('goes on when a transaction before it vanishes from the pool', async () => {
  const { client, clock, wallet, sent } = await setUp()
  await dev.setAutomine(false)
  const hash = await dev.client.sendTransaction({ account: wallet.account, to: payee, value: 1n, nonce: 1 })
  const raised = client.raise(payee, DEPOSIT + 1n).catch((error) => error)
  await countOf(sent).toBe(1)
  await dev.client.dropTransaction({ hash })
  await dev.mine()
  clock.offsetMs += STUCK_AFTER_MS
  await countOf(sent).toBe(3)
  await dev.mine()
  expect(await raised).toMatchObject({ deposit: 2n * DEPOSIT })
  await expectOneTopUp(client)
})

it('goes on when an endpoint that is behind shows a gap where there is none', async () => {
  const world = await setUp()
  const { client, clock } = world
  const { raised } = await stuckTopUp(world)
  endpoint.tell((result, { method, params }) =>
    method === 'eth_getTransactionCount' && params[1] === 'pending' ? '0x0' : result,
  )
  const broadcasts = () => endpoint.asked.get('eth_sendRawTransaction') ?? 0
  const before = broadcasts()
  clock.offsetMs += STUCK_AFTER_MS
  await expect.poll(broadcasts, { timeout: WAIT_MS }).toBe(before + 2)
  await dev.mine()
  expect(await raised).toMatchObject({ deposit: 2n * DEPOSIT })
  await expectOneTopUp(client)
})

it('is not held up at its end by a transaction that waits, which the next client follows up', async () => {
  const storage = createMemoryStorage()
  const { client, sent, open } = await setUp({ storage })
  await dev.setAutomine(false)
  const raised = client.raise(payee, DEPOSIT + 1n).catch((error) => error)
  await countOf(sent).toBe(1)
  await client.close()
  expect(await raised).toMatchObject({ code: 'CLIENT_ABORTED' })
  await dev.setAutomine(true)
  await dev.mine()
  await expectOneTopUp(await open())
  expect(sent).toHaveLength(1)
})

it('sends nothing while gas costs more than the limit', async () => {
  const { client, sent } = await setUp({ budget: { maxFeePerGas: 50n * GWEI } })
  await setBaseFee(DEAR)
  await expect(client.raise(payee, DEPOSIT + 1n)).rejects.toMatchObject({
    code: 'CLIENT_FEE_TOO_HIGH',
    retryable: true,
    data: { limit: String(50n * GWEI) },
  })
  expect([sent, await spentBy(client)]).toEqual([[], DEPOSIT])
})

it('offers no more than the limit to an endpoint that asks for all', async () => {
  const { client } = await setUp()
  const sent: Hex[] = []
  endpoint.tell((result, { method, params }) => {
    if (method === 'eth_sendRawTransaction') sent.push(params[0] as Hex)
    return method === 'eth_maxPriorityFeePerGas' ? toHex(GWEI * GWEI) : result
  })
  await client.raise(payee, DEPOSIT + 1n)
  expect(feeOf(sent[0])).toBe(BUDGET.maxFeePerGas)
})
