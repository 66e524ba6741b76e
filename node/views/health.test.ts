import { errorTable } from '@postrider/protocol/errors'
import { describe, expect, it } from 'vitest'
import { waitingFor } from '../api/health.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createHealthView } from './health.ts'
import { findings, type Snapshot } from './health-rules.ts'
import { createModelChain, FOLLOWING, known, OPERATOR } from './testing/model-chain.ts'

const QUEUE = { waiting: 0, limit: 10, refusal: undefined }
const INGEST = { waiting: 0, limit: 10, dropped: 0, failing: false }

const GOOD: Snapshot = {
  services: { relay: true, store: true, lightpush: true, filter: true },
  host: 'started',
  peers: 3,
  verifier: QUEUE,
  prover: QUEUE,
  ingest: INGEST,
  chain: { ...FOLLOWING, synced: true },
  membership: { known: true, slashed: false },
  gasLow: false,
}

type Change = Partial<Omit<Snapshot, 'chain'>> & { chain?: Partial<Snapshot['chain']> }

const snapshot = ({ chain, ...change }: Change): Snapshot => ({
  ...GOOD,
  ...change,
  chain: { ...GOOD.chain, ...chain },
})

/** What is not ok, as `name state CODE`. */
const troubles = (change: Change) =>
  findings(snapshot(change))
    .filter(({ state }) => state !== 'ok')
    .map(({ name, state, code }) => [name, state, code].filter(Boolean).join(' '))

const isReady = (change: Change) =>
  waitingFor(findings(snapshot(change)).map((finding) => finding as never)).length === 0

const AWAY = { state: 'away', lastError: 'CHAIN_UNREACHABLE' } as const

describe('health rules', () => {
  it('finds nothing wrong with a node that is well', () => {
    expect(troubles({})).toEqual([])
    expect(findings(GOOD).map(({ name }) => name)).toEqual([
      'chain',
      'rln',
      'verifier',
      'relay',
      'store',
      'lightpush',
      'filter',
      'payments',
      'api',
    ])
  })

  it.each<[string, Change, boolean, string[]]>([
    [
      'the members are not read yet',
      { chain: { state: 'syncing', fresh: false, synced: false } },
      false,
      ['chain starting', 'rln starting', 'payments degraded PAYMENT_CHAIN_STALE'],
    ],
    [
      'the chain was never heard',
      { chain: { state: 'starting', fresh: false, synced: false, block: undefined } },
      false,
      ['chain starting', 'rln starting', 'payments degraded PAYMENT_CHAIN_STALE'],
    ],
    [
      'the chain is away from the start',
      { chain: { ...AWAY, fresh: false, synced: false } },
      false,
      ['chain down CHAIN_UNREACHABLE', 'rln starting', 'payments degraded PAYMENT_CHAIN_STALE'],
    ],
    [
      'the chain is away for a moment',
      { chain: AWAY },
      true,
      ['chain degraded CHAIN_UNREACHABLE', 'rln degraded CHAIN_UNREACHABLE'],
    ],
    [
      'the chain is away for too long',
      { chain: { ...AWAY, fresh: false } },
      false,
      [
        'chain down CHAIN_UNREACHABLE',
        'rln degraded CHAIN_UNREACHABLE',
        'payments degraded PAYMENT_CHAIN_STALE',
      ],
    ],
    [
      'the endpoint is stuck',
      { chain: { fresh: false } },
      false,
      ['chain down CHAIN_LAGGING', 'payments degraded PAYMENT_CHAIN_STALE'],
    ],
    ['blocks are undone and read again', { chain: { state: 'syncing' } }, true, ['chain degraded']],
    ['no membership', { membership: undefined }, true, ['rln degraded LIGHT_MEMBERSHIP_MISSING']],
    [
      'slashed',
      { membership: { known: false, slashed: true } },
      true,
      ['rln degraded LIGHT_MEMBERSHIP_MISSING'],
    ],
    [
      'not registered yet',
      { membership: { known: false, slashed: false } },
      true,
      ['rln degraded CHAIN_MEMBER_UNKNOWN'],
    ],
    [
      'the prover died',
      { prover: { ...QUEUE, refusal: 'ZK_WORKER_FAILED' } },
      true,
      ['rln degraded ZK_WORKER_FAILED'],
    ],
    [
      'the verifier died',
      { verifier: { ...QUEUE, refusal: 'ZK_WORKER_FAILED' } },
      false,
      ['verifier down ZK_WORKER_FAILED'],
    ],
    [
      'the verifier has not started',
      { verifier: { ...QUEUE, refusal: 'ZK_STOPPED' } },
      false,
      ['verifier starting ZK_STOPPED'],
    ],
    ['too many proofs', { verifier: { ...QUEUE, waiting: 10 } }, true, ['verifier degraded ZK_QUEUE_FULL']],
    ['alone', { peers: 0 }, true, ['relay degraded RELAY_NO_PEERS']],
    ['the disk is full', { ingest: { ...INGEST, failing: true } }, false, ['store down STORE_UNAVAILABLE']],
    ['the disk is slow', { ingest: { ...INGEST, waiting: 10 } }, true, ['store degraded STORE_OVERLOADED']],
    ['no gas', { gasLow: true }, true, ['payments degraded CHAIN_INSUFFICIENT_GAS_MONEY']],
    [
      'not listening yet',
      { host: 'starting' },
      false,
      ['relay starting', 'store starting', 'lightpush starting', 'filter starting'],
    ],
    [
      'stopping',
      { host: 'stopping' },
      false,
      ['relay stopped', 'store stopped', 'lightpush stopped', 'filter stopped'],
    ],
  ])('%s', (_, change, ready, expected) => {
    expect(troubles(change)).toEqual(expected)
    expect(isReady(change)).toBe(ready)
  })

  it('says nothing of services that are off, and needs no membership without lightpush', () => {
    const off = { relay: false, store: false, lightpush: false, filter: false }
    const found = findings(snapshot({ services: off, ingest: undefined, membership: undefined, peers: 0 }))
    expect(found.map(({ name }) => name)).toEqual(['chain', 'rln', 'verifier', 'payments', 'api'])
    expect(found.every(({ state }) => state === 'ok')).toBe(true)
  })
})

