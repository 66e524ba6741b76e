// Endpoints that lie or lag, each a relay in front of one real chain.
import { paymentChannelsAbi } from '@postrider/contracts'
import { identityFromSecret } from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import { encodeEventTopics, type HDAccount } from 'viem'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Clock, systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { createChannelReader } from './channel-reader.ts'
import { createChainClient } from './client.ts'
import { AUDIT_INTERVAL_MS } from './constants.ts'
import type { ChainOptions } from './index.ts'
import { type DevChain, startDevChain } from './testing/devchain.ts'
import { type ChainHarness, callAs, provision, startChain } from './testing/harness.ts'
import {
  displacedEvents,
  doubledEvents,
  frozenContract,
  type Lie,
  type LyingEndpoint,
  otherFork,
  shiftedHead,
  shiftedTime,
  startLyingEndpoint,
  stuckHead,
  withoutEvents,
} from './testing/lying-endpoint.ts'

const CONFIRMATIONS = 1
const EVERYTHING_LOST = withoutEvents(() => false)

let dev: DevChain
let node: HDAccount
let other: HDAccount
let endpoints: LyingEndpoint[]
let secret = 1n
let channels = 0

beforeAll(async () => {
  dev = await startDevChain()
  node = dev.account(1)
  other = dev.account(2)
  await provision(dev, other)
  // Deep enough for an endpoint to lag far behind.
  await dev.mine(40)
  endpoints = await Promise.all([1, 2, 3].map(() => startLyingEndpoint(dev.url)))
})
afterAll(async () => {
  for (const endpoint of endpoints ?? []) await endpoint[Symbol.asyncDispose]()
  await dev?.stop()
})

/** A node behind the first endpoints, which looks when it is told to. */
async function start(
  count: number,
  options: Partial<ChainOptions> = {},
  clock: Clock = systemClock,
): Promise<ChainHarness> {
  const dir = await createTempDir()
  const used = endpoints.slice(0, count)
  const rpcUrls = used.map(({ url }) => url)
  const never = 3_600_000
  const settings = { rpcUrls, confirmations: CONFIRMATIONS, pollMs: never, ...options }
  const chain = await startChain(dev, dir.file('node.db'), node, settings, clock)
  onTestFinished(async () => {
    for (const endpoint of used) endpoint.tell(undefined)
    await chain.stop()
    await dir.remove()
  })
  return chain
}

const register = () =>
  callAs(dev, other, 'rlnMembership', 'register', [
    identityFromSecret(secret++).commitment,
    10,
    other.address,
  ])

const saltOf = (at: number) => `0x${at.toString(16).padStart(64, '0')}` as Hex

async function openChannel(): Promise<Hex> {
  const salt = saltOf(++channels)
  await callAs(dev, other, 'paymentChannels', 'open', [node.address, other.address, salt, 100n])
  const opened = await dev.client.getLogs({ address: dev.network.contracts.paymentChannels })
  return opened[0]?.topics[1] as Hex
}

const memberCount = async () => {
  const reader = await start(0, { rpcUrls: [dev.url], confirmations: 0 })
  await reader.sync()
  return reader.membership.size()
}

describe('of three endpoints', () => {
  it.each<[string, Lie, string]>([
    ['claims a newer block than there is', shiftedHead(50), 'ahead'],
    ['lags', shiftedHead(-30), 'behind'],
    ['is on another branch', otherFork, 'forked'],
    ['dates its blocks an hour back', shiftedTime(-3_600), 'forked'],
  ])('the one that %s is set aside, and used again once it agrees', async (_, lie) => {
    const chain = await start(3)
    const [first] = endpoints as [LyingEndpoint]
    const used = () => first.asked.get('eth_getLogs') ?? 0
    first.tell(lie)
    await register()
    await dev.mine()
    await chain.sync()
    expect(chain.follower.status()).toMatchObject({ state: 'following', fresh: true })
    expect(chain.membership.size()).toBe(await memberCount())
    const [health, ...rest] = chain.client.health()
    expect(health).toMatchObject({ state: 'failing', lastError: 'CHAIN_ENDPOINT_SET_ASIDE' })
    expect(rest.map(({ lastError }) => lastError)).toEqual([undefined, undefined])
    const before = used()
    await dev.mine()
    await chain.sync()
    expect(used()).toBe(before)

    first.tell(undefined)
    await dev.mine()
    await chain.sync()
    expect(chain.client.health()[0]).toMatchObject({ state: 'ok', lastError: undefined })
    expect(used()).toBeGreaterThan(before)
  })
})

