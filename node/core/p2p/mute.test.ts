import { describe, expect, it } from 'vitest'
import { silentLogger } from '../logger.ts'
import { GOSSIP_PROTOCOLS, MUTE_TICKS } from './constants.ts'
import { createMuteWatch, type MuteWatchComponents } from './mute.ts'

function setUp(protocols: string[]) {
  const hungUp: string[] = []
  const streamsOutbound = new Map<string, unknown>()
  // Only what the watch calls; the real parts are covered by p2p.test.ts.
  const libp2p = {
    getPeers: () => ['peer'],
    peerStore: { get: async () => ({ protocols }) },
    hangUp: async (peer: string) => void hungUp.push(peer),
  } as unknown as MuteWatchComponents['libp2p']
  return {
    watch: createMuteWatch({ libp2p, gossip: { streamsOutbound }, logger: silentLogger }),
    hungUp,
    streamsOutbound,
  }
}

describe('mute watch', () => {
  it('connects anew to a gossip peer that has had no stream for long', async () => {
    const { watch, hungUp } = setUp([...GOSSIP_PROTOCOLS])
    for (let i = 1; i < MUTE_TICKS; i++) await watch.tick()
    expect(hungUp).toEqual([])
    await watch.tick()
    expect(hungUp).toEqual(['peer'])
  })

  it('leaves alone a peer that got its stream in time, and one that does not gossip', async () => {
    const { watch, hungUp, streamsOutbound } = setUp([...GOSSIP_PROTOCOLS])
    for (let i = 1; i < MUTE_TICKS; i++) await watch.tick()
    streamsOutbound.set('peer', {})
    await watch.tick()
    streamsOutbound.clear()
    await watch.tick()
    expect(hungUp).toEqual([])

    const light = setUp(['/ipfs/ping/1.0.0'])
    for (let i = 0; i < 2 * MUTE_TICKS; i++) await light.watch.tick()
    expect(light.hungUp).toEqual([])
  })
})
