import type { Connection } from '@libp2p/interface'
import type { Peer, PeersView } from '../api/types.ts'
import type { NodeParts } from './types.ts'

type PeersViewParts = {
  host: Pick<NodeParts['host'], 'libp2p' | 'gossip'>
  relay: Pick<NodeParts['relay'], 'topics'>
}

/** Where identify keeps a peer's word for its software. */
const AGENT_KEY = 'AgentVersion'

export function createPeersView({ host, relay }: PeersViewParts): PeersView {
  const { libp2p, gossip } = host

  const toPeer = async (
    connections: readonly Connection[],
    meshes: readonly Mesh[],
  ): Promise<Peer | undefined> => {
    const [first] = connections
    if (!first) return undefined
    const peerId = first.remotePeer.toString()
    // A peer that has just left is not in the peer store any more.
    const known = await libp2p.peerStore.get(first.remotePeer).catch(() => undefined)
    const agent = known?.metadata.get(AGENT_KEY)
    return {
      peerId,
      addresses: connections.map(({ remoteAddr }) => remoteAddr.toString()),
      direction: first.direction,
      agent: agent ? new TextDecoder().decode(agent) : null,
      protocols: known?.protocols ?? [],
      connectedAt: Math.min(...connections.map(({ timeline }) => timeline.open)),
      latencyMs: quickest(connections),
      meshTopics: meshes.flatMap(({ topic, peers }) => (peers.has(peerId) ? [topic] : [])),
      score: gossip.streamsOutbound.has(peerId) ? gossip.getScore(peerId) : null,
    }
  }

  return {
    async list() {
      const meshes = relay.topics.map((topic) => ({ topic, peers: new Set(gossip.getMeshPeers(topic)) }))
      const byPeer = Map.groupBy(libp2p.getConnections(), ({ remotePeer }) => remotePeer.toString())
      const peers = await Promise.all([...byPeer.values()].map((connections) => toPeer(connections, meshes)))
      return peers.filter((peer) => peer !== undefined)
    },
  }
}

type Mesh = { topic: string; peers: ReadonlySet<string> }

function quickest(connections: readonly Connection[]): number | null {
  const times = connections.flatMap(({ rtt }) => rtt ?? [])
  return times.length > 0 ? Math.max(0, Math.min(...times)) : null
}
