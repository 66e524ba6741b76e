import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { nodeEvent } from '../api/schemas/events.ts'
import { fakeAction } from '../api/testing/fake-views.ts'
import type { Action, NodeEvent } from '../api/types.ts'
import { silentLogger } from '../core/logger.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import type { AccountRecord, RedemptionRecord } from '../payments/index.ts'
import { buildData, createMember, TOPIC } from '../relay/testing/messages.ts'
import { createMemoryEvidence } from '../relay/testing/ports.ts'
import { EVENT_TICK_MS } from './constants.ts'
import { createEventsView } from './events.ts'
import { createRedemptions } from './redemptions.ts'
import { createModelChain, known, OPERATOR } from './testing/model-chain.ts'
import { paidAccount } from './testing/money.ts'

const REDEMPTION: RedemptionRecord = {
  id: 'r-1',
  state: 'proposed',
  items: [],
  txHash: undefined,
  reason: undefined,
  createdMs: 1,
  updatedMs: 1,
}

/** Listeners of one part. */
function createBell<T>() {
  const listeners = new Set<(value: T) => void>()
  return {
    listeners,
    subscribe(listener: (value: T) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    ring(value: T) {
      for (const listener of listeners) listener(value)
    },
  }
}

function setUp() {
  const { chain, follow } = createModelChain()
  const clock = createManualClock(1_700_000_000_000)
  const libp2p = new EventTarget()
  const payments = createBell<
    { type: 'channel'; account: AccountRecord } | { type: 'redemption'; redemption: RedemptionRecord }
  >()
  const evidence = createBell<bigint>()
  const cases = createMemoryEvidence(clock)
  const verdicts = { accepted: 0, ignored: 0, rejected: 0, breaches: 0, byCode: {} }
  const redemptions = createRedemptions(
    { chain, payments: { redemptions: async () => [], findRedemption: async () => undefined } },
    { operator: known(OPERATOR) },
  )
  const actions = createBell<string>()
  const told = new Map<string, Action>()
  const parts = {
    actions: { subscribe: actions.subscribe },
    base: { clock, logger: silentLogger },
    chain,
    evidence: { subscribe: evidence.subscribe, get: cases.get },
    host: { libp2p, gossip: { getSubscribers: () => [] } },
    keys: { network: { epochSeconds: 10 } },
    own: undefined,
    payments: { subscribe: payments.subscribe },
    relay: { topics: [], stats: () => ({ verdicts, meshPeers: {} }) },
    verifier: { stats: () => ({ waiting: 0, limit: 1 }) },
    startedAtMs: 0,
  }
  const view = createEventsView(parts as never, { redemptions, actions: { get: async (id) => told.get(id) } })
  const events: NodeEvent[] = []
  const stop = view.subscribe((event) => {
    z.encode(nodeEvent, event)
    events.push(event)
  })
  const take = () => events.splice(0)
  return { clock, follow, libp2p, payments, evidence, cases, verdicts, view, stop, take, actions, told }
}

describe('events', () => {
  it('tells of peers at once', () => {
    const { libp2p, take } = setUp()
    libp2p.dispatchEvent(new CustomEvent('peer:connect', { detail: { toString: () => 'p1' } }))
    libp2p.dispatchEvent(new CustomEvent('peer:disconnect', { detail: { toString: () => 'p1' } }))
    expect(take()).toEqual([
      { type: 'peer.connected', data: { peerId: 'p1' } },
      { type: 'peer.disconnected', data: { peerId: 'p1' } },
    ])
  })

  it('tells totals of verdicts once a tick, and nothing when nothing came', async () => {
    const { clock, verdicts, take } = setUp()
    await clock.advance(EVENT_TICK_MS)
    expect(take()).toEqual([])
    for (let message = 0; message < 500; message++) verdicts.accepted++
    verdicts.breaches++
    await clock.advance(EVENT_TICK_MS)
    expect(take()).toEqual([
      { type: 'relay.verdicts', data: { accept: 500, ignore: 0, reject: 0, breach: 1 } },
    ])
  })

  it('tells a channel once a tick, as it is then', async () => {
    const { clock, payments, take } = setUp()
    for (const paid of [1n, 2n, 3n]) payments.ring({ type: 'channel', account: paidAccount(1, paid) })
    payments.ring({ type: 'channel', account: paidAccount(2, 9n, { ticks: 2, tickValue: 5n }) })
    await clock.advance(EVENT_TICK_MS)
    expect(take()).toMatchObject([
      { type: 'channel.updated', data: { paid: 3n, state: 'open' } },
      { type: 'channel.updated', data: { paid: 19n } },
    ])
    await clock.advance(EVENT_TICK_MS)
    expect(take()).toEqual([])
  })

  it('tells redemptions and slashing cases in their order', async () => {
    const { clock, payments, evidence, cases, take } = setUp()
    payments.ring({ type: 'redemption', redemption: REDEMPTION })
    payments.ring({ type: 'redemption', redemption: { ...REDEMPTION, state: 'approved' } })
    const member = createMember(5n)
    const [first, second] = ['a', 'b'].map((text) => buildData({ member, text, nowMs: clock.nowMs() }))
    const { commitment, secret } = member
    await cases.add({ pubsubTopic: TOPIC, first: first!, second: second!, secret, commitment })
    evidence.ring(commitment)
    evidence.ring(99n)
    await clock.advance(0)
    expect(take()).toMatchObject([
      { type: 'redemption.updated', data: { id: 'r-1', state: 'proposed' } },
      { type: 'redemption.updated', data: { id: 'r-1', state: 'approved' } },
      { type: 'slashing.updated', data: { state: 'found', commitment } },
    ])
  })

  it('tells actions, those that are redemptions among them', async () => {
    const { clock, payments, actions, told, take } = setUp()
    told.set('a-1', fakeAction('a-1', { kind: 'stake.exit' }))
    told.set('r-1', fakeAction('r-1', { kind: 'stake.exit' }, { kind: 'rewards.claim' }))
    actions.ring('a-1')
    actions.ring('a-unknown')
    payments.ring({ type: 'redemption', redemption: { ...REDEMPTION, state: 'approved' } })
    await clock.advance(0)
    expect(take().map(({ type, data }) => [type, 'id' in data && data.id])).toEqual([
      ['action.updated', 'a-1'],
      ['redemption.updated', 'r-1'],
      ['action.updated', 'r-1'],
    ])
  })

  it('tells each epoch', async () => {
    const { clock, take } = setUp()
    await clock.advance(10_000)
    expect(take()).toEqual([{ type: 'rln.epoch', data: { number: 170_000_001n, remaining: null } }])
  })

  it('tells the head when it moves, and when the chain goes and comes back', () => {
    const { follow, take } = setUp()
    follow({})
    expect(take()).toEqual([])
    follow({ head: 43, headTimestamp: 43 * 12 })
    follow({ state: 'away' })
    follow({ state: 'away' })
    follow({ state: 'following' })
    expect(take()).toMatchObject([
      { type: 'chain.head', data: { connected: true, head: { number: 43n } } },
      { type: 'chain.head', data: { connected: false } },
      { type: 'chain.head', data: { connected: true } },
    ])
  })

  it('listens to the parts only while somebody listens', () => {
    const { clock, payments, evidence, view, stop } = setUp()
    const second = view.subscribe(() => undefined)
    stop()
    expect(payments.listeners.size).toBeGreaterThan(0)
    second()
    second()
    expect([payments.listeners.size, evidence.listeners.size, clock.pending()]).toEqual([0, 0, 0])
  })
})
