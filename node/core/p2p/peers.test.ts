import { describe, expect, it } from 'vitest'
import { silentLogger } from '../logger.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { createSeededRandom } from '../testing/seeded-random.ts'
import {
  MAX_KEEPER_DIALS,
  MAX_KEPT_PEERS,
  MAX_PEER_TARGETS,
  REDIAL_MAX_MS,
  REDIAL_MIN_MS,
} from './constants.ts'
import { createPeerKeeper, redialDelayMs } from './peers.ts'

function setUp(reachable: (address: string) => boolean, seed = 'peers') {
  const clock = createManualClock()
  const connected = new Set<string>()
  const dials: string[] = []
  const keeper = createPeerKeeper({
    async dial(address) {
      dials.push(address)
      if (!reachable(address)) throw new TypeError('unreachable')
      connected.add(address)
    },
    connected: (address) => connected.has(address),
    clock,
    random: createSeededRandom(seed),
    logger: silentLogger,
  })
  return { clock, keeper, connected, dials }
}

describe('peer keeper', () => {
  it('connects to its targets and again when a connection is lost', async () => {
    const { clock, keeper, connected, dials } = setUp(() => true)
    keeper.setTargets('bootstrap', ['a', 'b'])
    keeper.start()
    await clock.advance(1_000)
    expect([...dials].sort()).toEqual(['a', 'b'])
    connected.delete('a')
    await clock.advance(1_000)
    expect(dials.slice(2)).toEqual(['a'])
    keeper.stop()
    connected.clear()
    await clock.advance(10_000)
    expect(dials).toHaveLength(3)
  })

  it('backs off from a peer that does not answer, and forgets that when it does', async () => {
    let up = false
    const { clock, keeper, connected, dials } = setUp(() => up)
    keeper.setTargets('bootstrap', ['a'])
    keeper.start()
    await clock.advance(60_000)
    expect(dials.length).toBeGreaterThan(3)
    expect(dials.length).toBeLessThan(9)
    up = true
    await clock.advance(REDIAL_MAX_MS * 1.25)
    expect(connected.has('a')).toBe(true)
    const before = dials.length
    connected.delete('a')
    await clock.advance(2_000)
    expect(dials.length).toBe(before + 1)
    keeper.stop()
  })

  it('keeps the targets of other sources, and drops those that are gone', () => {
    const { keeper } = setUp(() => true)
    keeper.setTargets('bootstrap', ['a'])
    keeper.setTargets('registry', ['b', 'c'])
    keeper.setTargets('registry', ['c'])
    expect(keeper.targets()).toEqual(['a', 'c'])
  })

  it('chooses among many as chance has it, each node other ones, and does not change its mind', async () => {
    const addresses = Array.from({ length: MAX_PEER_TARGETS + 50 }, (_, i) => `peer${i}`)
    const chosen = await Promise.all(
      ['one', 'two'].map(async (seed) => {
        const { clock, keeper, connected } = setUp(() => true, seed)
        keeper.setTargets('bootstrap', ['boot'])
        keeper.setTargets('registry', addresses)
        keeper.start()
        await clock.advance(30_000)
        const before = keeper.targets()
        keeper.setTargets('registry', [...addresses].reverse())
        expect(new Set(keeper.targets())).toEqual(new Set(before))
        keeper.stop()
        return connected
      }),
    )
    const [one = new Set(), two = new Set()] = chosen
    expect([one.has('boot'), two.has('boot')]).toEqual([true, true])
    expect([...one].filter((address) => two.has(address)).length).toBeLessThan(MAX_KEPT_PEERS / 2)
  })

  it('stays within its limits whatever the registry says', async () => {
    const never = Promise.withResolvers<void>()
    const addresses = Array.from({ length: MAX_PEER_TARGETS + 50 }, (_, i) => `peer${i}`)
    let under = 0
    const clock = createManualClock()
    const keeper = createPeerKeeper({
      dial() {
        under++
        return never.promise
      },
      connected: () => false,
      clock,
      random: createSeededRandom('peers'),
      logger: silentLogger,
    })
    keeper.setTargets('registry', addresses)
    expect(keeper.targets()).toHaveLength(MAX_PEER_TARGETS)
    keeper.start()
    await clock.advance(5_000)
    expect(under).toBe(MAX_KEEPER_DIALS)
    keeper.stop()

    const { clock: clock2, keeper: keeper2, connected } = setUp(() => true)
    keeper2.setTargets('registry', addresses)
    keeper2.start()
    await clock2.advance(30_000)
    expect(connected.size).toBe(MAX_KEPT_PEERS)
    keeper2.stop()
  })
})

describe('redial delay', () => {
  it('doubles up to its maximum, with jitter of a quarter', () => {
    expect(redialDelayMs(1, 0.5)).toBe(REDIAL_MIN_MS)
    expect(redialDelayMs(2, 0.5)).toBe(2 * REDIAL_MIN_MS)
    expect(redialDelayMs(60, 0.5)).toBe(REDIAL_MAX_MS)
    expect(redialDelayMs(1, 0)).toBe(0.75 * REDIAL_MIN_MS)
    expect(redialDelayMs(1, 1)).toBe(1.25 * REDIAL_MIN_MS)
  })
})
