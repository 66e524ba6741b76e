// The client's money on a real chain while the world fails. After each fault its ledger, its records and the contracts
// agree to the last unit, and its budget has counted what left the wallet, once.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ledgerCsv } from '@postrider/client'
import { paymentChannelsAbi } from '@postrider/contracts'
import type { Network } from '@postrider/protocol/network'
import { compactSignature, type SignedVoucher } from '@postrider/protocol/payment'
import type { Address, Hex } from '@postrider/protocol/wire'
import { encodeAbiParameters, encodeFunctionData, type HDAccount, keccak256 } from 'viem'
import { generatePrivateKey } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSqliteStorage } from '../client/node/sqlite-storage.ts'
import { createMemoryStorage } from '../client/storage/memory.ts'
import { createCrashingStorage, isCrash } from '../client/testing/crash-storage.ts'
import { createWallet, type Wallet } from '../client/wallet/keys.ts'
import { type DevChain, startDevChain } from '../node/chain/testing/devchain.ts'
import { callAs } from '../node/chain/testing/harness.ts'
import {
  displacedEvents,
  doubledEvents,
  type Lie,
  shiftedHead,
  shiftedTime,
  startLyingEndpoint,
  withoutEvents,
} from '../node/chain/testing/lying-endpoint.ts'
import { startTcpProxy } from '../node/chain/testing/tcp-proxy.ts'
import { createTempDir } from '../node/core/testing/temp-dir.ts'
import { recordPaid } from '../node/payments/account.ts'
import { BUDGET, DEPOSIT, openPayingClient, type PayingClient } from './support/paying-client.ts'
import { openSettler } from './support/settling.ts'

const FUNDS = 20n * DEPOSIT
const LIMIT = 10
/** For what a busy machine may be slow at. */
const WAIT_MS = 20_000

let dev: DevChain
let operator: HDAccount
let membership: { deposit: bigint; burnt: bigint }

beforeAll(async () => {
  dev = await startDevChain()
  operator = dev.account(1)
  membership = await (await newClient()).reader.membershipCost(LIMIT)
})
afterAll(() => dev?.stop())

async function newWallet(): Promise<Wallet> {
  return endow(createWallet({ privateKey: generatePrivateKey() }))
}

async function endow(wallet: Wallet): Promise<Wallet> {
  await dev.mint(wallet.account.address, FUNDS)
  await dev.fund(wallet.account.address, 10n ** 18n)
  return wallet
}

type Setting = Partial<Parameters<typeof openPayingClient>[0]>

async function newClient(setting: Setting = {}): Promise<PayingClient> {
  return openPayingClient({ network: dev.network, wallet: setting.wallet ?? (await newWallet()), ...setting })
}

/** Everything agrees, to the last unit: ledger, records, contracts, the wallet's tokens and the budget. */
async function expectAgreement(client: PayingClient, spentToday?: bigint) {
  const { differences, balance, ...rest } = await client.reconcile()
  expect(differences).toEqual([])
  const rows = await client.ledger()
  expect(rows.at(-1)?.balance ?? 0n).toBe(balance)
  const { wallet, dailyRemaining } = await client.balances()
  const lost = rows.filter(
    ({ kind }) => kind === 'settled' || kind === 'memberBurnt' || kind === 'memberSlashed',
  )
  expect(wallet + balance + lost.reduce((sum, { amount }) => sum + amount, 0n)).toBe(FUNDS)
  if (spentToday !== undefined) expect(BUDGET.daily - dailyRemaining).toBe(spentToday)
  return { rows, balance, ...rest }
}

const kindsOf = (rows: { kind: string }[]) => rows.map(({ kind }) => kind)
const payee = (): Address => operator.address

const asClaim = ({ cumulative, tickAnchor, tickValue, signature }: SignedVoucher) => ({
  cumulative,
  tickAnchor,
  tickValue,
  tickCount: 0,
  tickPreimage: tickAnchor,
  ...compactSignature(signature),
})

