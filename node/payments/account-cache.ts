import { PostriderError } from '@postrider/protocol/errors'
import { type AccountState, REQUEST_WINDOW } from '@postrider/protocol/payment'
import type { Hex } from '@postrider/protocol/wire'
import { toState } from './account.ts'
import { MAX_CACHED_ACCOUNTS } from './constants.ts'
import type { AccountRecord, ChargeRecord, Ledger } from './types.ts'

/** An account in memory; only the book changes it. */
export type Entry = {
  record: AccountRecord
  state: AccountState
  /** The last write: replies to events that changed nothing wait for it too. */
  durable: Promise<void>
  /** Writes under way; such an entry is newer than the ledger and stays in memory. */
  pending: number
}

/** The accounts that are in memory, read from the ledger when they are needed. */
export type AccountCache = {
  get(channelId: Hex): Entry | undefined
  /** Puts an account into memory that is (about to be) in the ledger. */
  remember(record: AccountRecord, charges: readonly ChargeRecord[]): Entry
  /** Brings an account into memory; false when the ledger has none. */
  load(channelId: Hex): Promise<boolean>
  /**
   * Runs `use` with the account in memory, and without an await between finding it there and using it.
   *
   * @throws PostriderError `PAYMENT_CHANNEL_UNKNOWN`, `PAYMENT_LEDGER_UNAVAILABLE`, or what `use` throws
   */
  use<T>(channelId: Hex, use: (entry: Entry) => T | Promise<T>): Promise<T>
  /** Keeps an account in memory until as many releases. */
  hold(channelId: Hex): void
  release(channelId: Hex): void
  /** Forgets all: what is in memory is no longer what the ledger holds. */
  clear(): void
  size(): number
}

export function createAccountCache(
  ledger: Pick<Ledger, 'account' | 'charges'>,
  limit: number = MAX_CACHED_ACCOUNTS,
): AccountCache {
  const entries = new Map<Hex, Entry>()
  const loading = new Map<Hex, Promise<boolean>>()
  const holds = new Map<Hex, number>()

  const evictIdle = () => {
    if (entries.size < limit) return
    for (const [channelId, { pending }] of entries) {
      if (pending > 0 || holds.has(channelId)) continue
      entries.delete(channelId)
      return
    }
  }

  const remember = (record: AccountRecord, charges: readonly ChargeRecord[]): Entry => {
    const state = toState(record, charges)
    const entry = { record, state, durable: Promise.resolve(), pending: 0 }
    evictIdle()
    entries.set(record.channelId, entry)
    return entry
  }

  const read = async (channelId: Hex): Promise<boolean> => {
    const record = await ledger.account(channelId)
    if (!record) return false
    const charges = await ledger.charges(channelId, REQUEST_WINDOW)
    if (!entries.has(channelId)) remember(record, charges)
    return true
  }

  const load = (channelId: Hex): Promise<boolean> => {
    if (entries.has(channelId)) return Promise.resolve(true)
    const underWay = loading.get(channelId)
    if (underWay) return underWay
    const started = read(channelId).finally(() => loading.delete(channelId))
    loading.set(channelId, started)
    return started
  }

  return {
    get: (channelId) => entries.get(channelId),
    remember,
    load,
    async use(channelId, use) {
      for (;;) {
        const entry = entries.get(channelId)
        if (entry) return await use(entry)
        if (await load(channelId)) continue
        throw new PostriderError('PAYMENT_CHANNEL_UNKNOWN', { data: { channelId } })
      }
    },
    hold: (channelId) => void holds.set(channelId, (holds.get(channelId) ?? 0) + 1),
    release(channelId) {
      const left = (holds.get(channelId) ?? 0) - 1
      if (left > 0) holds.set(channelId, left)
      else holds.delete(channelId)
    },
    clear: () => entries.clear(),
    size: () => entries.size,
  }
}
