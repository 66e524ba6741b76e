import { PostriderError } from '@postrider/protocol/errors'
import type { Hex } from '@postrider/protocol/wire'
import type { ChainReader, ChainWriter, ChannelState } from '../chain/types.ts'
import type { Clock } from '../core/clock.ts'
import type { Emitter } from '../core/emitter.ts'
import type { KeyedMutex } from '../core/mutex.ts'
import type { ChannelBook } from './book.ts'
import { REREAD_PAUSES_MS } from './constants.ts'
import type { ChannelKeys } from './keys.ts'
import { promisedTotal } from './promised.ts'
import type { Spending } from './spending.ts'
import { overcharged } from './tally.ts'
import type { ChannelRecord, WalletEvents } from './types.ts'

export type ChannelsComponents = {
  reader: Pick<ChainReader, 'channel' | 'tokenBalance'>
  writer: ChainWriter
  keys: ChannelKeys
  book: ChannelBook
  spending: Spending
  clock: Clock
  events: Emitter<WalletEvents>
}

/** Components, and what readings need. */
export type ChannelParts = ChannelsComponents & {
  /** A lock by channel: a reading that was asked for earlier never overwrites a later one. */
  reading: KeyedMutex
  /** Channels of which the chain has less than it had, until their transactions were looked for. */
  takenBack: Set<Hex>
  /** One more. */
  onTakenBack(record: ChannelRecord): void
}

/** Takes over what the contract says of a channel. */
export function readAgain(parts: ChannelParts, record: ChannelRecord): Promise<ChannelRecord> {
  return parts.reading.run(record.channelId, () => readOnce(parts, record))
}

async function readOnce(parts: ChannelParts, record: ChannelRecord): Promise<ChannelRecord> {
  const { book, events } = parts
  const { channelId, operator } = record
  const before = book.get(channelId) ?? record
  const state = await readSteadily(parts, before)
  const change = changeBy(before, state)
  if (!change) return before
  const after = { ...before, ...change }
  const promised = promisedTotal(before.promised)
  if (before.known && after.settled > promised) {
    events.emit('failed', { operator, error: overcharged(after.settled, promised) })
  }
  const saved = await book.update(channelId, change)
  if (isLess(before, state)) {
    events.emit('failed', { operator, error: takenBack(before, state) })
    parts.takenBack.add(channelId)
    parts.onTakenBack(saved)
  }
  return saved
}

/** A reading that shows less than the last one is looked at again before it is believed. */
async function readSteadily({ reader, clock }: ChannelParts, before: ChannelRecord): Promise<ChannelState> {
  let state = await reader.channel(before.channelId)
  for (const pauseMs of REREAD_PAUSES_MS) {
    if (!isLess(before, state)) break
    await clock.sleep(pauseMs)
    state = await reader.channel(before.channelId)
  }
  return state
}

const LIFE: readonly ChannelState['status'][] = ['none', 'open', 'closing', 'closed']

/** Deposits and totals never fall and a life never goes back, but in a reorganisation. */
function isLess(before: ChannelRecord, { status, deposit, settled }: ChannelState): boolean {
  if (before.status === 'opening') return false
  return (
    deposit < before.deposit || settled < before.settled || LIFE.indexOf(status) < LIFE.indexOf(before.status)
  )
}

type Change = Pick<ChannelRecord, 'status' | 'deposit' | 'settled' | 'closeAt'>

function changeBy(before: ChannelRecord, state: ChannelState): Change | undefined {
  const { status, deposit, settled, closeAt } = state
  if (status !== 'none') return { status, deposit, settled, closeAt }
  if (before.status === 'opening') return undefined
  // Its opening was taken back: one that was in use is opened again, with all that it held.
  const next = before.status === 'open' ? 'opening' : 'closed'
  return { status: next, deposit: next === 'opening' ? before.deposit : 0n, settled, closeAt }
}

function takenBack(before: ChannelRecord, { status, deposit, settled }: ChannelState): PostriderError {
  const text = (state: Pick<ChannelRecord, 'deposit' | 'settled'> & { status: string }) =>
    `${state.status}, deposit ${state.deposit}, settled ${state.settled}`
  return new PostriderError('CLIENT_CHAIN_REORGANISED', {
    detail: `${text({ status, deposit, settled })} instead of ${text(before)}`,
    data: { channelId: before.channelId, operator: before.operator },
  })
}