const settle = (client: PayingClient, voucher: SignedVoucher, call: 'settle' | 'close' = 'settle') =>
  callAs(dev, operator, 'paymentChannels', call, [client.descriptorOf(voucher.channelId), asClaim(voucher)])

describe('the ledger', () => {
  it('has every movement of a whole life, with a balance that ends at nothing', async () => {
    const client = await newClient()
    const first = await client.raise(payee(), DEPOSIT + 1n)
    await settle(client, await client.promise(payee(), 7n))
    const { closeAt } = await client.requestClose(payee())
    await dev.increaseTime(closeAt)
    await client.withdraw(first.channelId)
    await client.open(payee())
    await settle(client, await client.promise(payee(), 5n), 'close')
    await client.refund()
    const { commitment } = await client.register(LIMIT)
    await client.writer.leaveGroup(commitment)
    await dev.increaseTime((await client.reader.member(commitment)).withdrawableAt)
    await client.writer.withdrawMember(commitment)
    await slash(await client.register(LIMIT))

    const { rows, balance } = await expectAgreement(client)
    expect(kindsOf(rows)).toEqual([
      ...['open', 'topUp', 'settled', 'closeRequested', 'withdrawn'],
      ...['open', 'settled', 'closed', 'refund'],
      ...['memberDeposit', 'memberBurnt', 'memberLeft', 'memberWithdrawn'],
      ...['memberDeposit', 'memberBurnt', 'memberSlashed'],
    ])
    expect(balance).toBe(0n)
    expect(rows.slice(0, 5).map((row) => row.balance)).toEqual([
      ...[DEPOSIT, 2n * DEPOSIT, 2n * DEPOSIT - 7n, 2n * DEPOSIT - 7n, 0n],
    ])
    for (const { kind, gas, operator: node, channelId } of rows) {
      const others = ['settled', 'closed', 'memberSlashed', 'memberBurnt'].includes(kind)
      expect([kind, gas > 0n]).toEqual([kind, !others])
      if (channelId) expect(node).toBe(payee())
    }
    const [heading, line] = ledgerCsv(rows).split('\r\n')
    expect(heading).toBe(
      'number,time,block,transaction,kind,node,channel,membership,amount,change,balance,gas_wei',
    )
    const { atMs, block, transaction, gas } = rows[0]!
    expect(line).toBe(
      `1,${new Date(atMs).toISOString()},${block},${transaction},open,${payee()},${first.channelId},,${DEPOSIT},${DEPOSIT},${DEPOSIT},${gas}`,
    )
  })

  it('is the same for a client that lost its storage, and says which channels it does not know', async () => {
    const wallet = await newWallet()
    const client = await newClient({ wallet })
    await client.raise(payee(), DEPOSIT + 1n)
    const rows = await client.ledger()
    const restored = await newClient({ wallet })
    expect((await restored.reconcile()).differences).toMatchObject([{ code: 'CLIENT_CHANNEL_UNRECORDED' }])
    expect(await restored.ledger()).toEqual(rows)
    await restored.open(payee())
    expect((await restored.reconcile()).differences).toEqual([])
  })

  const lies: [string, Lie, string | undefined][] = [
    ['gives every event twice', doubledEvents, undefined],
    ['gives every event again in another place', displacedEvents, 'CLIENT_LEDGER_MISMATCH'],
    ['leaves out events', withoutEvents(() => false), 'CLIENT_LEDGER_MISMATCH'],
    ['is behind', shiftedHead(-2), 'CLIENT_CHAIN_UNAVAILABLE'],
    ['claims blocks that are not there', shiftedHead(20), 'CLIENT_CHAIN_UNAVAILABLE'],
  ]
  it.each(lies)('stays right while the endpoint %s', async (_, lie, code) => {
    await using endpoint = await startLyingEndpoint(dev.url)
    const network: Network = { ...dev.network, rpcUrls: [endpoint.url] }
    const client = await newClient({ network })
    await client.open(payee())
    const before = await client.ledger()
    await client.raise(payee(), DEPOSIT + 1n)
    endpoint.tell(lie)
    const read = client.ledger().then(kindsOf, (error) => error.code)
    expect(await read).toEqual(code ?? ['open', 'topUp'])
    if (code) expect(await client.ledger({ offline: true })).toEqual(before)
    endpoint.tell(undefined)
    expect(kindsOf((await expectAgreement(client, 2n * DEPOSIT)).rows)).toEqual(['open', 'topUp'])
  })
})

