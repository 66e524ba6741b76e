import { PostriderError } from '@postrider/protocol/errors'
import type { Storage, Write } from './types.ts'

/**
 * Storage that lives as long as the process: the reference of the port, for tests and for clients that own no
 * channel and no membership. A client that publishes with an identity loses its message-id log with it.
 */
export function createMemoryStorage(): Storage {
  const records = new Map<string, Uint8Array>()
  const logs = new Map<string, Uint8Array[]>()
  let open = true
  const assertOpen = () => {
    if (!open) throw new PostriderError('CLIENT_STORAGE_FAILED', { detail: 'the storage is closed' })
  }
  const append = (log: string, value: Uint8Array): number => {
    const entries = logs.get(log) ?? []
    logs.set(log, entries)
    return entries.push(value.slice())
  }
  const apply = (write: Write) => {
    if ('log' in write) append(write.log, write.value)
    else if (write.value) records.set(write.key, write.value.slice())
    else records.delete(write.key)
  }
  return {
    async get(key) {
      assertOpen()
      return records.get(key)?.slice()
    },
    async put(key, value) {
      assertOpen()
      apply({ key, value })
    },
    async batch(writes) {
      assertOpen()
      writes.forEach(apply)
    },
    async delete(key) {
      assertOpen()
      apply({ key, value: undefined })
    },
    async list(prefix) {
      assertOpen()
      const found = [...records].filter(([key]) => key.startsWith(prefix))
      return found
        .sort(([a], [b]) => compareUtf8(a, b))
        .map(([key, value]) => ({ key, value: value.slice() }))
    },
    async append(log, value) {
      assertOpen()
      return append(log, value)
    },
    async read(log, after, limit) {
      assertOpen()
      const entries = (logs.get(log) ?? []).slice(after, after + limit)
      return entries.map((value, at) => ({ number: after + at + 1, value: value.slice() }))
    },
    async close() {
      open = false
    },
  }
}

// UTF-16 and UTF-8 order differ for characters outside the basic plane; databases order by bytes.
function compareUtf8(a: string, b: string): number {
  const left = new TextEncoder().encode(a)
  const right = new TextEncoder().encode(b)
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
