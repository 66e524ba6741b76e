import type { Address } from '@postrider/protocol/wire'
import { toPostriderError } from '../core/errors.ts'
import { createKeyedMutex } from '../core/mutex.ts'
import { balanceOf } from './book.ts'
import { type ChannelsOptions, ensureOpen, followUp, raiseTo } from './channel-opening.ts'
import { type ChannelParts, type ChannelsComponents, readAgain } from './channel-reading.ts'
import { TOP_UP_DIVISOR, TOP_UP_RETRY_MAX_MS, TOP_UP_RETRY_MS } from './constants.ts'
import { promisedTotal } from './promised.ts'
import { isEmpty } from './shortage.ts'
import type { ChannelRecord } from './types.ts'

/** Channels on chain: opened, topped up and closed within the budget. */
export interface Channels {
  /**
   * The open channel to a node; opens one if there is none.
   *
   * @throws PostriderError `CLIENT_BUDGET_EXCEEDED`, `CLIENT_FUNDS_MISSING`, `CLIENT_TRANSACTION_FAILED`,
   * `CLIENT_CHAIN_UNAVAILABLE`, `CLIENT_TIMEOUT`
   */
  ensure(operator: Address): Promise<ChannelRecord>
  /** Tops up until the channel holds at least `total`. Throws as `ensure`. */
  raise(record: ChannelRecord, total: bigint): Promise<ChannelRecord>
  /** Tops up in the background when little is left; after a failure it is tried again later. */
  replenish(record: ChannelRecord): void
  /** Reads the channel from the contract again. */
  refresh(record: ChannelRecord): Promise<ChannelRecord>
  requestClose(record: ChannelRecord): Promise<ChannelRecord>
  withdraw(record: ChannelRecord): Promise<ChannelRecord>
  /** Resolves when nothing runs in the background any more. */
  idle(): Promise<void>
  /** Waits for no transaction any more; those on their way are followed up by the next client. */
  close(): Promise<void>
}

type Retry = { notBeforeMs: number; pauseMs: number }

export function createChannels(components: ChannelsComponents, options: ChannelsOptions): Channels {
  const { writer, book, clock } = components
  const turns = createKeyedMutex()
  const retries = new Map<string, Retry>()
  const background = new Set<Promise<void>>()

  const inBackground = (run: () => Promise<unknown>, operator: Address) => {
    const task: Promise<void> = run()
      .then(() => undefined)
      .catch((cause) => {
        const error = toPostriderError(cause, 'CLIENT_CHAIN_UNAVAILABLE')
        // An empty wallet has an event of its own.
        if (!isEmpty(error)) events.emit('failed', { operator, error })
      })
      .finally(() => background.delete(task))
    background.add(task)
  }
  const events = createOnceEmpty(components.events)
  const parts: ChannelParts = {
    ...components,
    events,
    reading: createKeyedMutex(),
    takenBack: new Set(),
    onTakenBack: (record) => inBackground(() => restore(record), record.operator),
  }
  const inTurn = <T>(operator: Address, task: () => Promise<T>): Promise<T> =>
    turns.run(operator.toLowerCase(), () => task().catch(events.tell))
  const latest = (record: ChannelRecord) => book.get(record.channelId) ?? record
  const refresh = (record: ChannelRecord) => readAgain(parts, latest(record))

  const raise = (record: ChannelRecord, total: bigint) =>
    inTurn(record.operator, async () => {
      const current = latest(record)
      // Enough by our record and not by the node's: the chain may have taken it back, or the node is behind.
      const seen = current.deposit < total ? current : await refresh(current).catch(() => current)
      return raiseTo(parts, options, seen, total)
    })
  /** Brings back what a reorganisation took, where that can still be done. */
  const restore = (record: ChannelRecord) => inTurn(record.operator, () => followUp(parts, latest(record)))
  const raiseLater = async (record: ChannelRecord, total: bigint) => {
    const { channelId: id } = record
    const pauseMs = Math.min((retries.get(id)?.pauseMs ?? TOP_UP_RETRY_MS / 2) * 2, TOP_UP_RETRY_MAX_MS)
    // Set before the try, so that it counts however the try ends; a success clears it.
    retries.set(id, { pauseMs, notBeforeMs: clock.nowMs() + pauseMs })
    await raise(record, total)
    retries.delete(id)
  }

  const idle = async () => {
    while (background.size > 0) await Promise.all(background)
  }
  return {
    ensure: (operator) => inTurn(operator, () => ensureOpen(parts, options, operator)),
    raise,
    replenish(record) {
      const { channelId: id, status, deposit, promised } = latest(record)
      const low = deposit - promisedTotal(promised) < options.budget.deposit / TOP_UP_DIVISOR
      if (status !== 'open' || !low || deposit >= options.budget.maxDeposit) return
      if ((retries.get(id)?.notBeforeMs ?? 0) > clock.nowMs()) return
      inBackground(() => raiseLater(record, deposit + 1n), record.operator)
    },
    refresh,
    requestClose: (record) =>
      inTurn(record.operator, async () => {
        await writer.requestClose(record.descriptor)
        const closing = await refresh(record)
        events.emit('closing', balanceOf(closing))
        return closing
      }),
    withdraw: (record) =>
      inTurn(record.operator, async () => {
        await writer.withdrawChannel(record.descriptor)
        return refresh(record)
      }),
    idle,
    close() {
      writer.close()
      return idle()
    },
  }
}

type Events = ChannelsComponents['events']

/** The emitter, which tells once that the wallet is empty, until money moves again. */
function createOnceEmpty(events: Events): Events & { tell(error: unknown): never } {
  let told = false
  const moved = () => {
    told = false
  }
  events.on('opened', moved)
  events.on('toppedUp', moved)
  return {
    ...events,
    tell(error) {
      if (isEmpty(error) && !told) {
        told = true
        events.emit('empty', error)
      }
      throw error
    },
  }
}