async function slash({ secret, commitment }: { secret: bigint; commitment: bigint }): Promise<void> {
  const slasher = dev.account(3)
  const nonce: Hex = `0x${'5a'.repeat(32)}`
  const types = [{ type: 'address' }, { type: 'uint256' }, { type: 'bytes32' }] as const
  const promise = keccak256(encodeAbiParameters(types, [slasher.address, secret, nonce]))
  await callAs(dev, slasher, 'rlnMembership', 'commitSlash', [promise])
  await callAs(dev, slasher, 'rlnMembership', 'revealSlash', [secret, nonce, slasher.address])
  expect(commitment).toBeGreaterThan(0n)
}

describe('a reorganisation that removes', () => {
  /** Runs `act` in a branch that is abandoned for a longer one. */
  async function undo(
    act: () => Promise<unknown>,
    inTheNewBranch: () => Promise<unknown> = async () => undefined,
  ) {
    const fork = await dev.snapshot()
    const before = await dev.client.getBlockNumber()
    await act()
    const height = await dev.client.getBlockNumber()
    await dev.revert(fork)
    await inTheNewBranch()
    await dev.mine(Number(height - before) + 2)
  }
  /** Takes the wallet's next nonce, so that what was signed with it can never be mined. */
  const takeNonce = (wallet: Wallet) =>
    dev.client.sendTransaction({ account: wallet.account, to: payee(), value: 1n })

  it('the opening: it is sent again, once, and counted once', async () => {
    const client = await newClient()
    await undo(async () => {
      await client.open(payee())
      expect(await client.ledger()).toHaveLength(1)
    })
    const { rows } = await expectAgreement(client, DEPOSIT)
    expect(kindsOf(rows)).toEqual(['open'])
    expect(client.list()).toMatchObject([{ status: 'open', deposit: DEPOSIT }])
  })

  it('the opening for good: the budget has it back, and the next payment opens the channel', async () => {
    const wallet = await newWallet()
    const client = await newClient({ wallet })
    await undo(
      () => client.raise(payee(), DEPOSIT + 1n),
      async () => {
        await takeNonce(wallet)
        await takeNonce(wallet)
      },
    )
    expect((await expectAgreement(client, 0n)).rows).toEqual([])
    const promised = 2n * DEPOSIT - 1n
    await client.promise(payee(), promised)
    expect(client.list()).toMatchObject([{ status: 'open', deposit: 2n * DEPOSIT, paid: promised }])
    await expectAgreement(client, 2n * DEPOSIT)
  })

  it('the top-up: no second one is made, and what was promised stays covered', async () => {
    const client = await newClient()
    await client.open(payee())
    await undo(async () => {
      await client.raise(payee(), DEPOSIT + 1n)
      await client.promise(payee(), 2n * DEPOSIT)
      expect(await client.ledger()).toHaveLength(2)
    })
    // As when the node says that it no longer sees the top-up.
    await client.raise(payee(), 2n * DEPOSIT)
    expect(client.heard).toContainEqual({ name: 'warning', code: 'CLIENT_CHAIN_REORGANISED' })
    await client.idle()
    const { rows } = await expectAgreement(client, 2n * DEPOSIT)
    expect(kindsOf(rows)).toEqual(['open', 'topUp'])
  })

  it('the top-up for good: the next payment makes up for it', async () => {
    const wallet = await newWallet()
    const client = await newClient({ wallet })
    await client.open(payee())
    await undo(
      () => client.raise(payee(), DEPOSIT + 1n),
      () => takeNonce(wallet),
    )
    expect(kindsOf((await expectAgreement(client, DEPOSIT)).rows)).toEqual(['open'])
    await client.raise(payee(), DEPOSIT + 1n)
    expect(kindsOf((await expectAgreement(client, 2n * DEPOSIT)).rows)).toEqual(['open', 'topUp'])
  })

  it('a settlement: client, node and contract agree before, without and after it', async () => {
    await using dir = await createTempDir()
    const client = await newClient()
    const voucher = await client.promise(payee(), 9n)
    const { channelId } = voucher
    const payer = { channelId, descriptor: client.descriptorOf(channelId)! } as Parameters<
      typeof openSettler
    >[0]['payer']
    const node = { file: dir.file('node.db'), network: dev.network, account: operator, payer }
    await undo(async () => {
      const settler = await openSettler(node)
      await settler.book.apply(channelId, () => ({ type: 'voucher', voucher }))
      await settler.daemon.redeem({ force: true })
      await settler.ended
      expect(kindsOf((await expectAgreement(client)).rows)).toEqual(['open', 'settled'])
      await settler.stop()
    })
    expect(kindsOf((await expectAgreement(client, DEPOSIT)).rows)).toEqual(['open'])
    expect(client.list()).toMatchObject([{ settled: 0n, paid: 9n }])

    const settler = await openSettler(node)
    await settler.daemon.redeem({ force: true })
    await settler.ended
    const account = await settler.account()
    const { rows, nodes } = await expectAgreement(client, DEPOSIT)
    expect(kindsOf(rows)).toEqual(['open', 'settled'])
    expect(nodes).toEqual([
      {
        operator: payee(),
        deposited: DEPOSIT,
        settled: account.settled,
        promised: recordPaid(account),
        spent: 9n,
      },
    ])
    await settler.stop()
  })

  it('the request to close: the channel is open again, and can be closed again', async () => {
    const client = await newClient()
    await client.open(payee())
    await undo(async () => {
      await client.requestClose(payee())
      expect(kindsOf(await client.ledger())).toEqual(['open', 'closeRequested'])
    })
    expect(kindsOf((await expectAgreement(client, DEPOSIT)).rows)).toEqual(['open'])
    expect(await client.requestClose(payee())).toMatchObject({ status: 'closing' })
    await expectAgreement(client, DEPOSIT)
  })

  it('the registration: it is sent again, and its cost counted once', async () => {
    const client = await newClient()
    const cost = membership.deposit + membership.burnt
    await undo(async () => {
      await client.register(LIMIT)
      expect(await client.ledger()).toHaveLength(2)
    })
    const { commitment } = await client.register(LIMIT)
    expect(await client.reader.member(commitment)).toMatchObject({ status: 'active', limit: LIMIT })
    const { rows, memberships } = await expectAgreement(client, cost)
    expect(kindsOf(rows)).toEqual(['memberDeposit', 'memberBurnt'])
    expect(memberships).toBe(membership.deposit)
  })
})

