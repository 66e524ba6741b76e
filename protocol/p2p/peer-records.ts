/** The part of libp2p's `PeerStore` that is used. */
export type PeerRecords<Id extends { toString(): string }, Data, Found, Options> = {
  merge(peer: Id, data: Data, options?: Options): Promise<Found>
}

/** How long a peer's record is taken to be as it was last seen, ms. libp2p lets records expire after hours. */
const FRESH_MS = 60_000

/** Peers remembered, 1 KB each; beyond it all are forgotten, which costs each a merge. */
const MAX_REMEMBERED = 1_024

/**
 * Keeps libp2p from writing a peer's record anew for every stream: a merge of nothing but protocols that the record had
 * within the last minute is answered from memory. libp2p merges the protocol of each stream that is opened, which
 * decodes, compares, encodes and stores the whole record and costs as much as the stream.
 */
export function rememberProtocols<
  Id extends { toString(): string },
  Data extends { protocols?: string[] },
  Found extends { protocols: string[] },
  Options,
>(store: PeerRecords<Id, Data, Found, Options>, nowMs: () => number): void {
  const merge = store.merge.bind(store)
  const remembered = new Map<string, { record: Found; untilMs: number }>()

  store.merge = async (peer, data, options) => {
    const key = peer.toString()
    const known = remembered.get(key)
    if (known && nowMs() < known.untilMs && addsNothing(data, known.record)) return known.record
    const record = await merge(peer, data, options)
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(key, { record, untilMs: nowMs() + FRESH_MS })
    return record
  }
}

function addsNothing(data: { protocols?: string[] }, record: { protocols: string[] }): boolean {
  const { protocols, ...others } = data
  if (!protocols || Object.keys(others).length > 0) return false
  return protocols.every((protocol) => record.protocols.includes(protocol))
}
