import { createHash } from 'node:crypto'
import { PostriderError } from '@postrider/protocol/errors'
import type { Clock } from '../core/clock.ts'
import { IDEMPOTENCY_ENTRIES, IDEMPOTENCY_LIFE_MS } from './constants.ts'
import type { IdempotencyRecord, IdempotencyStore, IdempotentAnswer } from './types.ts'

/** Keeps the newest answers in memory; the shipped adapter of the port and the reference for others. */
export function createMemoryIdempotencyStore(clock: Clock): IdempotencyStore {
  const records = new Map<string, IdempotencyRecord>()
  const isStale = (record: IdempotencyRecord) => record.atMs + IDEMPOTENCY_LIFE_MS <= clock.nowMs()
  return {
    get(key) {
      const record = records.get(key)
      if (record && isStale(record)) records.delete(key)
      return records.get(key)
    },
    set(key, record) {
      records.delete(key)
      records.set(key, record)
      for (const oldest of records.keys()) {
        if (records.size <= IDEMPOTENCY_ENTRIES) break
        records.delete(oldest)
      }
    },
  }
}

/**
 * Carries out an act once per key: a repetition with the same content gets the first answer again. An answer that
 * invites a retry is not kept, so that the same key can be used for it.
 *
 * The request's key is what the client sent, joined with who sent it and to which route; its content is what
 * counts for sameness. Rejects with `API_IDEMPOTENCY_KEY_REUSED`, `API_IDEMPOTENCY_IN_FLIGHT`, or what `act` throws.
 */
export type Once = (
  request: { key: string; content: unknown },
  act: () => Promise<IdempotentAnswer & { keep: boolean }>,
) => Promise<IdempotentAnswer & { replayed: boolean }>

export function createOnce({ store, clock }: { store: IdempotencyStore; clock: Clock }): Once {
  // Marked before the first await, so that two simultaneous requests cannot both find nothing.
  const atWork = new Set<string>()

  return async ({ key, content }, act) => {
    if (atWork.has(key)) throw new PostriderError('API_IDEMPOTENCY_IN_FLIGHT')
    atWork.add(key)
    try {
      const fingerprint = createHash('sha256').update(JSON.stringify(content)).digest('hex')
      const known = await store.get(key)
      if (known && known.fingerprint !== fingerprint) throw new PostriderError('API_IDEMPOTENCY_KEY_REUSED')
      if (known) return { ...known.answer, replayed: true }
      const { keep, ...answer } = await act()
      if (keep) await store.set(key, { fingerprint, atMs: clock.nowMs(), answer })
      return { ...answer, replayed: false }
    } finally {
      atWork.delete(key)
    }
  }
}
