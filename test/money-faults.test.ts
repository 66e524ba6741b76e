// The way of money while the world fails: chain, disk and clock. After each, client, node and contract agree.
import { PostriderError } from '@postrider/protocol/errors'
import type { Hex } from '@postrider/protocol/wire'
import type { HDAccount, LocalAccount } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevChain, startDevChain } from '../node/chain/testing/devchain.ts'
import { callAs, provision } from '../node/chain/testing/harness.ts'
import { startTcpProxy } from '../node/chain/testing/tcp-proxy.ts'
import { createTempDir } from '../node/core/testing/temp-dir.ts'
import { recordPaid } from '../node/payments/account.ts'
import { createPayer, type Payer } from '../node/payments/testing/kit.ts'
import { openSettler, PRICE, playMoney, type Settler, TICKS, VOUCHER } from './support/settling.ts'

const DEPOSIT = 10n ** 18n
const PROMISED = VOUCHER + 3n * TICKS.value

let dev: DevChain
let payerAccount: HDAccount

beforeAll(async () => {
  dev = await startDevChain()
  payerAccount = dev.account(2)
  await provision(dev, payerAccount)
})
afterAll(() => dev?.stop())

type World = { file: string; account: LocalAccount; payer: Payer }

/** A node with gas money and a channel to it. */
async function createWorld(file: string): Promise<World> {
  const account = privateKeyToAccount(generatePrivateKey())
  await dev.fund(account.address, 10n ** 19n)
  const { paymentChannels: contract, token } = dev.network.contracts
  const domain = { chainId: dev.network.chainId, contract, token }
  const parties = { payee: account.address, payer: payerAccount.address }
  const payer = createPayer(`payer ${account.address}`, { domain, ...parties })
  await open(payer)
  return { file, account, payer }
}

const open = ({ descriptor: { payee, signer, salt } }: Payer) =>
  callAs(dev, payerAccount, 'paymentChannels', 'open', [payee, signer, salt, DEPOSIT])

async function expectAgreement(settler: Settler): Promise<void> {
  const account = await settler.account()
  const { spent, settled } = account
  expect({ paid: recordPaid(account), spent, settled }).toEqual({
    paid: PROMISED,
    spent: 3n * PRICE,
    settled: PROMISED,
  })
  expect(settler.daemon.figures()).toMatchObject({ redeemed: PROMISED, pending: 0n, lost: 0n })
}

const quiet = () => undefined