describe('a crash', () => {
  const play = async (client: PayingClient) => {
    await client.raise(payee(), DEPOSIT + 1n)
    await client.register(LIMIT)
  }

  it('at every write of the storage, on either side of it, spends nothing twice and loses nothing', async () => {
    const cost = membership.deposit + membership.burnt
    let writes = 0
    const counting = createMemoryStorage()
    const { batch, put } = counting
    await play(
      await newClient({
        storage: {
          ...counting,
          batch: (entries) => {
            writes++
            return batch(entries)
          },
          put: (key, value) => {
            writes++
            return put(key, value)
          },
        },
      }),
    )
    expect(writes).toBeGreaterThan(8)
    const dieAndGoOn = async (at: number, when: 'before' | 'after', wallet: Wallet) => {
      const disk = createMemoryStorage()
      const dying = newClient({ wallet, storage: createCrashingStorage(disk, at, when) })
      await expect(dying.then(play), `${when} ${at}`).rejects.toSatisfy(isCrash)
      const client = await newClient({ wallet, storage: disk })
      await play(client)
      const { rows } = await expectAgreement(client, 2n * DEPOSIT + cost)
      expect(kindsOf(rows)).toEqual(['open', 'topUp', 'memberDeposit', 'memberBurnt'])
    }
    for (let at = 0; at < writes; at++) {
      const wallets = [await newWallet(), await newWallet()] as const
      await Promise.all([dieAndGoOn(at, 'before', wallets[0]), dieAndGoOn(at, 'after', wallets[1])])
    }
  })

  it('by SIGKILL with a transaction on its way, signed or sent, sends none twice', async () => {
    await using dir = await createTempDir()
    const networkFile = dir.file('network.json')
    writeFileSync(networkFile, JSON.stringify(dev.network))
    const child = join(import.meta.dirname, 'support', 'paying-child.ts')
    const kill = async ({ point, nth, privateKey }: { point: string; nth: number; privateKey: Hex }) => {
      const file = dir.file(`${point}-${nth}.db`)
      const args = [child, networkFile, file, privateKey, payee(), point, String(nth)]
      const [, signal] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'close')
      expect([point, nth, signal]).toEqual([point, nth, 'SIGKILL'])
      return { file, wallet: createWallet({ privateKey }) }
    }
    const points = [
      { point: 'signed', nth: 1, privateKey: generatePrivateKey() },
      { point: 'sent', nth: 2, privateKey: generatePrivateKey() },
    ]
    for (const { privateKey } of points) await endow(createWallet({ privateKey }))
    const dead = await Promise.all(points.map(kill))
    for (const { file, wallet } of dead) {
      const storage = createSqliteStorage(file)
      const client = await newClient({ wallet, storage })
      await client.raise(payee(), DEPOSIT + 1n)
      const { rows } = await expectAgreement(client, 2n * DEPOSIT)
      expect(kindsOf(rows)).toEqual(['open', 'topUp'])
      await storage.close()
    }
  })
})

