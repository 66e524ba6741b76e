import { PostriderError } from '@postrider/protocol/errors'
import { type Address, equalHex, type Hex } from '@postrider/protocol/wire'
import { decodeRecord, encodeRecord, listRecords, type RecordValue } from '../storage/records.ts'
import type { Storage, Write } from '../storage/types.ts'
import { promisedTotal } from './promised.ts'
import type { ChannelBalance, ChannelRecord, LedgerEntry } from './types.ts'

const PREFIX = 'wallet/channel/'
const LEDGER = 'wallet/ledger'

/** The client's own ledger: every channel it ever opened, and every movement on chain. */
export interface ChannelBook {
  list(): readonly ChannelRecord[]
  /** The channel to this node that can be paid with, or will be once it is opened. */
  live(operator: Address): ChannelRecord | undefined
  get(channelId: Hex): ChannelRecord | undefined
  /** Adds a record, together with `also`; on disk when it resolves. */
  add(record: ChannelRecord, also?: readonly Write[]): Promise<void>
  /**
   * Changes fields of the newest record, together with `also`. On disk when it resolves. In memory the change shows
   * at once, so that changes of different fields that overlap do not undo each other.
   */
  update(channelId: Hex, change: Partial<ChannelRecord>, also?: readonly Write[]): Promise<ChannelRecord>
  /** Keeps the own count in memory; it goes to disk with the next `update`. */
  count(channelId: Hex, spent: bigint): void
  drop(channelId: Hex, also: readonly Write[]): Promise<void>
  note(entry: LedgerEntry): Promise<void>
  /** The same as a part of another write. */
  noteWith(entry: LedgerEntry): Write
  /** Every movement on chain, oldest first. */
  ledger(): Promise<LedgerEntry[]>
}

/** Reads the ledger from the storage. */
export async function openChannelBook(storage: Storage): Promise<ChannelBook> {
  const found = await listRecords<ChannelRecord & RecordValue>(storage, PREFIX)
  const records = new Map<Hex, ChannelRecord>(found.map(({ value }) => [value.channelId, value]))
  const write = (record: ChannelRecord, also: readonly Write[]) => {
    records.set(record.channelId, record)
    return storage.batch([{ key: PREFIX + record.channelId, value: encodeRecord(record) }, ...also])
  }
  return {
    list: () => [...records.values()],
    live: (operator) =>
      [...records.values()].find(
        (record) =>
          equalHex(record.operator, operator) && (record.status === 'open' || record.status === 'opening'),
      ),
    get: (channelId) => records.get(channelId),
    add: (record, also = []) => write(record, also),
    async update(channelId, change, also = []) {
      const record = records.get(channelId)
      if (!record) throw new PostriderError('CLIENT_STORAGE_CORRUPT', { detail: `no channel ${channelId}` })
      const changed = { ...record, ...change }
      await write(changed, also)
      return changed
    },
    count(channelId, spent) {
      const record = records.get(channelId)
      if (record) records.set(channelId, { ...record, spent })
    },
    async drop(channelId, also) {
      records.delete(channelId)
      await storage.batch([{ key: PREFIX + channelId, value: undefined }, ...also])
    },
    async note(entry) {
      await storage.append(LEDGER, encodeRecord(entry))
    },
    noteWith: (entry) => ({ log: LEDGER, value: encodeRecord(entry) }),
    async ledger() {
      const entries = await storage.read(LEDGER, 0, Number.MAX_SAFE_INTEGER)
      return entries.map(({ number, value }) =>
        decodeRecord<LedgerEntry & RecordValue>(`${LEDGER}/${number}`, value),
      )
    },
  }
}

/** The record as a person wants to see it. */
export function balanceOf(record: ChannelRecord): ChannelBalance {
  const { channelId, operator, status, deposit, spent, settled, closeAt } = record
  const paid = promisedTotal(record.promised)
  return {
    channelId,
    operator,
    status,
    deposit,
    paid,
    spent,
    settled,
    remaining: deposit > paid ? deposit - paid : 0n,
    closeAt,
  }
}
