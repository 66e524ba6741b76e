import type { Transport } from '../transport/types.ts'
import type { NodeInfo } from './types.ts'

export type ConnectionsComponents = {
  transport: Transport
  /** Says hello on a fresh connection and gives the shards that the node serves. */
  greet(peerId: string, signal: AbortSignal): Promise<readonly number[]>
  onLost(peerId: string): void
}

/** Connections to nodes that were greeted: those that can be used. */
export interface Connections {
  /** @throws PostriderError what dialling or greeting threw; the connection is gone then */
  connect(node: NodeInfo, signal: AbortSignal): Promise<void>
  isConnected(node: NodeInfo): boolean
  /** True for a connected node that serves the shard, and for one of which that is not known. */
  servesShard(node: NodeInfo, shard: number): boolean
  drop(node: NodeInfo): Promise<void>
}

export function createConnections({ transport, greet, onLost }: ConnectionsComponents): Connections {
  const shards = new Map<string, readonly number[]>()
  transport.onDisconnect((peerId) => {
    if (shards.delete(peerId)) onLost(peerId)
  })
  return {
    async connect(node, signal) {
      try {
        await transport.connect(node, signal)
        // Alone on the fresh connection: a muxer that is not set up yet drops it at a burst of streams.
        shards.set(node.peerId, await greet(node.peerId, signal))
      } catch (error) {
        await transport.disconnect(node.peerId).catch(() => undefined)
        throw error
      }
    },
    isConnected: ({ peerId }) => shards.has(peerId) && transport.isConnected(peerId),
    servesShard({ peerId }, shard) {
      const served = shards.get(peerId)
      // A node that names no shards serves all of them.
      return served === undefined || served.length === 0 || served.includes(shard)
    },
    drop: ({ peerId }) => transport.disconnect(peerId).catch(() => undefined),
  }
}