/** Transactions of an account, with those that wait for a block. */
const pendingOf = (address: Address) => dev.client.getTransactionCount({ address, blockTag: 'pending' })

describe('the endpoint', () => {
  it('that goes away loses nothing: the ledger can be read as it was, and everything goes on after it', async () => {
    await using proxy = await startTcpProxy(dev.port)
    const client = await newClient({ network: { ...dev.network, rpcUrls: [proxy.url] } })
    await client.open(payee())
    const before = await client.ledger()
    proxy.cut()
    await expect(client.raise(payee(), DEPOSIT + 1n)).rejects.toMatchObject({
      code: 'CLIENT_CHAIN_UNAVAILABLE',
    })
    await expect(client.ledger()).rejects.toMatchObject({ code: 'CLIENT_CHAIN_UNAVAILABLE' })
    expect(await client.ledger({ offline: true })).toEqual(before)
    proxy.restore()
    await client.raise(payee(), DEPOSIT + 1n)
    await expectAgreement(client, 2n * DEPOSIT)
  })

  it('that does not answer for a while holds a top-up up, and does not double it', async () => {
    await using proxy = await startTcpProxy(dev.port)
    const client = await newClient({ network: { ...dev.network, rpcUrls: [proxy.url] } })
    await client.open(payee())
    proxy.freeze()
    const before = proxy.accepted()
    const raised = client.raise(payee(), DEPOSIT + 1n)
    await expect.poll(() => proxy.accepted(), { timeout: WAIT_MS }).toBeGreaterThan(before)
    proxy.restore()
    await raised
    const { rows } = await expectAgreement(client, 2n * DEPOSIT)
    expect(kindsOf(rows)).toEqual(['open', 'topUp'])
  })

  it('that loses the answer to a transaction causes no second one', async () => {
    await using endpoint = await startLyingEndpoint(dev.url)
    const client = await newClient({ network: { ...dev.network, rpcUrls: [endpoint.url] } })
    await client.open(payee())
    endpoint.tell((result, { method }) => {
      if (method === 'eth_sendRawTransaction') throw new TypeError('lost')
      return result
    })
    await client.raise(payee(), DEPOSIT + 1n)
    endpoint.tell(undefined)
    await client.raise(payee(), DEPOSIT + 1n)
    const { rows } = await expectAgreement(client, 2n * DEPOSIT)
    expect(kindsOf(rows)).toEqual(['open', 'topUp'])
  })

  it('that is slow to show a block sees one top-up, however often it is asked for', async () => {
    const client = await newClient()
    await client.open(payee())
    await client.promise(payee(), DEPOSIT - 1n)
    await dev.setAutomine(false)
    const asked = [client.raise(payee(), DEPOSIT + 1n), client.replenish(payee()), client.replenish(payee())]
    await expect.poll(() => pendingOf(client.address), { timeout: WAIT_MS }).toBe(2)
    await dev.setAutomine(true)
    await dev.mine()
    await Promise.all(asked)
    expect(kindsOf((await expectAgreement(client, 2n * DEPOSIT)).rows)).toEqual(['open', 'topUp'])
  })

  it('whose pool replaces a top-up by another transaction of the wallet: the budget has it back', async () => {
    const wallet = await newWallet()
    const client = await newClient({ wallet })
    await client.open(payee())
    await dev.setAutomine(false)
    const raised = client.raise(payee(), DEPOSIT + 1n).catch((error) => error)
    const { account } = wallet
    await expect.poll(() => pendingOf(account.address), { timeout: WAIT_MS }).toBe(2)
    const maxFeePerGas = 10n ** 11n
    const other = {
      account,
      to: payee(),
      value: 1n,
      nonce: 1,
      maxFeePerGas,
      maxPriorityFeePerGas: maxFeePerGas,
    }
    await dev.client.sendTransaction(other)
    await dev.setAutomine(true)
    await dev.mine()
    expect(await raised).toMatchObject({ code: 'CLIENT_TRANSACTION_FAILED', retryable: false })
    expect(kindsOf((await expectAgreement(client, DEPOSIT)).rows)).toEqual(['open'])
    await client.raise(payee(), DEPOSIT + 1n)
    await expectAgreement(client, 2n * DEPOSIT)
  })

  it.each([
    ['for a moment is looked at again', 2],
    ['for ever gets no second top-up by what it says', Number.POSITIVE_INFINITY],
  ])('that shows a channel as it was before the top-up %s', async (_, count) => {
    await using endpoint = await startLyingEndpoint(dev.url)
    const client = await newClient({ network: { ...dev.network, rpcUrls: [endpoint.url] } })
    const { channelId } = await client.open(payee())
    const data = encodeFunctionData({ abi: paymentChannelsAbi, functionName: 'channel', args: [channelId] })
    const shown: unknown[] = []
    endpoint.tell((result, { params = [] }) => {
      if (!JSON.stringify(params).includes(data)) return result
      shown.push(result)
      return shown.length <= count + 1 ? shown[0] : result
    })
    await client.raise(payee(), DEPOSIT + 1n)
    await client.idle()
    const again = client.raise(payee(), DEPOSIT + 1n)
    if (count === 2) {
      expect(await again).toMatchObject({ deposit: 2n * DEPOSIT })
      expect(client.heard.filter(({ name }) => name === 'warning')).toEqual([])
    } else
      await expect(again).rejects.toMatchObject({ code: 'CLIENT_CHAIN_UNAVAILABLE', data: { channelId } })
    endpoint.tell(undefined)
    await client.raise(payee(), DEPOSIT + 1n)
    const { rows } = await expectAgreement(client, 2n * DEPOSIT)
    expect(kindsOf(rows)).toEqual(['open', 'topUp'])
  })
})

