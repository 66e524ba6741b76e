// The way of money through a node that follows the chain itself, while the chain is rewritten and endpoints lie. After
// each, what the client promised, the node's ledger and the contract agree to the last unit.
import type { HDAccount, LocalAccount } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { readChannels } from '../node/chain/channel-reader.ts'
import { createChainClient } from '../node/chain/client.ts'
import { MAX_INCONSISTENT_ANSWERS } from '../node/chain/constants.ts'
import { type DevChain, startDevChain } from '../node/chain/testing/devchain.ts'
import { callAs, provision } from '../node/chain/testing/harness.ts'
import {
  displacedEvents,
  doubledEvents,
  type LyingEndpoint,
  otherFork,
  startLyingEndpoint,
  withoutEvents,
} from '../node/chain/testing/lying-endpoint.ts'
import { systemClock } from '../node/core/clock.ts'
import { silentLogger } from '../node/core/logger.ts'
import { createTempDir } from '../node/core/testing/temp-dir.ts'
import { createPayer, type Payer } from '../node/payments/testing/kit.ts'
import { type FollowingNode, openFollowingNode, payAndUse } from './support/following.ts'
import { PRICE, TICKS, VOUCHER } from './support/settling.ts'

/** What the client promises in `payAndUse`. */
const PROMISED = VOUCHER + 3n * TICKS.value
/** Does not cover it; with the top-up it does. */
const SMALL = 100n
const TOP_UP = 900n

let dev: DevChain
let payerAccount: HDAccount
/** A second endpoint that tells the truth. */
let honest: LyingEndpoint

beforeAll(async () => {
  dev = await startDevChain()
  honest = await startLyingEndpoint(dev.url)
  payerAccount = dev.account(2)
  await provision(dev, payerAccount)
})
afterAll(async () => {
  await honest?.[Symbol.asyncDispose]()
  await dev?.stop()
})

type World = { file: string; account: LocalAccount; payer: Payer }

/** Keys of a node with gas money and of a payer; no channel yet. */
async function createWorld(): Promise<World> {
  const dir = await createTempDir()
  onTestFinished(() => dir.remove())
  const account = privateKeyToAccount(generatePrivateKey())
  await dev.fund(account.address, 10n ** 19n)
  const { paymentChannels: contract, token } = dev.network.contracts
  const domain = { chainId: dev.network.chainId, contract, token }
  const parties = { payee: account.address, payer: payerAccount.address }
  return {
    file: dir.file('node.db'),
    account,
    payer: createPayer(`payer ${account.address}`, { domain, ...parties }),
  }
}

const open = ({ payer: { descriptor } }: World, deposit: bigint) =>
  callAs(dev, payerAccount, 'paymentChannels', 'open', [
    descriptor.payee,
    descriptor.signer,
    descriptor.salt,
    deposit,
  ])
const topUp = ({ payer }: World) =>
  callAs(dev, payerAccount, 'paymentChannels', 'topUp', [payer.channelId, TOP_UP])

async function start(
  world: World,
  options: Partial<Parameters<typeof openFollowingNode>[0]> = {},
): Promise<FollowingNode> {
  const node = await openFollowingNode({ ...world, network: dev.network, ...options })
  let running = true
  const stop = async () => {
    if (running) await node.stop()
    running = false
  }
  onTestFinished(stop)
  return { ...node, stop }
}

/** The contract's own word, by an endpoint that does not lie. */
async function contractSettled({ payer }: World): Promise<bigint | undefined> {
  const client = createChainClient({ clock: systemClock, logger: silentLogger }, { network: dev.network })
  const { channels } = await readChannels(client, [payer.channelId])
  client.stop()
  return channels[0]?.settled
}

async function expectAgreement(node: FollowingNode, world: World): Promise<void> {
  await node.sync()
  expect(await node.figures()).toMatchObject({ paid: PROMISED, spent: 3n * PRICE, settled: PROMISED })
  expect(node.daemon.figures()).toMatchObject({
    earned: PROMISED,
    redeemed: PROMISED,
    pending: 0n,
    lost: 0n,
  })
  expect(await contractSettled(world)).toBe(PROMISED)
  const settled = await node.ledger.redemptions({ limit: 10, states: ['done'] })
  const claims = settled.flatMap(({ items }) => items.filter(({ status }) => status === 'settled'))
  expect(claims.every(({ total }) => total === PROMISED)).toBe(true)
}

/** Goes back to before `change`, and on along another branch. */
async function rewrite(change: () => Promise<void>, then: () => Promise<void>): Promise<void> {
  const fork = await dev.snapshot()
  await change()
  await then()
  await dev.revert(fork)
  await dev.mine(3)
}

