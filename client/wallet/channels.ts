import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { channelId, type PaymentDomain } from '@postrider/protocol/payment'
import { type Address, equalHex } from '@postrider/protocol/wire'
import type { ChainReader, ChainWriter } from '../chain/types.ts'
import { larger, smaller } from '../core/bigint.ts'
import type { Clock } from '../core/clock.ts'
import type { Emitter } from '../core/emitter.ts'
import { toPostriderError } from '../core/errors.ts'
import { createMutex, type Mutex } from '../core/mutex.ts'
import { balanceOf, type ChannelBook } from './book.ts'
import type { DailyBudget } from './budget.ts'
import { MAX_CHANNELS_PER_PAYEE, TOP_UP_DIVISOR, TOP_UP_RETRY_MAX_MS, TOP_UP_RETRY_MS } from './constants.ts'
import type { ChannelKeys } from './keys.ts'
import { NOTHING_PROMISED, promisedTotal } from './promised.ts'
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

export function createChannels(components: ChannelsComponents, options: ChannelsOptions): Channels {
  const { writer, book, clock, events } = components
  const turns = new Map<string, Mutex>()
  const retries = new Map<string, Retry>()
  const background = new Set<Promise<void>>()

  const turnOf = (operator: Address): Mutex => {
    const key = operator.toLowerCase()
    const turn = turns.get(key) ?? createMutex()
    turns.set(key, turn)
    return turn
  }
  const latest = (record: ChannelRecord) => book.get(record.channelId) ?? record
  const refresh = (record: ChannelRecord) => readAgain(components, latest(record))

  const raise = (record: ChannelRecord, total: bigint) =>
    turnOf(record.operator).run(async () => {
      const current = latest(record)
      return current.deposit >= total ? current : topUp(components, options.budget, current, total)
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
    ensure: (operator) => turnOf(operator).run(() => ensureOpen(components, options, operator)),
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
      turnOf(record.operator).run(async () => {
        await writer.requestClose(record.descriptor)
        await book.note({ atMs: clock.nowMs(), kind: 'requestClose', amount: 0n, ...placeOf(record) })
        const closing = await refresh(record)
        events.emit('closing', balanceOf(closing))
        return closing
      }),
    withdraw: (record) =>
      turnOf(record.operator).run(async () => {
        const before = await refresh(record)
        await writer.withdrawChannel(record.descriptor)
        const amount = before.deposit - before.settled
        await book.note({ atMs: clock.nowMs(), kind: 'withdraw', amount, ...placeOf(record) })
        return refresh(record)
      }),
    async idle() {
      while (background.size > 0) await Promise.all(background)
    },
  }
}

const placeOf = ({ channelId: id, operator }: ChannelRecord) => ({ channelId: id, operator })

async function readAgain(
  { reader, book }: ChannelsComponents,
  record: ChannelRecord,
): Promise<ChannelRecord> {
  const { status, deposit, settled, closeAt } = await reader.channel(record.channelId)
  return status === 'none' ? record : book.update(record.channelId, { status, deposit, settled, closeAt })
}

async function ensureOpen(
  components: ChannelsComponents,
  options: ChannelsOptions,
  operator: Address,
): Promise<ChannelRecord> {
  const live = components.book.live(operator)
  if (live?.status === 'open') return live
  return live ? finishOpening(components, live) : openNext(components, options, operator)
}

/** Looks for the first channel to this payee that is not closed yet, and opens it if it is new. */
async function openNext(
  components: ChannelsComponents,
  options: ChannelsOptions,
  operator: Address,
): Promise<ChannelRecord> {
  const { reader, book } = components
  const earlier = book.list().filter((record) => equalHex(record.operator, operator))
  const start = Math.max(-1, ...earlier.map(({ number }) => number)) + 1
  for (let number = start; number < start + MAX_CHANNELS_PER_PAYEE; number++) {
    const record = draw(components, options, operator, number)
    const { status, ...state } = await reader.channel(record.channelId)
    if (status === 'none') return open(components, record)
    // Ours, but of another storage: take it over. What was promised on it, the node has to prove.
    const found = { ...record, ...state, status, known: false }
    await book.add(found)
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

async function open(components: ChannelsComponents, record: ChannelRecord): Promise<ChannelRecord> {
  await assertFunds(components, record.deposit)
  // On disk first: whatever happens from here on, the restart knows to look for this channel.
  await components.book.add(record, [components.daily.take(record.deposit)])
  return finishOpening(components, record)
}

/** Sends the opening, or finds out what became of one that was sent before. */
async function finishOpening(components: ChannelsComponents, record: ChannelRecord): Promise<ChannelRecord> {
  const { reader, writer, book, daily, clock, events } = components
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
  const open = await readAgain(components, record)
  await book.note({ atMs: clock.nowMs(), kind: 'open', amount: open.deposit, ...placeOf(open) })
  events.emit('opened', balanceOf(open))
  return open
}

async function topUp(
  components: ChannelsComponents,
  budget: Budget,
  record: ChannelRecord,
  total: bigint,
): Promise<ChannelRecord> {
  const { writer, book, daily, clock, events } = components
  const missing = total - record.deposit
  const room = budget.maxDeposit - record.deposit
  if (missing > room) {
    const data = { limit: 'maxDeposit', needed: total.toString(), allowed: budget.maxDeposit.toString() }
    throw new PostriderError('CLIENT_BUDGET_EXCEEDED', { detail: 'the limit of one channel', data })
  }
  const amount = smaller(larger(missing, budget.deposit), room)
  await assertFunds(components, amount)
  await book.update(record.channelId, {}, [daily.take(amount)])
  try {
    await writer.topUpChannel(record.channelId, amount)
  } catch (error) {
    const refused = isPostriderError(error) && !error.retryable
    if (refused) await book.update(record.channelId, {}, [daily.giveBack(amount)])
    throw error
  }
  const raised = await readAgain(components, record)
  await book.note({ atMs: clock.nowMs(), kind: 'topUp', amount, ...placeOf(raised) })
  events.emit('toppedUp', balanceOf(raised))
  return raised
}

async function assertFunds({ reader, writer }: ChannelsComponents, amount: bigint): Promise<void> {
  const balance = await reader.tokenBalance(writer.address)
  if (balance >= amount) return
  const data = { address: writer.address, balance: balance.toString(), needed: amount.toString() }
  throw new PostriderError('CLIENT_FUNDS_MISSING', { data })
}