it('a storage is of one wallet and one network', async () => {
  const wallet = await newWallet()
  const storage = createMemoryStorage()
  await (await newClient({ wallet, storage })).open(payee())
  await expect(newClient({ storage })).rejects.toMatchObject({
    code: 'CLIENT_STORAGE_FOREIGN',
    data: { wallet: wallet.account.address.toLowerCase() },
  })
  const { contracts, ...rest } = dev.network
  const network = { ...rest, contracts: { ...contracts, paymentChannels: contracts.token } }
  await expect(newClient({ wallet, storage, network })).rejects.toMatchObject({
    code: 'CLIENT_STORAGE_FOREIGN',
    data: { paymentChannels: contracts.paymentChannels.toLowerCase() },
  })
})

describe('the budget of a day', () => {
  it('covers deposits, top-ups and memberships with what is burnt of them', async () => {
    const cost = membership.deposit + membership.burnt
    const client = await newClient({ budget: { daily: 2n * DEPOSIT + cost - 1n } })
    await client.raise(payee(), DEPOSIT + 1n)
    const refused = await client.register(LIMIT).catch((error) => error)
    expect(refused).toMatchObject({
      code: 'CLIENT_BUDGET_EXCEEDED',
      data: { limit: 'daily', needed: String(cost), remaining: String(cost - 1n) },
    })
    const untilMs = Date.parse(refused.data.dayEndsAt) - Date.now()
    expect(untilMs > 0 && untilMs <= 86_400_000).toBe(true)
    expect(kindsOf((await expectAgreement(client)).rows)).toEqual(['open', 'topUp'])
  })

  it.each([
    ['a clock an hour ahead', 3_600_000, undefined],
    ['a clock an hour behind', -3_600_000, undefined],
    ['a chain that says tomorrow', 0, shiftedTime(86_400)],
  ])('is one budget with %s', async (_, offsetMs, lie) => {
    await using endpoint = await startLyingEndpoint(dev.url)
    const network = { ...dev.network, rpcUrls: [endpoint.url] }
    const setting = { network, wallet: await newWallet(), storage: createMemoryStorage() }
    const budget = { daily: DEPOSIT }
    endpoint.tell(lie)
    const wrong = await newClient({ ...setting, budget, clock: { offsetMs } })
    await wrong.open(payee())
    endpoint.tell(undefined)
    const right = await newClient({ ...setting, budget })
    await expect(right.raise(payee(), DEPOSIT + 1n)).rejects.toMatchObject({ code: 'CLIENT_BUDGET_EXCEEDED' })
  })
})

