import { PostriderError } from '@postrider/protocol/errors'
import { type Address, equalHex, type Hex } from '@postrider/protocol/wire'
import { encodeRecord, listRecords, type RecordValue } from '../storage/records.ts'
import type { Storage, Write } from '../storage/types.ts'
import { promisedTotal } from './promised.ts'
import type { ChannelBalance, ChannelRecord } from './types.ts'

const PREFIX = 'wallet/channel/'

/** Every channel that this client ever opened. */
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
  drop(channelId: Hex): Promise<void>
}

/** Reads the records from the storage. */
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
    async drop(channelId) {
      records.delete(channelId)
      await storage.delete(PREFIX + channelId)
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
