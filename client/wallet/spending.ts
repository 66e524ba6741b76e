import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { formatAmount } from '@postrider/protocol/payment'
import type { ChainReader, ChainWriter, Keep, SignedTransaction } from '../chain/types.ts'
import type { Clock } from '../core/clock.ts'
import { createMutex } from '../core/mutex.ts'
import { encodeRecord, getRecord, listRecords } from '../storage/records.ts'
import type { Storage, Write } from '../storage/types.ts'
import { DAY_MS } from './constants.ts'

const DAY = 'wallet/day'
const PREFIX = 'wallet/spending/'

/** What a transaction spends tokens for. `about` names the channel or membership. */
export type Purpose = { kind: 'open' | 'topUp' | 'register'; about: string; amount: bigint }

/** One transaction that spends tokens, on disk before it leaves. */
type Entry = Purpose & {
  id: number
  /** UTC day of whose budget it is, as in 2026-01-31. */
  day: string
  /** Absent until it is signed; then the same bytes are sent again after a crash or a reorganisation. */
  transaction?: SignedTransaction
  /** It was seen in a block. */
  mined: boolean
}

/**
 * The tokens that left this wallet on one UTC day, by transaction. The day is the earlier one of this machine's clock
 * and the newest block's, and never goes back: a clock that is set wrong, or a chain that lies, renews no budget.
 */
export interface Spending {
  /** What today's budget still allows, base units. @throws PostriderError `CLIENT_CHAIN_UNAVAILABLE` */
  remaining(): Promise<bigint>
  /**
   * Counts a transaction in today's budget and sends it. What `send` keeps is on disk before it leaves.
   *
   * @param record writes the entry, with whatever must be on disk together with it
   * @throws PostriderError `CLIENT_BUDGET_EXCEEDED`, what `record` and `send` throw
   */
  spend(
    purpose: Purpose,
    record: (writes: readonly Write[]) => Promise<unknown>,
    send: (keep: Keep) => Promise<void>,
  ): Promise<void>
  /** True while it is not known what became of a transaction about this. */
  pending(about: string): boolean
  /** True if a transaction about this counts today, or is pending. */
  has(about: string): boolean
  /**
   * Looks for every transaction of today, and those pending, again: one that is not in the chain is sent again and
   * waited for; one that never can be gives its amount back to the budget.
   */
  recheck(): Promise<void>
}

export type SpendingComponents = {
  storage: Storage
  clock: Clock
  reader: Pick<ChainReader, 'head'>
  writer: Pick<ChainWriter, 'conclude'>
}

