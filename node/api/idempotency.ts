import { createHash } from 'node:crypto'
import { PostriderError } from '@postrider/protocol/errors'
import type { Clock } from '../core/clock.ts'
import { type Db, dbErrors } from '../core/db/index.ts'
import { IDEMPOTENCY_LIFE_MS } from './constants.ts'
import type { IdempotencyRecord, IdempotencyStore, IdempotentAnswer } from './types.ts'

/** Keeps answers in node.db for `IDEMPOTENCY_LIFE_MS`. Throws `CORE_DB_FAILED` when the database refuses. */
export function createIdempotencyStore(db: Db, clock: Clock): IdempotencyStore {
  const oldestMs = () => BigInt(clock.nowMs() - IDEMPOTENCY_LIFE_MS)
  return {
    async get(key) {
      const row = await dbErrors(db.apiAnswer.findUnique({ where: { key, createdMs: { gt: oldestMs() } } }))
      if (!row) return undefined
      const { fingerprint, createdMs, status, contentType, body, location } = row
      const answer = { status, contentType, body, ...(location !== null && { location }) }
      return { fingerprint, atMs: Number(createdMs), answer }
    },
    async set(key, { fingerprint, atMs, answer }) {
      const data = { key, fingerprint, createdMs: BigInt(atMs), ...answer }
      await dbErrors(
        db.$transaction([
          db.apiAnswer.deleteMany({ where: { createdMs: { lte: oldestMs() } } }),
          db.apiAnswer.create({ data }),
        ]),
      )
    },
  }
}

/**
 * Carries out an act once per key: a repetition with the same content gets the first answer again. An answer that
 * invites a retry is not kept, so that the same key can be used for it.
 *
 * The request's key is what the client sent, joined with who sent it and to which route; its content is what
 * counts for sameness. `act` gets a hash of both, which names the request for good: what it begins under that name
 * is found again even if the process dies before the answer is kept.
 *
 * Rejects with `API_IDEMPOTENCY_KEY_REUSED`, `API_IDEMPOTENCY_IN_FLIGHT`, or what `act` throws.
 */
export type Once = (
  request: { key: readonly unknown[]; content: unknown },
  act: (request: string) => Promise<IdempotentAnswer & { keep: boolean }>,
) => Promise<IdempotentAnswer & { replayed: boolean }>

export function createOnce({ store, clock }: { store: IdempotencyStore; clock: Clock }): Once {
  // Marked before the first await, so that two simultaneous requests cannot both find nothing.
  const atWork = new Set<string>()

  return async ({ key, content }, act) => {
    const name = hashOf(key)
    if (atWork.has(name)) throw new PostriderError('API_IDEMPOTENCY_IN_FLIGHT')
    atWork.add(name)
    try {
      const fingerprint = hashOf(content)
      const known = await store.get(name)
      if (known && known.fingerprint !== fingerprint) throw new PostriderError('API_IDEMPOTENCY_KEY_REUSED')
      if (known) return { ...known.answer, replayed: true }
      const { keep, ...answer } = await act(hashOf([key, content]))
      const record: IdempotencyRecord = { fingerprint, atMs: clock.nowMs(), answer }
      if (keep) await store.set(name, record)
      return { ...answer, replayed: false }
    } finally {
      atWork.delete(name)
    }
  }
}

const hashOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value, bigintAsText)).digest('hex')

const bigintAsText = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)
