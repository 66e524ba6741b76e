import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { channelId, type PaymentDomain } from '@postrider/protocol/payment'
import { type Address, equalHex } from '@postrider/protocol/wire'
import type { ChainReader, ChainWriter } from '../chain/types.ts'
import { larger, smaller } from '../core/bigint.ts'
import type { Clock } from '../core/clock.ts'
import type { Emitter } from '../core/emitter.ts'
import { toPostriderError } from '../core/errors.ts'
import { createKeyedMutex, type KeyedMutex } from '../core/mutex.ts'
import type { Write } from '../storage/types.ts'
import { balanceOf, type ChannelBook } from './book.ts'
import type { DailyBudget } from './budget.ts'
import { MAX_CHANNELS_PER_PAYEE, TOP_UP_DIVISOR, TOP_UP_RETRY_MAX_MS, TOP_UP_RETRY_MS } from './constants.ts'
import type { ChannelKeys } from './keys.ts'
import { NOTHING_PROMISED, promisedTotal } from './promised.ts'
import { movements } from './statement.ts'
import { overcharged } from './tally.ts'
import type { Budget, ChannelRecord, WalletEvents } from './types.ts'

export type ChannelsComponents = {
  reader: Pick<ChainReader, 'channel' | 'tokenBalance'>
  writer: ChainWriter
  keys: ChannelKeys
  book: ChannelBook
  daily: DailyBudget
  clock: Clock
  events: Emitter<WalletEvents>
}

export type ChannelsOptions = { domain: PaymentDomain; budget: Budget }

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
}

type Retry = { notBeforeMs: number; pauseMs: number }

/** Components, and a lock by channel: a reading that was asked for earlier never overwrites a later one. */
type Parts = ChannelsComponents & { reading: KeyedMutex }