/** @param limit base units a day */
export async function openSpending(components: SpendingComponents, limit: bigint): Promise<Spending> {
  const { storage, clock, reader, writer } = components
  const entries = await loadEntries(storage)
  const sending = new Set<number>()
  const turn = createMutex()
  let day = (await getRecord<{ day: string }>(storage, DAY))?.day ?? ''
  // Keys are read in ascending order.
  let next = ([...entries.keys()].at(-1) ?? 0) + 1

  const keep = (entry: Entry): Promise<void> => {
    entries.set(entry.id, entry)
    return storage.batch([put(entry)])
  }
  const drop = ({ id }: Entry): Promise<void> => {
    entries.delete(id)
    return storage.batch([{ key: keyOf(id), value: undefined }])
  }
  const today = async (): Promise<string> => {
    const { atMs } = await reader.head()
    const nowMs = clock.nowMs()
    const now = new Date(nowMs < atMs ? nowMs : atMs).toISOString().slice(0, 10)
    if (now > day) day = now
    return day
  }
  const left = (): bigint => {
    const spent = [...entries.values()].filter((entry) => entry.day === day)
    const rest = spent.reduce((sum, { amount }) => sum - amount, limit)
    return rest > 0n ? rest : 0n
  }
  /** Counts it, in memory at once; and the writes that go with it. */
  const reserve = (purpose: Purpose): { entry: Entry; writes: Write[] } => {
    const remaining = left()
    if (purpose.amount > remaining) throw exceeded(purpose.amount, remaining, limit, day)
    const entry: Entry = { ...purpose, id: next++, day, mined: false }
    const over = [...entries.values()].filter((old) => old.mined && old.day < day)
    for (const { id } of over) entries.delete(id)
    entries.set(entry.id, entry)
    const forgotten = over.map(({ id }): Write => ({ key: keyOf(id), value: undefined }))
    return { entry, writes: [put(entry), { key: DAY, value: encodeRecord({ day }) }, ...forgotten] }
  }
  const attempt = async (entry: Entry, send: (keep: Keep) => Promise<void>): Promise<void> => {
    let signed: Entry | undefined
    try {
      await send((transaction) => {
        signed = { ...entry, transaction }
        return keep(signed)
      })
    } catch (error) {
      // Only a refusal is certain; whatever else happened, what was signed may still be mined.
      if (!signed || isRefusal(error)) await drop(entry)
      throw error
    }
    await keep({ ...entry, ...signed, mined: true })
  }
  const settle = async (entry: Entry, transaction: SignedTransaction): Promise<void> => {
    const outcome = await writer.conclude(transaction)
    if (outcome !== 'mined') await drop(entry)
    else if (!entry.mined) await keep({ ...entry, mined: true })
  }

  return {
    async remaining() {
      await today()
      return left()
    },
    async spend(purpose, record, send) {
      await today()
      const { entry, writes } = reserve(purpose)
      sending.add(entry.id)
      try {
        await record(writes).catch((error) => {
          entries.delete(entry.id)
          throw error
        })
        await attempt(entry, send)
      } finally {
        sending.delete(entry.id)
      }
    },
    pending: (about) => [...entries.values()].some((entry) => entry.about === about && !entry.mined),
    has: (about) => [...entries.values()].some((entry) => entry.about === about),
    recheck: () =>
      turn.run(async () => {
        const open = [...entries.values()].flatMap((entry) => {
          const { id, transaction, mined } = entry
          const due = transaction && !sending.has(id) && (!mined || entry.day === day)
          return due ? [{ entry, transaction }] : []
        })
        // A nonce is of use only after the one before it.
        open.sort((a, b) => a.transaction.nonce - b.transaction.nonce)
        for (const { entry, transaction } of open) await settle(entry, transaction)
      }),
  }
}

const keyOf = (id: number): string => PREFIX + String(id).padStart(12, '0')
const put = (entry: Entry): Write => ({ key: keyOf(entry.id), value: encodeRecord(entry) })

/** Entries that were signed; what the process had not signed when it ended never left. */
async function loadEntries(storage: Storage): Promise<Map<number, Entry>> {
  const found = (await listRecords<Entry>(storage, PREFIX)).map(({ value }) => value)
  const unsent = found.filter(({ transaction }) => !transaction)
  if (unsent.length > 0) {
    await storage.batch(unsent.map(({ id }) => ({ key: keyOf(id), value: undefined })))
  }
  return new Map(found.filter(({ transaction }) => transaction).map((entry) => [entry.id, entry]))
}

/** A transaction that the chain refused, or that was reverted. */
const isRefusal = (error: unknown): boolean => isPostriderError(error) && !error.retryable

function exceeded(needed: bigint, remaining: bigint, limit: bigint, day: string): PostriderError {
  const dayEndsAt = new Date(Date.parse(day) + DAY_MS).toISOString()
  return new PostriderError('CLIENT_BUDGET_EXCEEDED', {
    detail: `the daily budget: ${formatAmount(needed)} needed, ${formatAmount(remaining)} left until ${dayEndsAt}`,
    data: {
      limit: 'daily',
      allowed: limit.toString(),
      needed: needed.toString(),
      remaining: remaining.toString(),
      dayEndsAt,
    },
  })
}
