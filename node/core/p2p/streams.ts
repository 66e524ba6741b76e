import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Clock } from '../clock.ts'
import { withDeadline } from '../deadline.ts'
import { MAX_LENGTH_PREFIX_BYTES, STREAM_LINGER_MS } from './constants.ts'

/** Frames with a varint length prefix, one after another on a stream. */
export type FrameStream = {
  /**
   * The next frame.
   *
   * @throws PostriderError `WIRE_TOO_LARGE`, `WIRE_MALFORMED` (cut short), or the signal's reason
   */
  read(signal?: AbortSignal): Promise<Uint8Array>
  /** Sends a frame; waits for the peer when it reads too slowly. */
  write(frame: Uint8Array, signal?: AbortSignal): Promise<void>
}

/**
 * Reads and writes frames of at most `maxFrameBytes`.
 *
 * @param maxUnreadFrames frames of the largest size that may wait to be read; more bytes reset the stream
 */
export function createFrameStream(stream: Stream, maxFrameBytes: number, maxUnreadFrames = 1): FrameStream {
  const frames = lpStream(stream, {
    maxDataLength: maxFrameBytes,
    maxBufferSize: maxUnreadFrames * (maxFrameBytes + MAX_LENGTH_PREFIX_BYTES),
    lengthDecoder: decodeLength,
  })
  return {
    async read(signal) {
      try {
        const frame = await frames.read(signal ? { signal } : {})
        return new Uint8Array(frame.subarray()) // a copy: the original would pin the socket's whole buffer
      } catch (cause) {
        throw frameError(cause, signal)
      }
    },
    async write(frame, signal) {
      try {
        await frames.write(frame, signal ? { signal } : {})
      } catch (cause) {
        throw frameError(cause, signal)
      }
    },
  }
}

/**
 * Decodes a varint of at most 4 bytes. `lpStream` reads byte by byte for as long as its decoder reports a
 * RangeError, so without this bound a peer could keep it busy with an endless prefix.
 */
export function decodeLength(bytes: { readonly byteLength: number; get(index: number): number }): number {
  let length = 0
  for (let at = 0; at < bytes.byteLength; at++) {
    const byte = bytes.get(at)
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return length
  }
  if (bytes.byteLength >= MAX_LENGTH_PREFIX_BYTES) throw new PostriderError('WIRE_TOO_LARGE')
  throw new RangeError('length prefix continues')
}

const TOO_LARGE = new Set(['InvalidDataLengthError', 'InvalidDataLengthLengthError', 'StreamBufferError'])

function frameError(cause: unknown, signal: AbortSignal | undefined): Error {
  if (signal?.aborted && signal.reason instanceof Error) return signal.reason
  if (isPostriderError(cause)) return cause
  const name = cause instanceof Error ? cause.name : ''
  if (TOO_LARGE.has(name)) return new PostriderError('WIRE_TOO_LARGE', { cause })
  return new PostriderError('WIRE_MALFORMED', { detail: 'the stream ended within a frame', cause })
}

/** Limits of one request–response protocol. */
export type RequestLimits = {
  /** Largest request frame, bytes. */
  maxRequestBytes: number
  /** From the opened stream to the closed one, ms. */
  deadlineMs: number
  /** Streams that one connection may have open. */
  maxStreamsPerConnection: number
  /** Streams that are served at once over all connections; more are reset and counted. */
  maxStreams: number
}

export type RequestContext = {
  /** The authenticated peer id of the other side. */
  peer: string
  connection: Connection
  /** Aborts at the deadline. */
  signal: AbortSignal
}

/** Answers one request frame with one response frame. What it throws resets the stream. */
export type RequestHandler = (request: Uint8Array, context: RequestContext) => Promise<Uint8Array>

export type RequestServer = { stop(): Promise<void>; active(): number }

/**
 * Serves a protocol of one request frame and one response frame per stream. The peer does not need to close
 * its side; a stream that is not finished at the deadline is reset, whatever it waits for.
 *
 * @param onFailure told why a stream was reset; never with an error of the peer's own making it must log
 */
export async function serveRequests(
  components: { libp2p: Pick<Libp2p, 'handle' | 'unhandle'>; clock: Clock },
  options: { protocol: string; limits: RequestLimits; onFailure?(error: unknown, peer: string): void },
  handler: RequestHandler,
): Promise<RequestServer> {
  const { libp2p, clock } = components
  const { protocol, limits, onFailure } = options
  let active = 0

  const serve = async (stream: Stream, connection: Connection, signal: AbortSignal): Promise<void> => {
    const frames = createFrameStream(stream, limits.maxRequestBytes)
    const request = await frames.read(signal)
    const peer = connection.remotePeer.toString()
    await frames.write(await handler(request, { peer, connection, signal }), signal)
    await stream.close({ signal })
  }

  const onStream = async (stream: Stream, connection: Connection): Promise<void> => {
    const peer = connection.remotePeer.toString()
    if (active >= limits.maxStreams) {
      const busy = new PostriderError('RELAY_STREAMS_EXHAUSTED', { detail: protocol })
      stream.abort(busy)
      onFailure?.(busy, peer)
      return
    }
    active++
    try {
      await withDeadline(clock, { what: protocol, ms: limits.deadlineMs }, (signal) =>
        serve(stream, connection, signal),
      )
      void linger(clock, stream)
    } catch (error) {
      stream.abort(error instanceof Error ? error : new PostriderError('CORE_ABORTED', { cause: error }))
      onFailure?.(error, peer)
    } finally {
      active--
    }
  }

  await libp2p.handle(protocol, (stream, connection) => void onStream(stream, connection), {
    maxInboundStreams: limits.maxStreamsPerConnection,
  })
  return { stop: () => libp2p.unhandle(protocol), active: () => active }
}

/** Waits for the peer to close its side, so that it reads the answer undisturbed, and resets it if it never does. */
export async function linger(clock: Clock, stream: Stream): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    stream.addEventListener('close', () => resolve(), { once: true })
    if (stream.status !== 'open' && stream.status !== 'closing') resolve()
  })
  const what = 'wait for the peer to close its side'
  await withDeadline(clock, { what, ms: STREAM_LINGER_MS }, () => closed).catch((error: Error) =>
    stream.abort(error),
  )
}

/**
 * Sends one request frame on a new stream of `connection` and returns the answer.
 *
 * @throws PostriderError `WIRE_TOO_LARGE`, `WIRE_MALFORMED`, `CORE_DEADLINE_EXCEEDED`, or libp2p's error when
 * the peer does not speak the protocol
 */
export async function requestFrame(
  components: { clock: Clock },
  connection: Connection,
  request: Uint8Array,
  options: { protocol: string; maxResponseBytes: number; deadlineMs: number },
): Promise<Uint8Array> {
  const { protocol, maxResponseBytes, deadlineMs } = options
  return withDeadline(components.clock, { what: protocol, ms: deadlineMs }, async (signal) => {
    const stream = await connection.newStream(protocol, { signal })
    try {
      const frames = createFrameStream(stream, maxResponseBytes)
      await frames.write(request, signal)
      const answer = await frames.read(signal)
      await stream.close({ signal })
      return answer
    } catch (error) {
      stream.abort(error instanceof Error ? error : new PostriderError('CORE_ABORTED', { cause: error }))
      throw error
    }
  })
}