export function createChannels(components: ChannelsComponents, options: ChannelsOptions): Channels {
  const { writer, book, clock, events } = components
  const parts: Parts = { ...components, reading: createKeyedMutex() }
  const turns = createKeyedMutex()
  const retries = new Map<string, Retry>()
  const background = new Set<Promise<void>>()

  const inTurn = <T>(operator: Address, task: () => Promise<T>) => turns.run(operator.toLowerCase(), task)
  const latest = (record: ChannelRecord) => book.get(record.channelId) ?? record
  const refresh = (record: ChannelRecord) => readAgain(parts, latest(record))

  const raise = (record: ChannelRecord, total: bigint) =>
    inTurn(record.operator, async () => {
      const current = latest(record)
      return current.deposit >= total ? current : topUp(parts, options.budget, current, total)
    })

  const inBackground = async (record: ChannelRecord, total: bigint) => {
    const { channelId: id, operator } = record
    const pauseMs = Math.min((retries.get(id)?.pauseMs ?? TOP_UP_RETRY_MS / 2) * 2, TOP_UP_RETRY_MAX_MS)
    // Set before the try, so that it counts however the try ends; a success clears it.
    retries.set(id, { pauseMs, notBeforeMs: clock.nowMs() + pauseMs })
    try {
      await raise(record, total)
      retries.delete(id)
    } catch (error) {
      events.emit('failed', { operator, error: toPostriderError(error, 'CLIENT_CHAIN_UNAVAILABLE') })
    }
  }

  return {
    ensure: (operator) => inTurn(operator, () => ensureOpen(parts, options, operator)),
    raise,
    replenish(record) {
      const { channelId: id, status, deposit, promised } = latest(record)
      const low = deposit - promisedTotal(promised) < options.budget.deposit / TOP_UP_DIVISOR
      if (status !== 'open' || !low || deposit >= options.budget.maxDeposit) return
      if ((retries.get(id)?.notBeforeMs ?? 0) > clock.nowMs()) return
      const task = inBackground(record, deposit + 1n).finally(() => background.delete(task))
      background.add(task)
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
    async idle() {
      while (background.size > 0) await Promise.all(background)
    },
  }
}

/** A channel before it was opened, for the ledger. */
const UNOPENED = { status: 'opening', deposit: 0n, settled: 0n } as const

/** Takes over what the contract says, together with what it says of movements since the last time. */
function readAgain(parts: Parts, record: ChannelRecord): Promise<ChannelRecord> {
  return parts.reading.run(record.channelId, () => readOnce(parts, record))
}

async function readOnce(parts: Parts, record: ChannelRecord): Promise<ChannelRecord> {
  const { reader, book, events } = parts
  const { status, deposit, settled, closeAt } = await reader.channel(record.channelId)
  if (status === 'none') return record
  const before = book.get(record.channelId) ?? record
  const after = { ...before, status, deposit, settled, closeAt }
  const promised = promisedTotal(before.promised)
  if (before.known && settled > promised) {
    events.emit('failed', { operator: record.operator, error: overcharged(settled, promised) })
  }
  return book.update(record.channelId, { status, deposit, settled, closeAt }, notes(parts, after, before))
}

function notes({ book, clock }: ChannelsComponents, after: ChannelRecord, before: ChannelRecord): Write[] {
  return movements(after, before, after, clock.nowMs()).map(book.noteWith)
}

async function ensureOpen(parts: Parts, options: ChannelsOptions, operator: Address): Promise<ChannelRecord> {
  const live = parts.book.live(operator)
  if (live?.status === 'open') return live
  return live ? finishOpening(parts, live) : openNext(parts, options, operator)
}

/** Looks for the first channel to this payee that is not closed yet, and opens it if it is new. */
async function openNext(parts: Parts, options: ChannelsOptions, operator: Address): Promise<ChannelRecord> {
  const { reader, book } = parts
  const earlier = book.list().filter((record) => equalHex(record.operator, operator))
  const start = Math.max(-1, ...earlier.map(({ number }) => number)) + 1
  for (let number = start; number < start + MAX_CHANNELS_PER_PAYEE; number++) {
    const record = draw(parts, options, operator, number)
    const { status, ...state } = await reader.channel(record.channelId)
    if (status === 'none') return open(parts, record)
    // Ours, but of another storage: take it over. What was promised on it, the node has to prove.
    const found = { ...record, ...state, status, known: false }
    await book.add(found, notes(parts, found, { ...found, ...UNOPENED }))
    if (status === 'open') return found
  }
  throw new PostriderError('CLIENT_CHANNEL_UNUSABLE', { detail: 'too many channels to this node' })
}

function draw(
  { keys, writer }: ChannelsComponents,
  { domain, budget }: ChannelsOptions,
  operator: Address,
  number: number,
): ChannelRecord {
  const salt = keys.salt({ chainId: domain.chainId, contract: domain.contract, payee: operator }, number)
  const descriptor = { payer: writer.address, payee: operator, signer: keys.signer(salt).address, salt }
  return {
    channelId: channelId(descriptor, domain),
    operator,
    number,
    descriptor,
    status: 'opening',
    deposit: budget.deposit,
    settled: 0n,
    closeAt: 0,
    known: true,
    promised: NOTHING_PROMISED,
    spent: 0n,
  }
}

async function open(parts: Parts, record: ChannelRecord): Promise<ChannelRecord> {
  await assertFunds(parts, record.deposit)
  // On disk first: whatever happens from here on, the restart knows to look for this channel.
  await parts.book.add(record, [parts.daily.take(record.deposit)])
  return finishOpening(parts, record)
}

/** Sends the opening, or finds out what became of one that was sent before. */
async function finishOpening(parts: Parts, record: ChannelRecord): Promise<ChannelRecord> {
  const { reader, writer, book, daily, events } = parts
  const opened = async () => (await reader.channel(record.channelId)).status !== 'none'
  if (!(await opened())) {
    try {
      await writer.openChannel(record.descriptor, record.deposit)
    } catch (error) {
      const refused = isPostriderError(error) && !error.retryable
      if (!(await opened())) {
        // Only a refusal is certain; anything else may still be mined, so the record stays.
        if (refused) await book.drop(record.channelId, [daily.giveBack(record.deposit)])
        throw error
      }
    }
  }
  const open = await readAgain(parts, record)
  events.emit('opened', balanceOf(open))
  return open
}

async function topUp(
  parts: Parts,
  budget: Budget,
  record: ChannelRecord,
  total: bigint,
): Promise<ChannelRecord> {
  const { writer, book, daily, events } = parts
  const missing = total - record.deposit
  const room = budget.maxDeposit - record.deposit
  if (missing > room) {
    const data = { limit: 'maxDeposit', needed: total.toString(), allowed: budget.maxDeposit.toString() }
    throw new PostriderError('CLIENT_BUDGET_EXCEEDED', { detail: 'the limit of one channel', data })
  }
  const amount = smaller(larger(missing, budget.deposit), room)
  await assertFunds(parts, amount)
  await book.update(record.channelId, {}, [daily.take(amount)])
  try {
    await writer.topUpChannel(record.channelId, amount)
  } catch (error) {
    const refused = isPostriderError(error) && !error.retryable
    if (refused) await book.update(record.channelId, {}, [daily.giveBack(amount)])
    throw error
  }
  const raised = await readAgain(parts, record)
  events.emit('toppedUp', balanceOf(raised))
  return raised
}

async function assertFunds({ reader, writer }: ChannelsComponents, amount: bigint): Promise<void> {
  const balance = await reader.tokenBalance(writer.address)
  if (balance >= amount) return
  const data = { address: writer.address, balance: balance.toString(), needed: amount.toString() }
  throw new PostriderError('CLIENT_FUNDS_MISSING', { data })
}
