import { PostriderError } from '@postrider/protocol/errors'
import { createMembershipTree } from '@postrider/protocol/rln'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../core/db/index.ts'
import { silentLogger } from '../core/logger.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { createChainSync } from './chain-sync.ts'
import { createChannels } from './channels.ts'
import { POLL_BACK_OFF_MS, REORG_WINDOW_BLOCKS } from './constants.ts'
import { createFollower, maxHeadAgeMs } from './follower.ts'
import { createDbLogStore } from './log-store.ts'
import { createMembership } from './membership.ts'
import { createMemoryLogStore } from './testing/memory-log-store.ts'
import { createModelChain, type ModelAction, type ModelChain } from './testing/model-chain.ts'
import type { ChainLogStore, ChainSource } from './types.ts'

const signal = new AbortController().signal

/** Hashing that is quick and still depends on everything. */
const createTree = () =>
  createMembershipTree({ hash: (a, b) => (a * 1_000_003n + b * 7_919n + 17n) % (2n ** 61n - 1n) })

function createViews(
  chain: ModelChain,
  options: { confirmations?: number; store?: ChainLogStore; source?: ChainSource } = {},
) {
  const { confirmations = 2, store = createMemoryLogStore(), source = chain.source } = options
  const clock = createManualClock()
  const membership = createMembership({ createTree, contractState: async (block) => chain.state(block) })
  const channels = createChannels()
  const projections = [membership.projection, channels.projection]
  const sync = createChainSync(
    { clock, logger: silentLogger, source, store, projections },
    { fingerprint: 'model', deployBlock: 0, confirmations, maxBlockRange: 5 },
  )
  const state = () => ({
    root: membership.view.root(),
    accumulator: membership.view.accumulator(),
    size: membership.view.size(),
    channels: [...channels.view.all()],
    block: sync.state().block,
  })
  return { clock, sync, membership: membership.view, channels: channels.view, state }
}

async function poll(views: ReturnType<typeof createViews>): Promise<boolean> {
  return views.sync.poll(signal).then(
    () => true,
    () => false,
  )
}

/** What a follower sees that reads the chain as it is, at once. */
async function freshState(chain: ModelChain, confirmations = 2) {
  const views = createViews(chain, { confirmations })
  await views.sync.load()
  await views.sync.poll(signal)
  return views.state()
}

const actions: fc.Arbitrary<ModelAction[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('register' as const), commitment: fc.bigInt({ min: 1n, max: 2n ** 60n }) }),
    fc.record({ type: fc.constant('erase' as const), index: fc.nat(9) }),
    fc.record({
      type: fc.constant('open' as const),
      channel: fc.nat(2),
      deposit: fc.bigInt({ min: 1n, max: 99n }),
    }),
    fc.record({
      type: fc.constant('topUp' as const),
      channel: fc.nat(2),
      deposit: fc.bigInt({ min: 1n, max: 999n }),
    }),
    fc.record({
      type: fc.constant('settle' as const),
      channel: fc.nat(2),
      settled: fc.bigInt({ min: 1n, max: 9n }),
    }),
    fc.record({ type: fc.constant('requestClose' as const), channel: fc.nat(2) }),
  ),
  { maxLength: 4 },
)

type Step =
  | { do: 'mine'; actions: ModelAction[] }
  | { do: 'reorganise'; depth: number; extra: number; actions: ModelAction[] }
  | { do: 'poll'; follower: number; failAt: number; changeAt: number; depth: number }
  | { do: 'restart'; follower: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('mine' as const), actions }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('reorganise' as const),
        depth: fc.integer({ min: 1, max: 9 }),
        extra: fc.integer({ min: 0, max: 2 }),
        actions,
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('poll' as const),
        follower: fc.nat(1),
        // Number of the request at which the endpoint fails, or the chain is reorganised; most polls go well.
        failAt: fc.oneof(fc.constant(99), fc.nat(9)),
        changeAt: fc.oneof(fc.constant(99), fc.nat(9)),
        depth: fc.integer({ min: 1, max: 6 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), follower: fc.nat(1) }) },
  ),
  { maxLength: 40 },
)