describe('two endpoints on two branches', () => {
  it('are both not believed: no new risk, no answer, until they agree', async () => {
    const chain = await start(2)
    await chain.sync()
    const { membership, escrow, follower, client } = chain
    const size = membership.size()
    endpoints[1]?.tell(otherFork)
    await register()
    await dev.mine()
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_ENDPOINTS_DISAGREE' })
    expect(follower.status()).toMatchObject({
      state: 'away',
      fresh: false,
      lastError: 'CHAIN_ENDPOINTS_DISAGREE',
    })
    expect(escrow.isFresh()).toBe(false)
    await expect(chain.sender.balance()).rejects.toMatchObject({ code: 'CHAIN_ENDPOINTS_DISAGREE' })
    // What was known before is still served.
    expect(membership.size()).toBe(size)
    expect(membership.isKnown(membership.root())).toBe(true)

    endpoints[1]?.tell(undefined)
    await chain.sync()
    expect(escrow.isFresh()).toBe(true)
    expect(membership.size()).toBe(size + 1)
    expect(client.health().map(({ lastError }) => lastError)).toEqual([undefined, undefined])
  })

  it('one of which is listed twice is no majority', async () => {
    const [liar, honest] = endpoints as [LyingEndpoint, LyingEndpoint]
    const chain = await start(2, { rpcUrls: [liar.url, `${liar.url}/`, honest.url] })
    liar.tell(otherFork)
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_ENDPOINTS_DISAGREE' })
    expect(chain.client.health()).toHaveLength(2)
  })

  it('a lie is not believed when the honest one is cut off', async () => {
    const chain = await start(3)
    const [liar, ...honest] = endpoints as [LyingEndpoint, LyingEndpoint, LyingEndpoint]
    liar.tell(otherFork)
    await chain.sync()
    for (const endpoint of honest) {
      endpoint.tell(() => {
        throw new TypeError('down')
      })
    }
    await dev.mine()
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_RPC_FAILED' })
    expect(chain.client.health()[0]).toMatchObject({ lastError: 'CHAIN_ENDPOINT_SET_ASIDE' })
  })
})

describe('of two endpoints', () => {
  it.each<[string, Lie]>([
    ['leaves events out', EVERYTHING_LOST],
    ['tells events in two places', displacedEvents],
  ])('the one that %s is passed over', async (_, lie) => {
    const chain = await start(2)
    const id = await openChannel()
    await register()
    await dev.mine()
    await chain.sync()
    expect(chain.channels.channel(id)).toMatchObject({ deposit: 100n })
    endpoints[0]?.tell(lie)
    await callAs(dev, other, 'paymentChannels', 'topUp', [id, 5n])
    await register()
    await dev.mine()
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_LOGS_INCONSISTENT' })
    await chain.sync()
    expect(chain.client.health()[0]).toMatchObject({
      state: 'failing',
      lastError: 'CHAIN_LOGS_INCONSISTENT',
    })
    expect(chain.membership.size()).toBe(await memberCount())
    expect(chain.channels.channel(id)).toMatchObject({ deposit: 105n })
  })
})

describe('a first endpoint that hides a closing, and says of the contract what it said before,', () => {
  /** A channel whose payer is leaving, which the first endpoint hides. */
  async function hideClosing(count: number) {
    let shiftMs = 0
    const chain = await start(count, {}, { ...systemClock, nowMs: () => systemClock.nowMs() + shiftMs })
    await chain.sync()
    const id = await openChannel()
    await dev.mine()
    const [closeRequested] = encodeEventTopics({ abi: paymentChannelsAbi, eventName: 'CloseRequested' })
    endpoints[0]?.tell(frozenContract(closeRequested))
    shiftMs += AUDIT_INTERVAL_MS
    await chain.sync()
    const payerLeaves = {
      payer: other.address,
      payee: node.address,
      signer: other.address,
      salt: saltOf(channels),
    }
    await callAs(dev, other, 'paymentChannels', 'requestClose', [payerLeaves])
    await dev.mine()
    await chain.sync()
    expect(chain.channels.channel(id)).toMatchObject({ status: 'open' })
    shiftMs += AUDIT_INTERVAL_MS
    return { chain, status: () => chain.channels.channel(id)?.status }
  }

  it('is found out by two others, and its events are read from another one', async () => {
    const { chain, status } = await hideClosing(3)
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_LOGS_INCONSISTENT' })
    expect(chain.escrow.isFresh()).toBe(false)
    await chain.sync()
    expect(status()).toBe('closing')
    expect(chain.escrow.isFresh()).toBe(true)
  })

  it('is contradicted by the only other: no new risk until they agree', async () => {
    const { chain, status } = await hideClosing(2)
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_ENDPOINTS_DISAGREE' })
    expect(chain.escrow.isFresh()).toBe(false)
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_ENDPOINTS_DISAGREE' })
    endpoints[0]?.tell(undefined)
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_LOGS_INCONSISTENT' })
    await chain.sync()
    expect(status()).toBe('closing')
    expect(chain.escrow.isFresh()).toBe(true)
  })
})

