import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Logger } from '../logger.ts'
import { GOSSIP_PROTOCOLS, MUTE_TICKS } from './constants.ts'

export type MuteWatchComponents = {
  libp2p: Pick<Libp2p, 'getPeers' | 'hangUp' | 'peerStore'>
  /** Peers to which we can gossip. */
  gossip: { readonly streamsOutbound: ReadonlyMap<string, unknown> }
  logger: Logger
}

/**
 * Finds gossip peers that we are connected to and cannot gossip to. Gossipsub opens its stream when a connection
 * is made and never again, so after a reset (a full buffer, an oversized frame) the peer would stay mute for as
 * long as the connection lives. Closing the connection lets both sides start over.
 */
export function createMuteWatch({ libp2p, gossip, logger }: MuteWatchComponents): { tick(): Promise<void> } {
  let ticks = new Map<string, number>()

  const speaksGossip = async (peer: PeerId): Promise<boolean> => {
    const known = await libp2p.peerStore.get(peer).catch(() => undefined) // forgotten meanwhile: nothing to repair
    return known?.protocols.some((protocol) => GOSSIP_PROTOCOLS.includes(protocol)) ?? false
  }

  return {
    async tick() {
      const next = new Map<string, number>()
      for (const peer of libp2p.getPeers()) {
        const id = peer.toString()
        if (gossip.streamsOutbound.has(id) || !(await speaksGossip(peer))) continue
        const count = (ticks.get(id) ?? 0) + 1
        if (count < MUTE_TICKS) {
          next.set(id, count)
          continue
        }
        logger.warn({ peer: id }, 'gossip stream lost, connecting anew')
        await libp2p.hangUp(peer).catch((err) => logger.debug({ err, peer: id }, 'hang-up failed'))
      }
      ticks = next
    },
  }
}
