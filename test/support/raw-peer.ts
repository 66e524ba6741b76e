// A peer that says to a node what it likes: a bare libp2p host under Postrider's transports, without any client.
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Network } from '@postrider/protocol/network'
import { until } from '../../devnet/figures.ts'
import type { Operator } from '../../devnet/operators.ts'
import { createFrameStream } from '../../node/core/p2p/streams.ts'
import { createTestHost } from '../../node/core/p2p/testing/hosts.ts'
import type { Host } from '../../node/core/p2p.ts'

/** Above any deadline of a node for a request that it has read. */
const ANSWER_TIMEOUT_MS = 25_000
const MAX_ANSWER_BYTES = 1_048_576

export type RawPeer = AsyncDisposable & {
  host: Host
  connection: Connection
  /** Sends one frame on a new stream; the node's answer, or undefined if it ended the stream without one. */
  ask(protocol: string, frame: Uint8Array): Promise<Uint8Array | undefined>
  /** The same with bytes that need not be a frame; the peer closes its side after them. */
  askRaw(protocol: string, bytes: Uint8Array): Promise<Uint8Array | undefined>
}

export async function openRawPeer(
  network: Network,
  { webSocket }: Pick<Operator, 'webSocket'>,
): Promise<RawPeer> {
  const host = await createTestHost({ network, listen: [] })
  await host.start()
  const connection = await host.libp2p.dial(multiaddr(webSocket))

  const exchange = async (protocol: string, send: (stream: Stream) => Promise<void>) => {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    const stream = await openStream(connection, protocol, signal)
    const answer = createFrameStream(stream, MAX_ANSWER_BYTES)
      .read(signal)
      .catch((error: unknown) => {
        // Neither an answer nor an end: the node let the peer hang.
        if (signal.aborted) throw error
        return undefined
      })
    // A node may end the stream while it is still being written to.
    await send(stream).catch(() => undefined)
    const bytes = await answer
    stream.abort(new TypeError('done'))
    return bytes
  }

  return {
    host,
    connection,
    ask: (protocol, frame) =>
      exchange(protocol, (stream) => createFrameStream(stream, MAX_ANSWER_BYTES).write(frame)),
    askRaw: (protocol, bytes) =>
      exchange(protocol, async (stream) => {
        stream.send(bytes)
        await stream.close()
      }),
    [Symbol.asyncDispose]: () => host.stop(),
  }
}

/** libp2p identifies the node by itself meanwhile, and opens no second stream of that protocol beside its own. */
async function openStream(connection: Connection, protocol: string, signal: AbortSignal): Promise<Stream> {
  let stream: Stream | undefined
  await until(`a stream of ${protocol}`, ANSWER_TIMEOUT_MS, async () => {
    try {
      stream = await connection.newStream(protocol, { signal })
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'TooManyOutboundProtocolStreamsError') throw error
    }
    return stream !== undefined
  })
  return stream as Stream
}