describe('a reader of channels that follows nothing', () => {
  const forgetful: Lie = (result, { method }) =>
    method === 'eth_call' ? `0x${'0'.repeat((result as string).length - 2)}` : result
  const reader = (count: number) => {
    const base = { clock: systemClock, logger: silentLogger, metrics: createMetrics() }
    const rpcUrls = endpoints.slice(0, count).map(({ url }) => url)
    const client = createChainClient(base, { network: dev.network, rpcUrls })
    onTestFinished(() => {
      for (const endpoint of endpoints) endpoint.tell(undefined)
      client.stop()
    })
    return createChannelReader({ ...base, client }, { confirmations: CONFIRMATIONS })
  }

  it('hears the endpoints that agree, and the first when none do', async () => {
    const id = await openChannel()
    await dev.mine()
    const [first, second] = endpoints as [LyingEndpoint, LyingEndpoint]
    first.tell((result, request) => forgetful(otherFork(result, request), request))
    const [three, two] = [reader(3), reader(2)]
    expect((await three([id])).channels).toMatchObject([{ status: 'open' }])
    first.tell(undefined)
    second.tell(otherFork)
    expect((await two([id])).channels).toMatchObject([{ status: 'open' }])
  })

  it('does not believe one that contradicts two others about the contract', async () => {
    const id = await openChannel()
    await dev.mine()
    endpoints[0]?.tell(forgetful)
    expect((await reader(3)([id])).channels).toMatchObject([{ status: 'open' }])
  })

  it('does not read at an old block that one calls the newest after the endpoints were compared', async () => {
    const id = await openChannel()
    await dev.mine(2)
    let compared = false
    endpoints[0]?.tell((result, request) => {
      const { method, params } = request
      if (method !== 'eth_getBlockByNumber' || params[0] !== 'latest') return result
      const told = compared ? shiftedHead(-3)(result, request) : result
      compared = true
      return told
    })
    expect((await reader(3)([id])).channels).toMatchObject([{ status: 'open' }])
  })
})

describe('a single endpoint', () => {
  it('whose height goes far back on the same chain is not good enough for money', async () => {
    const stuck = stuckHead()
    const chain = await start(1)
    endpoints[0]?.tell(stuck)
    await chain.sync()
    endpoints[0]?.tell(undefined)
    for (let block = 0; block < 30; block++) await dev.mine()
    await chain.sync()
    expect(chain.escrow.isFresh()).toBe(true)
    endpoints[0]?.tell(stuck)
    await chain.sync()
    expect(chain.follower.status()).toMatchObject({ fresh: false, lastError: 'CHAIN_LAGGING' })
    endpoints[0]?.tell(undefined)
    await dev.mine()
    await chain.sync()
    expect(chain.follower.status()).toMatchObject({ fresh: true, lastError: undefined })
  })

  it('whose time goes back contradicts itself', async () => {
    const chain = await start(1)
    await chain.sync()
    endpoints[0]?.tell(shiftedTime(-3_600))
    await dev.mine()
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_LOGS_INCONSISTENT' })
  })

  it('that tells events twice tells nothing new', async () => {
    endpoints[0]?.tell(doubledEvents)
    const chain = await start(1)
    const id = await openChannel()
    await register()
    await dev.mine()
    await chain.sync()
    expect(chain.channels.channel(id)).toMatchObject({ deposit: 100n })
    expect(chain.membership.size()).toBe(await memberCount())
  })

  it('that forgets a top-up is found out by the contract', async () => {
    const id = await openChannel()
    await callAs(dev, other, 'paymentChannels', 'topUp', [id, 5n])
    await dev.mine()
    endpoints[0]?.tell(withoutEvents(({ topics }) => topics[1] !== id || topics.length === 4))
    const chain = await start(1)
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_LOGS_INCONSISTENT' })
    expect(chain.channels.channel(id)).toBeUndefined()
    endpoints[0]?.tell(undefined)
    await chain.sync()
    expect(chain.channels.channel(id)).toMatchObject({ deposit: 105n })
  })

  it('that invents a deposit is found out before it is relied on', async () => {
    const chain = await start(1)
    const id = await openChannel()
    await dev.mine()
    endpoints[0]?.tell((result, { method }) =>
      method === 'eth_getLogs'
        ? (result as { topics: string[]; data: string }[]).map((log) =>
            log.topics[1] === id ? { ...log, data: `${log.data.slice(0, -2)}ff` } : log,
          )
        : result,
    )
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_LOGS_INCONSISTENT' })
    expect(chain.channels.channel(id)).toBeUndefined()
  })
})