describe('chain sync', () => {
  it('gives followers of one final chain the same views, whatever came between', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const chain = createModelChain()
        const stores = [createMemoryLogStore(), createMemoryLogStore()]
        const followers = stores.map((store) => createViews(chain, { store }))
        for (const views of followers) await views.sync.load()
        for (const step of script) await play(chain, stores, followers, step)
        chain.beforeRequest = undefined
        for (let index = 0; index < 4; index++) chain.mine([])
        const expected = await freshState(chain)
        for (const views of followers) {
          expect(await poll(views)).toBe(true)
          expect(views.state()).toEqual(expected)
        }
      }),
      { numRuns: 600 },
    )
  })

  it('keeps the same window of roots after a reorganisation as a follower that never saw it', async () => {
    const chain = createModelChain()
    const views = createViews(chain, { confirmations: 0 })
    await views.sync.load()
    const roots: bigint[] = []
    for (let commitment = 1n; commitment <= 60n; commitment++) {
      chain.mine([{ type: 'register', commitment }])
      await poll(views)
      roots.push(views.membership.root())
    }
    chain.reorganise(10, 1, [{ type: 'register', commitment: 99n }])
    await poll(views)
    const fresh = createViews(chain, { confirmations: 0 })
    await fresh.sync.load()
    await poll(fresh)
    for (const root of [...roots, views.membership.root()]) {
      expect(views.membership.isKnown(root)).toBe(fresh.membership.isKnown(root))
    }
    expect(views.membership.isKnown(roots[59]!)).toBe(false)
    expect(views.membership.isKnown(roots[49]!)).toBe(true)
  })

  it('accepts 50 roots, each for a while after it was replaced', async () => {
    const chain = createModelChain()
    const views = createViews(chain, { confirmations: 0 })
    await views.sync.load()
    chain.mine([{ type: 'register', commitment: 1n }])
    await poll(views)
    const first = views.membership.root()
    for (let block = 0; block < 40; block++) chain.mine([])
    await poll(views)
    expect(views.membership.isKnown(first)).toBe(true)
    chain.mine([{ type: 'register', commitment: 2n }])
    for (let block = 0; block < 25; block++) chain.mine([]) // 300 s
    await poll(views)
    expect(views.membership.isKnown(first)).toBe(true)
    chain.mine([])
    await poll(views)
    expect(views.membership.isKnown(first)).toBe(false)
    chain.mine([{ type: 'erase', index: 1 }])
    await poll(views)
    expect(views.membership.root()).toBe(first)
    expect(views.membership.isKnown(first)).toBe(true)
  })

  it('serves paths of members only', async () => {
    const chain = createModelChain()
    const views = createViews(chain, { confirmations: 0 })
    await views.sync.load()
    chain.mine([
      { type: 'register', commitment: 7n },
      { type: 'register', commitment: 8n },
    ])
    await poll(views)
    expect(views.membership.path(8n)).toMatchObject({ index: 1, limit: 5, root: views.membership.root() })
    chain.mine([{ type: 'erase', index: 1 }])
    await poll(views)
    expect(views.membership.member(8n)).toBeUndefined()
    expect(() => views.membership.path(8n)).toThrowError(/no such member/)
  })

  it('notices missing and doubled events and asks again', async () => {
    const chain = createModelChain()
    let tamper: ChainSource['events'] | undefined
    const source = {
      ...chain.source,
      events: (from: number, to: number) => (tamper ?? chain.source.events)(from, to),
    }
    const views = createViews(chain, { source, confirmations: 0 })
    await views.sync.load()
    chain.mine([
      { type: 'register', commitment: 1n },
      { type: 'register', commitment: 2n },
    ])
    tamper = async (from, to) => (await chain.source.events(from, to)).slice(1)
    expect(await poll(views)).toBe(false)
    tamper = async (from, to) =>
      (await chain.source.events(from, to)).map((e) => ({ ...e, blockNumber: to + 1 }))
    expect(await poll(views)).toBe(false)
    tamper = async (from, to) => {
      const events = await chain.source.events(from, to)
      return [...events, ...events]
    }
    expect(await poll(views)).toBe(true)
    expect(views.membership.size()).toBe(2)
  })

  it('shows a request to close before it is confirmed, money only after', async () => {
    const chain = createModelChain()
    const views = createViews(chain, { confirmations: 2 })
    await views.sync.load()
    chain.mine([{ type: 'open', channel: 1, deposit: 10n }])
    await poll(views)
    expect(views.channels.all().size).toBe(0)
    chain.mine([])
    chain.mine([])
    await poll(views)
    const [id] = [...views.channels.all().keys()]
    const changes: string[] = []
    views.channels.subscribe((changed) => changes.push(changed))
    chain.mine([
      { type: 'topUp', channel: 1, deposit: 30n },
      { type: 'requestClose', channel: 1 },
    ])
    await poll(views)
    expect(views.channels.channel(id!)).toMatchObject({
      status: 'closing',
      deposit: 10n,
      closeAt: 1_700_000_999,
    })
    chain.reorganise(1, 1, [])
    await poll(views)
    expect(views.channels.channel(id!)).toMatchObject({ status: 'open', deposit: 10n, closeAt: 0 })
    expect(changes).toEqual([id, id])
  })

  it('reads everything again when no remembered block is left', async () => {
    const chain = createModelChain()
    const views = createViews(chain, { confirmations: 0 })
    await views.sync.load()
    chain.mine([{ type: 'register', commitment: 1n }])
    for (let block = 0; block < REORG_WINDOW_BLOCKS + 20; block++) chain.mine([])
    await poll(views)
    chain.reorganise(REORG_WINDOW_BLOCKS + 21, 1, [{ type: 'register', commitment: 2n }])
    expect(await poll(views)).toBe(true)
    expect(views.membership.member(1n)).toBeUndefined()
    expect(views.state()).toEqual(await freshState(chain, 0))
  })

  it('continues from disk without reading the chain again', async () => {
    await using dir = await createTempDir()
    const database = await openDatabase(dir.file('node.db'))
    const chain = createModelChain()
    for (let commitment = 1n; commitment <= 30n; commitment++) chain.mine([{ type: 'register', commitment }])
    chain.mine([{ type: 'open', channel: 0, deposit: 5n }])
    const first = createViews(chain, { store: createDbLogStore(database.db), confirmations: 0 })
    await first.sync.load()
    await first.sync.poll(signal)

    const asked: number[] = []
    const source = {
      ...chain.source,
      events: (from: number, to: number) => {
        asked.push(from)
        return chain.source.events(from, to)
      },
    }
    const second = createViews(chain, { store: createDbLogStore(database.db), confirmations: 0, source })
    await second.sync.load()
    expect(second.state()).toEqual(first.state())
    await second.sync.poll(signal)
    expect(asked).toEqual([])
    chain.reorganise(8, 1, [{ type: 'register', commitment: 77n }])
    await second.sync.poll(signal)
    expect(second.state()).toEqual(await freshState(chain, 0))
    await database.close()
  })

  it('does not use the log of another network', async () => {
    const store = createMemoryLogStore()
    const chain = createModelChain()
    chain.mine([{ type: 'register', commitment: 1n }])
    const views = createViews(chain, { store, confirmations: 0 })
    await views.sync.load()
    await poll(views)
    expect(await store.load('other')).toBeUndefined()
    await store.truncate('other', 4)
    expect(await store.load('other')).toEqual({ nextBlock: 4, checkpoints: [], events: [] })
    expect(await store.load('model')).toBeUndefined()
  })
})

