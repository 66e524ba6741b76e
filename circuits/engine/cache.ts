import type { FileHash, ReadFile } from './artifacts.ts'
import { sha256Hex } from './hash.ts'

/**
 * Key files from one run to the next, each under its SHA-256 in lower-case hex. It may lose or damage them: what it
 * gives is checked again, and what it fails to do costs a fetch.
 */
export interface ArtifactCache {
  get(sha256: string): Promise<Uint8Array | undefined>
  put(sha256: string, bytes: Uint8Array): Promise<void>
  delete(sha256: string): Promise<void>
}

const SHA256_HEX = /^[0-9a-f]{64}$/

/**
 * Reads from the cache what has the expected hash there, and the rest through `read`, keeping it if its hash is right.
 * A damaged entry is dropped. `onCheck` is called before each hash is computed.
 */
export function cachedReader(read: ReadFile, cache: ArtifactCache, onCheck: () => void = () => {}): ReadFile {
  const isGood = async (bytes: Uint8Array, { sha256 }: FileHash) => {
    onCheck()
    return (await sha256Hex(bytes)) === sha256.toLowerCase()
  }
  const fromCache = async (expected: FileHash, key: string): Promise<Uint8Array | undefined> => {
    const kept = await cache.get(key)
    if (kept === undefined || (await isGood(kept, expected))) return kept
    await cache.delete(key)
    return undefined
  }
  return async (name, expected) => {
    const key = expected?.sha256.toLowerCase()
    // A name from a manifest that nobody pinned must not become a path or a key.
    if (expected === undefined || key === undefined || !SHA256_HEX.test(key)) return read(name, expected)
    const kept = await fromCache(expected, key).catch(() => undefined)
    if (kept !== undefined) return kept
    const bytes = await read(name, expected)
    if (await isGood(bytes, expected)) await cache.put(key, bytes).catch(() => undefined)
    return bytes
  }
}