describe('health view', () => {
  function setUp() {
    const { chain, follow } = createModelChain()
    const clock = createManualClock()
    const parts = {
      base: { clock },
      chain,
      config: { services: GOOD.services },
      host: { libp2p: { status: 'started' }, gossip: { getSubscribers: () => ['peer'] } },
      relay: { topics: ['/waku/2/rs/1/0'] },
      verifier: { stats: () => QUEUE },
      store: { ingest: () => INGEST },
      own: undefined,
    }
    const view = createHealthView(parts as never, { operator: known(OPERATOR) })
    const find = (name: string) => view.subsystems().find((subsystem) => subsystem.name === name)
    return { clock, follow, find }
  }

  it('remembers since when a part is in its state, and what to do about it', async () => {
    const { clock, follow, find } = setUp()
    const startMs = clock.nowMs()
    expect(find('chain')).toMatchObject({ state: 'ok', since: startMs, reason: null, code: null, fix: null })
    await clock.advance(5_000)
    follow(AWAY)
    expect(find('chain')).toMatchObject({
      state: 'degraded',
      since: startMs + 5_000,
      code: 'CHAIN_UNREACHABLE',
      reason: errorTable.CHAIN_UNREACHABLE.title,
      fix: errorTable.CHAIN_UNREACHABLE.fix,
    })
    await clock.advance(5_000)
    expect(find('chain')).toMatchObject({ since: startMs + 5_000 })
    follow({ fresh: false })
    expect(find('chain')).toMatchObject({ state: 'down', since: startMs + 10_000 })
  })

  it('knows the members once they were read in this process, not from disk alone', () => {
    const { follow, find } = setUp()
    follow({ ...AWAY, fresh: false })
    expect(find('rln')).toMatchObject({ state: 'starting' })
    follow({ state: 'following', fresh: true })
    expect(find('rln')).toMatchObject({ state: 'degraded', code: 'LIGHT_MEMBERSHIP_MISSING' })
    follow({ ...AWAY, fresh: false })
    expect(find('rln')).toMatchObject({ state: 'degraded', code: 'CHAIN_UNREACHABLE' })
  })
})