describe('money while', () => {
  it('the endpoint goes away and comes back when a settlement is out', async () => {
    await using dir = await createTempDir()
    await using proxy = await startTcpProxy(dev.port)
    const world = await createWorld(dir.file('node.db'))
    const network = { ...dev.network, rpcUrls: [proxy.url] }
    const reach = (point: string) => {
      if (point !== 'transaction left') return
      proxy.cut()
      setTimeout(() => proxy.restore(), 1_000)
    }
    const settler = await openSettler({ ...world, network, reach })
    await playMoney(settler, world.payer, quiet)
    await expectAgreement(settler)
    await settler.stop()
  })

  it('no block comes for a while', async () => {
    await using dir = await createTempDir()
    const world = await createWorld(dir.file('node.db'))
    await dev.setAutomine(false)
    const first = await openSettler({ ...world, network: dev.network })
    const playing = playMoney(first, world.payer, quiet)
    await untilPooled(world.account.address)
    await dev.setAutomine(true)
    await dev.mine()
    await playing
    await expectAgreement(first)
    await first.stop()
  })

  it('another transaction takes the nonce of the settlement', async () => {
    await using dir = await createTempDir()
    const world = await createWorld(dir.file('node.db'))
    let taken = false
    const reach = async (point: string) => {
      if (point !== 'transaction signed' || taken) return
      taken = true
      await dev.client.sendTransaction({ account: world.account, to: payerAccount.address, value: 1n })
    }
    const settler = await openSettler({ ...world, network: dev.network, reach })
    const { payer } = world
    const playing = playMoney(settler, payer, quiet)
    await playing
    await expectAgreement(settler)
    await settler.stop()
  })

  it('a reorganisation removes the settlement: it is claimed again, and counted once', async () => {
    await using dir = await createTempDir()
    const world = await createWorld(dir.file('node.db'))
    const fork = await dev.snapshot()
    const first = await openSettler({ ...world, network: dev.network })
    await playMoney(first, world.payer, quiet)
    await expectAgreement(first)
    await first.stop()
    await dev.revert(fork)
    await dev.mine(2)

    const second = await openSettler({ ...world, network: dev.network })
    const account = await second.account()
    expect({ paid: recordPaid(account), settled: account.settled }).toEqual({ paid: PROMISED, settled: 0n })
    await second.daemon.redeem({ force: true })
    await second.ended
    await expectAgreement(second)
    await second.stop()
  })

  it('a reorganisation removes the opening: nothing is served until it is back', async () => {
    await using dir = await createTempDir()
    const account = privateKeyToAccount(generatePrivateKey())
    await dev.fund(account.address, 10n ** 19n)
    const fork = await dev.snapshot()
    const world = { ...(await createWorld(dir.file('node.db'))) }
    const settler = await openSettler({ ...world, network: dev.network })
    const { payer } = world
    await settler.book.apply(payer.channelId, () => ({
      type: 'voucher',
      voucher: payer.voucher(VOUCHER, TICKS),
    }))
    await dev.revert(fork)
    await dev.fund(world.account.address, 10n ** 19n)
    await settler.book.refresh(payer.channelId)
    const event = { type: 'charge', requestId: 'r', price: PRICE, epoch: 1n, service: 'query' } as const
    const refused = await settler.book.apply(payer.channelId, () => event)
    expect(refused.effects).toMatchObject([{ type: 'paymentRequired' }])
    await open(payer)
    await settler.book.refresh(payer.channelId)
    await playMoney(settler, payer, quiet)
    await expectAgreement(settler)
    await settler.stop()
  })

  it('the disk is full: nothing is told that is not kept, and it goes on when there is room', async () => {
    await using dir = await createTempDir()
    const world = await createWorld(dir.file('node.db'))
    const settler = await openSettler({
      ...world,
      network: dev.network,
      wrap: (database) => ({ db: database.db, writer: limited(database.writer) }),
    })
    const { payer } = world
    disk.full = true
    const voucher = payer.voucher(VOUCHER, TICKS)
    const refused = settler.book.apply(payer.channelId, () => ({ type: 'voucher', voucher }))
    await expect(refused).rejects.toMatchObject({ code: 'PAYMENT_LEDGER_UNAVAILABLE', retryable: true })
    expect(recordPaid((await settler.ledger.account(payer.channelId))!)).toBe(0n)
    disk.full = false
    await playMoney(settler, payer, quiet)
    await expectAgreement(settler)
    await settler.stop()
  })

  it('the payer asks to close while the node is down: what it owes is claimed at the next start', async () => {
    await using dir = await createTempDir()
    const world = await createWorld(dir.file('node.db'))
    const { payer } = world
    const first = await openSettler({ ...world, network: dev.network })
    const voucher = payer.voucher(PROMISED)
    await first.book.apply(payer.channelId, () => ({ type: 'voucher', voucher }))
    await first.stop()
    await callAs(dev, payerAccount, 'paymentChannels', 'requestClose', [payer.descriptor])
    const second = await openSettler({ ...world, network: dev.network, mode: 'auto' })
    await second.ended
    const account = await second.account()
    expect(account).toMatchObject({ status: 'closing', settled: PROMISED })
    await second.stop()
  })

  it('the clock of the node is an hour off', async () => {
    for (const hours of [-1, 1]) {
      await using dir = await createTempDir()
      const world = await createWorld(dir.file('node.db'))
      const settler = await openSettler({ ...world, network: dev.network, clockOffsetMs: hours * 3_600_000 })
      await playMoney(settler, world.payer, quiet)
      await expectAgreement(settler)
      await settler.stop()
    }
  })
})

const disk = { full: false }

type Writer = Parameters<NonNullable<Parameters<typeof openSettler>[0]['wrap']>>[0]['writer']

/** Injected at the port of the database; a disk that is really full is in node/payments/crash.test.ts. */
function limited(writer: Writer): Writer {
  return {
    ...writer,
    async write(statements) {
      if (disk.full) throw new PostriderError('CORE_DB_FAILED', { detail: 'SQLITE_FULL' })
      return writer.write(statements)
    },
  }
}

async function untilPooled(sender: Hex): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const [latest, pending] = await Promise.all(
      (['latest', 'pending'] as const).map((blockTag) =>
        dev.client.getTransactionCount({ address: sender, blockTag }),
      ),
    )
    if ((pending ?? 0) > (latest ?? 0)) return
    await new Promise((wake) => setTimeout(wake, 25))
  }
  throw new TypeError(`no transaction of ${sender}`)
}