describe('an empty wallet', () => {
  it('says how much of what is missing at which address, once, and goes on when it has it', async () => {
    const wallet = createWallet({ privateKey: generatePrivateKey() })
    const { address } = wallet.account
    await dev.mint(address, DEPOSIT)
    const client = await newClient({ wallet })
    const broke = await client.open(payee()).catch((error) => error)
    expect(broke).toMatchObject({ code: 'CLIENT_GAS_MISSING', data: { asset: 'ETH', address, balance: '0' } })
    expect(BigInt(broke.data.missing)).toBeGreaterThan(0n)
    await dev.fund(address, BigInt(broke.data.missing) * 20n)
    await client.open(payee())

    await client.promise(payee(), DEPOSIT - 1n)
    await client.replenish(payee())
    await client.replenish(payee())
    const needs = { address, balance: '0', needed: String(DEPOSIT), missing: String(DEPOSIT) }
    await expect(client.register(LIMIT)).rejects.toMatchObject({
      code: 'CLIENT_FUNDS_MISSING',
      data: { address },
    })
    await expect(client.raise(payee(), DEPOSIT + 1n)).rejects.toMatchObject({
      code: 'CLIENT_FUNDS_MISSING',
      data: { asset: 'token', token: dev.network.contracts.token, ...needs },
    })
    expect(client.heard).toEqual([
      { name: 'wallet:empty', code: 'CLIENT_GAS_MISSING' },
      { name: 'channel:opened' },
      { name: 'wallet:empty', code: 'CLIENT_FUNDS_MISSING' },
    ])
    await dev.mint(address, DEPOSIT)
    await client.raise(payee(), DEPOSIT + 1n)
    expect((await client.reconcile()).differences).toEqual([])
  })
})