describe('a reorganisation removes', () => {
  it('the opening: nothing is served until it is back, and nothing paid is forgotten', async () => {
    const world = await createWorld()
    let node!: FollowingNode
    await rewrite(
      () => open(world, SMALL + TOP_UP),
      async () => {
        node = await start(world)
        await payAndUse(node, 'request')
      },
    )
    await dev.fund(world.account.address, 10n ** 19n)
    await node.sync()
    expect(await node.charge('while it is gone')).toMatchObject({
      ok: false,
      code: 'PAYMENT_EXCEEDS_DEPOSIT',
    })
    expect(await node.figures()).toEqual({ paid: PROMISED, spent: 3n * PRICE, settled: 0n, deposit: 0n })
    expect(await node.daemon.redeem({ force: true })).toBeUndefined()
    await open(world, SMALL + TOP_UP)
    await node.sync()
    await node.redeem()
    await expectAgreement(node, world)
  })

  it('a top-up: no gas is burnt on what is not covered, and it is claimed once it is', async () => {
    const world = await createWorld()
    await open(world, SMALL)
    let node!: FollowingNode
    await rewrite(
      () => topUp(world),
      async () => {
        node = await start(world)
        await payAndUse(node, 'request')
      },
    )
    await node.sync()
    expect(await node.figures()).toEqual({ paid: PROMISED, spent: 3n * PRICE, settled: 0n, deposit: SMALL })
    expect(await node.daemon.redeem({ force: true })).toBeUndefined()
    expect(node.daemon.held(world.payer.channelId)).toBe('retryLater')
    await topUp(world)
    await node.sync()
    await node.redeem()
    await expectAgreement(node, world)
  })

  it('a settlement that the node had counted: it is claimed again, and counted once', async () => {
    const world = await createWorld()
    await open(world, SMALL + TOP_UP)
    let node!: FollowingNode
    await rewrite(
      async () => {
        node = await start(world)
        await payAndUse(node, 'request')
      },
      async () => {
        await node.redeem()
        await expectAgreement(node, world)
      },
    )
    await node.sync()
    expect(await node.figures()).toMatchObject({ settled: 0n })
    expect(node.daemon.figures()).toMatchObject({ pending: PROMISED, redeemed: 0n })
    await node.redeem()
    await expectAgreement(node, world)
  })
})

describe('an endpoint that', () => {
  let endpoint: LyingEndpoint
  beforeAll(async () => {
    endpoint = await startLyingEndpoint(dev.url)
  })
  afterAll(() => endpoint?.[Symbol.asyncDispose]())

  it.each([
    ['tells events twice', doubledEvents],
    ['tells events in two places', displacedEvents],
    ['leaves settlements out', withoutEvents(({ topics }) => topics.length !== 3)],
  ])('%s, all by itself', async (_, lie) => {
    const world = await createWorld()
    await open(world, SMALL + TOP_UP)
    const node = await start(world, { rpcUrls: [endpoint.url] })
    await payAndUse(node, 'request')
    endpoint.tell(lie)
    onTestFinished(() => endpoint.tell(undefined))
    await topUp(world)
    await node.redeem()
    endpoint.tell(undefined)
    await node.stop()
    const again = await start(world, { rpcUrls: [endpoint.url] })
    await again.hold()
    // The third contradiction in a row between its log and the contract makes it read everything again.
    for (let look = 1; look < MAX_INCONSISTENT_ANSWERS; look++) await again.sync().catch(() => undefined)
    await expectAgreement(again, world)
  })

  it('is on another branch than two others is not heard', async () => {
    const world = await createWorld()
    await open(world, SMALL + TOP_UP)
    endpoint.tell(otherFork)
    onTestFinished(() => endpoint.tell(undefined))
    const node = await start(world, { rpcUrls: [endpoint.url, dev.url, honest.url] })
    await payAndUse(node, 'request')
    await node.redeem()
    await expectAgreement(node, world)
    expect(node.client.health()[0]).toMatchObject({ lastError: 'CHAIN_ENDPOINT_SET_ASIDE' })
  })

  it('contradicts the only other one stops new risk at once; vouchers are taken, and settled once they agree', async () => {
    const world = await createWorld()
    await open(world, SMALL + TOP_UP)
    const node = await start(world, { rpcUrls: [endpoint.url, dev.url] })
    await payAndUse(node, 'request')
    endpoint.tell(otherFork)
    onTestFinished(() => endpoint.tell(undefined))
    await dev.mine()
    await expect(node.sync()).rejects.toMatchObject({ code: 'CHAIN_ENDPOINTS_DISAGREE' })
    await expect(node.charge('unpaid')).rejects.toMatchObject({ code: 'PAYMENT_CHAIN_STALE' })
    expect((await node.pay(VOUCHER + 3n * TICKS.value)).record.cumulative).toBe(PROMISED)
    endpoint.tell(undefined)
    await node.sync()
    expect(await node.charge('request 3')).toMatchObject({ ok: true })
    await node.redeem()
    await expectAgreement(node, world)
  })
})

describe('a clock that is an hour', () => {
  const HOUR_MS = 3_600_000

  it.each([
    ['slow', -HOUR_MS],
    ['fast', HOUR_MS],
  ])('%s changes nothing, with one endpoint or several', async (_, clockOffsetMs) => {
    for (const rpcUrls of [[dev.url], [dev.url, honest.url]]) {
      const world = await createWorld()
      await open(world, SMALL + TOP_UP)
      const node = await start(world, { rpcUrls, clockOffsetMs })
      await payAndUse(node, 'request')
      await node.redeem()
      await expectAgreement(node, world)
    }
  })

  it('fast, where blocks are due, stops new risk: the newest block looks old', async () => {
    const world = await createWorld()
    await open(world, SMALL + TOP_UP)
    const node = await start(world, { clockOffsetMs: HOUR_MS, maxHeadAgeSeconds: 300 })
    await node.hold()
    await node.pay(PROMISED)
    await expect(node.charge('unpaid')).rejects.toMatchObject({ code: 'PAYMENT_CHAIN_STALE' })
    expect(await node.figures()).toMatchObject({ paid: PROMISED, spent: 0n })
  })
})

it('a payer asks to close while the node is away: its start claims at once, unasked', async () => {
  const world = await createWorld()
  await open(world, SMALL + TOP_UP)
  const first = await start(world)
  await payAndUse(first, 'request')
  await first.stop()
  await callAs(dev, payerAccount, 'paymentChannels', 'requestClose', [world.payer.descriptor])
  const second = await start(world, { mode: 'auto' })
  await second.hold()
  await second.redeem()
  await expectAgreement(second, world)
  await expect(second.charge('more')).resolves.toMatchObject({ ok: false, code: 'PAYMENT_CHANNEL_CLOSING' })
})
