import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { type Hex, hexToBytes } from '@postrider/protocol/wire'
import type { ChainReader, RegisteredNode } from '../chain/types.ts'
import type { Clock } from '../core/clock.ts'
import { getRecord, putRecord, type RecordValue } from '../storage/records.ts'
import type { Storage } from '../storage/types.ts'
import { DIRECTORY_REFRESH_MS } from './constants.ts'
import type { NodeInfo, Service } from './types.ts'

const KEY = 'nodes/directory'
const SERVICE_BITS: readonly (readonly [number, Service])[] = [
  [2, 'store'],
  [4, 'lightpush'],
  [8, 'filter'],
]

/** The registered nodes, read from the chain and kept for the time when it does not answer. */
export interface Directory {
  nodes(): readonly NodeInfo[]
  /**
   * Reads the registry if it was not read lately. When the chain is away the last list stays.
   *
   * @throws PostriderError `CLIENT_CHAIN_UNAVAILABLE` only when there is no list at all
   */
  refresh(): Promise<void>
}

/** @param bootstrap multiaddrs with peer ids: more ways to nodes that are registered, for example websockets */
export function createDirectory(
  components: { chain: Pick<ChainReader, 'nodes'>; storage: Storage; clock: Clock },
  options: { bootstrap: readonly string[] },
): Directory {
  const { chain, storage, clock } = components
  const extra = addressesByPeer(options.bootstrap)
  let nodes: readonly NodeInfo[] = []
  let readAtMs = Number.NEGATIVE_INFINITY

  const use = (registered: readonly RegisteredNode[]) => {
    nodes = registered.flatMap((node) => toNodeInfo(node, extra) ?? [])
  }
  return {
    nodes: () => nodes,
    async refresh() {
      if (clock.nowMs() - readAtMs < DIRECTORY_REFRESH_MS) return
      try {
        const registered = await chain.nodes()
        use(registered)
        readAtMs = clock.nowMs()
        await putRecord(storage, KEY, registered as RecordValue)
      } catch (error) {
        if (nodes.length > 0) return
        const saved = await getRecord<RegisteredNode[] & RecordValue>(storage, KEY)
        if (!saved) throw error
        use(saved)
      }
    },
  }
}

/** The node in the client's terms; undefined for one that a client cannot use (bad key, no usable endpoint). */
export function toNodeInfo(
  node: RegisteredNode,
  extra: ReadonlyMap<string, readonly string[]> = new Map(),
): NodeInfo | undefined {
  const peerId = peerIdOf(node.peerKey)
  if (!peerId) return undefined
  const addresses = [...node.endpoints, ...(extra.get(peerId) ?? [])].filter(isMultiaddr)
  const services = SERVICE_BITS.filter(([bit]) => (node.services & bit) !== 0).map(([, service]) => service)
  if (addresses.length === 0 || services.length === 0) return undefined
  const { operator, prices, stake } = node
  return { operator, peerId, addresses: [...new Set(addresses)], services, prices: { ...prices }, stake }
}

function peerIdOf(peerKey: Hex): string | undefined {
  try {
    return peerIdFromPublicKey(publicKeyFromRaw(hexToBytes(peerKey))).toString()
  } catch {
    // Any 32 bytes can be registered; those that are no key belong to no node.
    return undefined
  }
}

function addressesByPeer(bootstrap: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const entry of bootstrap) {
    const [, address, peerId] = /^(.+)\/p2p\/([^/]+)$/.exec(entry) ?? []
    if (address && peerId) found.set(peerId, [...(found.get(peerId) ?? []), address])
  }
  return found
}

function isMultiaddr(text: string): boolean {
  try {
    multiaddr(text)
    return true
  } catch {
    return false
  }
}
