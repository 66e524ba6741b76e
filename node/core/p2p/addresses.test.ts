import { describe, expect, it } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { createAddressWatch, originOf } from './addresses.ts'
import { OFFENDERS_PER_ADDRESS, PENALTY_HALF_LIFE_MS } from './constants.ts'

const ATTACKER = '/ip4/192.0.2.7/tcp/4001'
const NEIGHBOUR = '/ip4/192.0.2.8/tcp/4001/ws'

function watchAfter(offenders: number) {
  const clock = createManualClock()
  const watch = createAddressWatch(clock)
  for (let i = 0; i < offenders; i++) {
    watch.connected(`peer ${i}`, ATTACKER)
    watch.offended(`peer ${i}`)
    watch.offended('a peer that nobody has seen')
  }
  const admitted = (count: number, address = ATTACKER) =>
    Array.from({ length: count }, () => watch.admits(address)).filter(Boolean).length
  return { clock, admitted }
}

describe('an address', () => {
  it('is free while few offenders came from it', () => {
    expect(watchAfter(OFFENDERS_PER_ADDRESS - 1).admitted(100)).toBe(100)
  })

  it('gets one connection a second once there were many, and its neighbours all', async () => {
    const { clock, admitted } = watchAfter(OFFENDERS_PER_ADDRESS)
    expect(admitted(100)).toBe(1)
    await clock.advance(1_000)
    expect(admitted(100)).toBe(1)
    expect(admitted(100, NEIGHBOUR)).toBe(100)
    expect(admitted(100, '/memory/5')).toBe(100)
  })

  it('is free again when that is long past', async () => {
    const { clock, admitted } = watchAfter(OFFENDERS_PER_ADDRESS)
    await clock.advance(2 * PENALTY_HALF_LIFE_MS)
    expect(admitted(100)).toBe(100)
  })

  it.each([
    ['/ip4/10.0.0.1/tcp/1', '10.0.0.1'],
    ['/ip6/2001:db8::1/tcp/1', '2001:db8:0:0'],
    ['/ip6/2001:0DB8:0:0:ffff::/tcp/1', '2001:db8:0:0'],
    ['/ip6/::1/tcp/1', '0:0:0:0'],
    // As libp2p writes ::ffff:10.0.0.1 and ::ffff:0.0.0.1.
    ['/ip6/::ffff:a00:1/tcp/1', '10.0.0.1'],
    ['/ip6/::ffff:0:1/tcp/1/ws', '0.0.0.1'],
    ['/dns4/example.org/tcp/1', undefined],
  ])('%s counts as %s', (multiaddr, origin) => {
    expect(originOf(multiaddr)).toBe(origin)
  })
})
