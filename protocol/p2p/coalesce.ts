/** What is sent at once: bytes, or a list of them such as libp2p's `Uint8ArrayList`. */
type Chunk = Uint8Array | (Iterable<Uint8Array> & { readonly byteLength: number })

/** The part of libp2p's `MessageStream` that is used. */
export type Writable = {
  readonly status: string
  /** True while the peer takes no more. */
  readonly writableNeedsDrain: boolean
  send(data: Chunk): boolean
  abort(error: Error): void
}

/** The part of libp2p's `StreamMuxerFactory` that is used. */
export type MuxerFactory<Connection extends Writable, Muxer extends { readonly status: string }> = {
  createStreamMuxer(connection: Connection): Muxer
}

/**
 * A muxer whose frames share writes: those of one turn of the event loop leave together, encrypted once and in one
 * call of the system. A stream's opening, negotiation, window updates and end are frames of a few bytes each, and each
 * would otherwise cost as much as the request itself.
 *
 * @param defer calls back at the end of the turn
 */
export function coalesceFrames<
  Connection extends Writable,
  Muxer extends { readonly status: string },
  Factory extends MuxerFactory<Connection, Muxer>,
>(factory: Factory, defer: (flush: () => void) => void): Factory {
  return {
    ...factory,
    createStreamMuxer(connection: Connection): Muxer {
      let muxer: Muxer | undefined
      // What a muxer says while it closes must leave at once: the connection is closed right after.
      coalesceWrites(connection, { defer, hurried: () => muxer !== undefined && muxer.status !== 'open' })
      muxer = factory.createStreamMuxer(connection)
      return muxer
    },
  }
}

/** Written at once when so much waits: one Noise message. It also bounds what is taken from streams beyond a full socket. */
const MAX_WAITING_BYTES = 65_535 - 16

type Rules = { defer(flush: () => void): void; hurried(): boolean }

/** Replaces the connection's `send` by one that collects what is sent in one turn. */
export function coalesceWrites(connection: Writable, { defer, hurried }: Rules): void {
  const send = connection.send.bind(connection)
  let waiting: Chunk[] = []
  let bytes = 0

  const flush = (): boolean => {
    const data = joined(waiting, bytes)
    waiting = []
    bytes = 0
    return send(data)
  }
  const flushLater = () => {
    if (bytes === 0 || connection.status !== 'open') return
    try {
      flush()
    } catch (error) {
      connection.abort(error as Error)
    }
  }

  connection.send = (data) => {
    if (connection.status !== 'open') return send(data)
    if (bytes === 0) defer(flushLater)
    waiting.push(data)
    bytes += data.byteLength
    if (bytes >= MAX_WAITING_BYTES || hurried()) return flush()
    return !connection.writableNeedsDrain
  }
}

function joined(chunks: readonly Chunk[], byteLength: number): Chunk {
  const [first] = chunks
  if (first && chunks.length === 1) return first
  const data = new Uint8Array(byteLength)
  let at = 0
  for (const chunk of chunks) {
    for (const part of chunk instanceof Uint8Array ? [chunk] : chunk) {
      data.set(part, at)
      at += part.byteLength
    }
  }
  return data
}
