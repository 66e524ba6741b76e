import { PostriderError } from '@postrider/protocol/errors'
import type { SignedTransaction } from '../chain/types.ts'
import { encodeRecord, getRecord, listRecords } from '../storage/records.ts'
import type { Storage, Write } from '../storage/types.ts'

const DAY = 'wallet/day'
const PREFIX = 'wallet/spending/'

/** What a transaction spends tokens for. */
export type Purpose = {
  kind: 'open' | 'topUp' | 'register'
  /** The channel or membership. */
  about: string
  amount: bigint
  /** What the contract holds of it afterwards, at least. */
  total: bigint
}

/** One transaction that spends tokens, on disk before it leaves. */
export type SpendingEntry = Purpose & {
  id: number
  /** Last UTC day to whose budget it may belong, as in 2026-01-31. */
  day: string
  /** Absent until it is signed; then the same bytes are sent again after a crash or a reorganisation, or replaced. */
  transaction?: SignedTransaction
  /** It was seen in a block. */
  mined: boolean
}

/** The transactions of the newest day and all whose end is not known, and the newest day that was reached. */
export interface SpendingBook {
  list(): SpendingEntry[]
  /** In memory, at once; `record` makes the writes. */
  add(purpose: Purpose, day: string): SpendingEntry
  /** The writes that put a new entry on disk, with the day, and take away the entries that are over by then. */
  record(entry: SpendingEntry, today: string): Write[]
  get(id: number): SpendingEntry | undefined
  /** Changes fields of the entry as it is by now. On disk when it resolves. */
  update(id: number, change: Partial<SpendingEntry>): Promise<void>
  drop(id: number): Promise<void>
  /** From memory only: its write failed. */
  forget(entry: SpendingEntry): void
  /** The newest day that is on disk; empty when there is none. */
  readonly savedDay: string
}

/** Reads the entries. What the process had not signed when it ended never left: it is taken away. */
export async function openSpendingBook(storage: Storage): Promise<SpendingBook> {
  const found = (await listRecords<SpendingEntry>(storage, PREFIX)).map(({ value }) => value)
  const unsent = found.filter(({ transaction }) => !transaction)
  if (unsent.length > 0) await storage.batch(unsent.map(remove))
  const savedDay = (await getRecord<{ day: string }>(storage, DAY))?.day ?? ''
  const entries = new Map(found.filter(({ transaction }) => transaction).map((entry) => [entry.id, entry]))
  let next = (found.at(-1)?.id ?? 0) + 1
  return {
    savedDay,
    list: () => [...entries.values()],
    add(purpose, day) {
      const entry = { ...purpose, id: next++, day, mined: false }
      entries.set(entry.id, entry)
      return entry
    },
    record(entry, today) {
      const over = [...entries.values()].filter(({ mined, day }) => mined && day < today)
      for (const { id } of over) entries.delete(id)
      return [put(entry), { key: DAY, value: encodeRecord({ day: today }) }, ...over.map(remove)]
    },
    get: (id) => entries.get(id),
    async update(id, change) {
      const entry = entries.get(id)
      if (!entry) throw new PostriderError('CLIENT_STORAGE_CORRUPT', { detail: `no spending ${id}` })
      const changed = { ...entry, ...change }
      entries.set(id, changed)
      await storage.batch([put(changed)])
    },
    drop(id) {
      entries.delete(id)
      return storage.batch([remove({ id })])
    },
    forget: ({ id }) => void entries.delete(id),
  }
}

// Ascending keys are the order of the ids.
const keyOf = (id: number): string => PREFIX + String(id).padStart(12, '0')
const put = (entry: SpendingEntry): Write => ({ key: keyOf(entry.id), value: encodeRecord(entry) })
const remove = ({ id }: Pick<SpendingEntry, 'id'>): Write => ({ key: keyOf(id), value: undefined })
