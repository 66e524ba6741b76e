import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { abortReason, throwIfAborted } from '../core/abort.ts'
import type { FrameStream } from './types.ts'

/** Wraps a libp2p stream; `name` is the protocol, for errors. Frames above `maxBytes` break it. */
export function createFrameStream(stream: Stream, name: string, maxBytes: number): FrameStream {
  // The decoder buffers at most one frame and its length.
  const frames = lpStream(stream, { maxDataLength: maxBytes, maxBufferSize: maxBytes + LENGTH_BYTES })
  return {
    async read(signal) {
      throwIfAborted(signal)
      try {
        return (await frames.read(signal ? { signal } : {})).subarray()
      } catch (cause) {
        throw toStreamError(cause, name, signal)
      }
    },
    async write(frame) {
      try {
        await frames.write(frame)
      } catch (cause) {
        throw toStreamError(cause, name)
      }
    },
    async close() {
      try {
        await stream.close()
      } catch (error) {
        stream.abort(error instanceof Error ? error : new PostriderError('CLIENT_STREAM_FAILED'))
      }
    },
  }
}

// Room for the length prefix of the next frames that may already be in flight.
const LENGTH_BYTES = 64 * 1024

/** What broke a stream, as a coded error. */
export function toStreamError(cause: unknown, name: string, signal?: AbortSignal): PostriderError {
  if (isPostriderError(cause)) return cause
  if (signal?.aborted) return abortReason(signal)
  const message = cause instanceof Error ? cause.message : String(cause)
  return new PostriderError('CLIENT_STREAM_FAILED', {
    detail: `${name}: ${message}`,
    data: { protocol: name },
    cause,
  })
}
