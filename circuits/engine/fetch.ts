import { PostriderError } from '@postrider/protocol/errors'
import type { ReadFile } from './artifacts.ts'

/** Bytes of a manifest at most; its file is 2 KB. */
const MAX_MANIFEST_BYTES = 64 * 1024

export type FetchOptions = {
  /** Bytes that have come and bytes that there are, over all files; the second grows when a file begins. */
  onBytes?: (done: number, total: number) => void
  signal?: AbortSignal | undefined
}

/**
 * Reads key files from the network as streams. A file that breaks off begins anew: each is kept on its own, so at most
 * one is lost. More bytes than were announced are not read.
 */
export function fetchReader(urlOf: (name: string) => string, options: FetchOptions = {}): ReadFile {
  const { onBytes = () => {}, signal } = options
  let [done, total] = [0, 0]
  return async (name, expected) => {
    const { bytes: announced } = expected ?? {}
    const limit = announced ?? MAX_MANIFEST_BYTES
    const url = urlOf(name)
    const inline = decodeDataUrl(url)
    if (inline !== undefined) return inline
    total += announced ?? 0
    try {
      // Asks whether what the HTTP cache has is still current: after an update an old file would never fit.
      const response = await fetch(url, { cache: 'no-cache', ...(signal ? { signal } : {}) })
      if (!response.ok || response.body === null) throw new TypeError(`status ${response.status}`)
      const bytes = new Uint8Array(limit)
      let at = 0
      for await (const chunk of chunksOf(response.body)) {
        if (at + chunk.byteLength > limit) throw tooLong(name, limit)
        bytes.set(chunk, at)
        at += chunk.byteLength
        if (announced === undefined) continue
        done += chunk.byteLength
        onBytes(done, total)
      }
      return bytes.subarray(0, at)
    } catch (cause) {
      if (signal?.aborted) throw new PostriderError('CIRCUITS_LOAD_ABORTED', { cause })
      if (cause instanceof PostriderError) throw cause
      throw new PostriderError('CIRCUITS_ARTIFACT_UNAVAILABLE', {
        detail: name,
        data: { file: name, url },
        cause,
      })
    }
  }
}

/** A stream's chunks; not every browser iterates over streams. Whoever stops early ends the transfer. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel()
  }
}

/** Bundlers put small files into the code as data URLs, which a page's policy may not let it fetch. */
function decodeDataUrl(url: string): Uint8Array | undefined {
  const [, encoding, data = ''] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url) ?? []
  if (!url.startsWith('data:')) return undefined
  if (encoding === undefined) return new TextEncoder().encode(decodeURIComponent(data))
  return Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
}

function tooLong(name: string, limit: number): PostriderError {
  return new PostriderError('CIRCUITS_ARTIFACT_MISMATCH', {
    detail: name,
    data: { file: name, reason: `longer than ${limit} bytes` },
  })
}