async function play(
  chain: ModelChain,
  stores: ChainLogStore[],
  followers: ReturnType<typeof createViews>[],
  step: Step,
): Promise<void> {
  if (step.do === 'mine') return chain.mine(step.actions)
  if (step.do === 'reorganise') return chain.reorganise(step.depth, step.extra, step.actions)
  if (step.do === 'restart') {
    const views = createViews(chain, { store: stores[step.follower]! })
    await views.sync.load()
    followers[step.follower] = views
    return
  }
  let request = 0
  chain.beforeRequest = () => {
    const now = request++
    if (now === step.changeAt) chain.reorganise(step.depth, 1, [{ type: 'register', commitment: 5n }])
    if (now === step.failAt) throw new PostriderError('CHAIN_UNREACHABLE')
  }
  await poll(followers[step.follower]!)
  chain.beforeRequest = undefined
}

describe('follower', () => {
  const options = { pollMs: 1_000, lagMs: 30_000, maxHeadAgeMs: 0 }

  it('says so when the chain is away, tries again with growing pauses, and comes back', async () => {
    const chain = createModelChain()
    const views = createViews(chain, { confirmations: 0 })
    const { clock } = views
    const follower = createFollower({ clock, logger: silentLogger, sync: views.sync }, options)
    let requests = 0
    let down = true
    chain.beforeRequest = () => {
      requests++
      if (down) throw new PostriderError('CHAIN_UNREACHABLE')
    }
    await follower.start()
    await clock.advance(0)
    expect(follower.status()).toMatchObject({ state: 'away', fresh: false, lastError: 'CHAIN_UNREACHABLE' })
    await clock.advance(POLL_BACK_OFF_MS * (1 + 2 + 4))
    expect(requests).toBe(4)
    down = false
    await clock.advance(60_000)
    expect(follower.status()).toMatchObject({
      state: 'following',
      fresh: true,
      block: 0,
      lastError: undefined,
    })
    down = true
    await clock.advance(29_000)
    expect(follower.status()).toMatchObject({ state: 'away', fresh: true })
    await clock.advance(3_000)
    expect(follower.status()).toMatchObject({ state: 'away', fresh: false })
    await follower.stop()
    expect(clock.pending()).toBe(0)
  })

  it('reads everything again after contradicting itself three times', async () => {
    const chain = createModelChain()
    const views = createViews(chain, { confirmations: 0 })
    const follower = createFollower({ clock: views.clock, logger: silentLogger, sync: views.sync }, options)
    chain.mine([{ type: 'register', commitment: 1n }])
    const { events } = chain.source
    chain.source.events = async () => []
    await follower.start()
    await views.clock.advance(0)
    expect(follower.status().lastError).toBe('CHAIN_LOGS_INCONSISTENT')
    chain.source.events = events
    await views.clock.advance(60_000)
    expect(follower.status().state).toBe('following')
    expect(views.membership.size()).toBe(1)
    await follower.stop()
  })

  it('takes an endpoint that is stuck at an old block for stale, if blocks are due', async () => {
    const chain = createModelChain()
    const views = createViews(chain, { confirmations: 0 })
    const components = { clock: views.clock, logger: silentLogger, sync: views.sync }
    const follower = createFollower(components, { ...options, maxHeadAgeMs: 60_000 })
    await follower.start()
    await views.clock.advance(0)
    expect(follower.status().fresh).toBe(true)
    await views.clock.advance(120_000)
    expect(follower.status()).toMatchObject({ state: 'following', fresh: false })
    await follower.stop()
  })

  it('expects blocks on a public chain unless told otherwise', () => {
    expect(maxHeadAgeMs(1, undefined)).toBe(300_000)
    expect(maxHeadAgeMs(31_337, undefined)).toBe(0)
    expect(maxHeadAgeMs(1, 0)).toBe(0)
    expect(maxHeadAgeMs(31_337, 60)).toBe(60_000)
  })

  it('stops at once although a request never ends', async () => {
    const chain = createModelChain()
    chain.source.head = () => new Promise(() => undefined)
    const views = createViews(chain)
    const follower = createFollower({ clock: views.clock, logger: silentLogger, sync: views.sync }, options)
    await follower.start()
    await follower.stop()
    expect(follower.status().state).toBe('starting')
  })
})
