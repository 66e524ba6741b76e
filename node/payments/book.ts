import { PostriderError } from '@postrider/protocol/errors'
import {
  type AccountEffect,
  type AccountEvent,
  type AccountRules,
  type AccountState,
  type AccountStep,
  accountReducer,
  type ChannelDescriptor,
} from '@postrider/protocol/payment'
import type { Hex } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { newAccount, toRecord, withChannel } from './account.ts'
import { createAccountCache, type Entry } from './account-cache.ts'
import { createCommitter } from './committer.ts'
import type { AccountRecord, ChargeRecord, EscrowView, Ledger, Service } from './types.ts'

export type BookComponents = {
  ledger: Ledger
  escrow: Pick<EscrowView, 'channel'>
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type ChargeEvent = Extract<AccountEvent, { type: 'charge' }> & { service: Service }

/** An event of an account; a charge also says for what. The channel's own events come from the chain. */
export type BookEvent = Extract<AccountEvent, { type: 'voucher' | 'tick' }> | ChargeEvent

/** What an event did; the record is on disk. */
export type Applied = { effects: readonly AccountEffect[]; record: AccountRecord }

/** Why an account changed: the client paid, a request was charged, or the chain changed the channel. */
export type BookCause = 'voucher' | 'tick' | 'charge' | 'channel'
export type BookListener = (record: AccountRecord, cause: BookCause) => void

/**
 * The accounts of all channels: the only writer of the ledger's accounts.
 *
 * An account handles one event at a time, because the reducer runs without an await between reading the state
 * and keeping the next one. The next event need not wait until the last one is on disk, but its result does:
 * nothing leaves here that a crash could take back.
 */
export type AccountBook = {
  /**
   * Loads an account, or creates it, with the channel as the chain has it now. It stays in memory until
   * `release`.
   *
   * @throws PostriderError `PAYMENT_CHANNEL_UNKNOWN`, `PAYMENT_CHANNEL_CLOSING`, `PAYMENT_LEDGER_UNAVAILABLE`, or what
   *   the view throws
   */
  hold(channelId: Hex, descriptor: ChannelDescriptor): Promise<AccountRecord>
  release(channelId: Hex): void
  /** Runs `check` on the state of an account and applies the event that it returns, if any. */
  apply(channelId: Hex, check: (state: AccountState, record: AccountRecord) => BookEvent): Promise<Applied>
  /** Reads the channel from the chain again; does nothing for a channel without an account. */
  refresh(channelId: Hex): Promise<void>
  /**
   * Takes no more payments or requests of channels that the node is about to end: `PAYMENT_CHANNEL_CLOSING` from now
   * on, until `reopen` or their end. What was taken before is on disk when this resolves.
   *
   * @throws PostriderError `PAYMENT_LEDGER_UNAVAILABLE`; the channels stay refused
   */
  refuse(channelIds: readonly Hex[]): Promise<void>
  /** Takes payments of these channels again. */
  reopen(channelIds: readonly Hex[]): void
  /** Calls `listener` with each record that became durable, in order. */
  subscribe(listener: BookListener): () => void
  /** Resolves when nothing waits for the ledger. */
  settle(): Promise<void>
}

/** @param rules what the operator risks; `freeRequests` is 0, since a bound account always pays */
export function createAccountBook(components: BookComponents, rules: AccountRules): AccountBook {
  const { ledger, escrow, clock, logger, metrics } = components
  const cache = createAccountCache(ledger)
  const refreshing = new Map<Hex, Promise<void>>()
  /** Channels that the node itself is about to end. */
  const ending = new Set<Hex>()
  const listeners = new Set<BookListener>()
  const committer = createCommitter({
    ledger,
    metrics,
    onFailure() {
      metrics.error('PAYMENT_LEDGER_UNAVAILABLE')
      logger.error({ accounts: cache.size() }, 'ledger failed: accounts are read again before they are used')
      cache.clear()
    },
  })
  metrics.gauge('payment_accounts_loaded', {
    help: 'Accounts in memory',
    collect: (gauge) => gauge.set(cache.size()),
  })

  const write = (
    entry: Entry,
    record: AccountRecord,
    cause: BookCause,
    charge?: ChargeRecord,
  ): Promise<void> => {
    entry.record = record
    entry.pending++
    entry.durable = committer
      .write(record, charge)
      .finally(() => entry.pending--)
      .then(() => {
        for (const listener of listeners) listener(record, cause)
      })
    entry.durable.catch(() => undefined) // each caller awaits its own branch
    return entry.durable
  }

  /** What is paid after the last claim was taken would be lost; a request that was charged is answered again. */
  const reduce = (state: AccountState, event: BookEvent): AccountStep => {
    const { channel } = state
    if (!channel || !ending.has(channel.id)) return accountReducer(state, event, rules)
    if (event.type !== 'charge') throw new PostriderError('PAYMENT_CHANNEL_CLOSING')
    const step = accountReducer({ ...state, channel: { ...channel, status: 'closing' } }, event, rules)
    return { ...step, state: { ...step.state, channel } }
  }

  const step = async (entry: Entry, event: BookEvent): Promise<Applied> => {
    if (committer.isFull()) throw new PostriderError('PAYMENT_OVERLOADED')
    const nowMs = clock.nowMs()
    const before = entry.state
    const { state, effects } = reduce(before, event)
    entry.state = state
    if (!changesRecord(before, state)) {
      const { record, durable } = entry
      await durable
      return { effects, record }
    }
    const record = toRecord(entry.record, state, nowMs)
    const charge = event.type === 'charge' ? toCharge(record.channelId, event, nowMs) : undefined
    await write(entry, record, event.type, charge)
    return { effects, record }
  }

  const applyChannel = (entry: Entry, fresh: AccountRecord): Promise<void> => {
    const { channelId: id, deposit, status } = fresh
    const channel = { id, deposit, status }
    if (status === 'closed') ending.delete(id)
    entry.state = accountReducer(entry.state, { type: 'channel', channel }, rules).state
    return write(entry, { ...fresh, updatedMs: clock.nowMs() }, 'channel')
  }

  const readChannel = async (channelId: Hex): Promise<void> => {
    if (!(await cache.load(channelId))) return
    const view = await escrow.channel(channelId)
    await cache.use(channelId, (entry) => {
      const fresh = withChannel(entry.record, view)
      return sameChannel(entry.record, fresh) ? entry.durable : applyChannel(entry, fresh)
    })
  }

  // Reads of one channel follow each other, so that an older answer never replaces a newer one.
  const refresh = (channelId: Hex): Promise<void> => {
    const before = refreshing.get(channelId) ?? Promise.resolve()
    const next = before.catch(() => undefined).then(() => readChannel(channelId))
    refreshing.set(channelId, next)
    const forget = () => {
      if (refreshing.get(channelId) === next) refreshing.delete(channelId)
    }
    next.then(forget, forget)
    return next
  }

  const open = async (channelId: Hex, descriptor: ChannelDescriptor): Promise<AccountRecord> => {
    if (ending.has(channelId)) throw new PostriderError('PAYMENT_CHANNEL_CLOSING')
    const view = await escrow.channel(channelId)
    if (!view) throw new PostriderError('PAYMENT_CHANNEL_UNKNOWN', { data: { channelId } })
    if (!(await cache.load(channelId)) && !cache.get(channelId)) {
      const entry = cache.remember(newAccount(channelId, descriptor, clock.nowMs()), [])
      await applyChannel(entry, withChannel(entry.record, view))
    }
    await refresh(channelId)
    return cache.use(channelId, async ({ record, durable }) => {
      await durable
      return record
    })
  }

  return {
    async hold(channelId, descriptor) {
      cache.hold(channelId)
      try {
        return await open(channelId, descriptor)
      } catch (error) {
        cache.release(channelId)
        throw error
      }
    },
    release: cache.release,
    apply: (channelId, check) =>
      cache.use(channelId, (entry) => step(entry, check(entry.state, entry.record))),
    refresh,
    async refuse(channelIds) {
      for (const channelId of channelIds) ending.add(channelId)
      await Promise.all(channelIds.map((channelId) => cache.get(channelId)?.durable))
    },
    reopen(channelIds) {
      for (const channelId of channelIds) ending.delete(channelId)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    settle: () => committer.settle(),
  }
}

/** Whether a step moved what is on disk; how often a request was repeated is not. */
function changesRecord(before: AccountState, after: AccountState): boolean {
  return before.voucher !== after.voucher || before.tick !== after.tick || before.spent !== after.spent
}

function sameChannel(a: AccountRecord, b: AccountRecord): boolean {
  return (
    a.status === b.status && a.deposit === b.deposit && a.settled === b.settled && a.closeAt === b.closeAt
  )
}

function toCharge(channelId: Hex, event: ChargeEvent, nowMs: number): ChargeRecord {
  const { requestId, service, price, epoch } = event
  return { channelId, requestId, service, price, epoch, createdMs: nowMs }
}
