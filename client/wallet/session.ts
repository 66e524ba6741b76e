import { PostriderError } from '@postrider/protocol/errors'
import { type AccountView, MAX_TICKS, type PaymentDomain, type Terms } from '@postrider/protocol/payment'
import type { Hex } from '@postrider/protocol/wire'
import { larger, smaller } from '../core/bigint.ts'
import type { Clock } from '../core/clock.ts'
import type { Emitter } from '../core/emitter.ts'
import { toPostriderError } from '../core/errors.ts'
import { createMutex } from '../core/mutex.ts'
import { bindUntil, type Desk, provenTotal, resume, sendPromised } from './bind.ts'
import type { ChannelBook } from './book.ts'
import type { Channels } from './channels.ts'
import { ACKNOWLEDGE_TIMEOUT_MS, PUSHES_AHEAD } from './constants.ts'
import type { ChannelKeys } from './keys.ts'
import { createAccountLink } from './link.ts'
import { nextPayment, promisedTotal } from './promised.ts'
import { isOwnShortage } from './shortage.ts'
import type { PaymentStream } from './stream.ts'
import { createTally, overcharged, type Tally } from './tally.ts'
import type { ChannelRecord, WalletEvents } from './types.ts'

export type SessionComponents = {
  stream: PaymentStream
  channels: Pick<Channels, 'raise' | 'replenish'>
  book: ChannelBook
  keys: ChannelKeys
  clock: Clock
  events: Emitter<WalletEvents>
  /** By channel, those that went on from what the node and the record say; kept from one session to the next. */
  tallies: Map<Hex, Tally>
}

export type SessionOptions = { domain: PaymentDomain; clientPeerId: string; nodePeerId: string }

/** One connection's payments over one channel. */
export interface Session {
  readonly terms: Terms
  /** What broke the session; undefined while it works. */
  failure(): PostriderError | undefined
  bound(): boolean
  /**
   * Binds the channel to the connection and brings both sides to the same totals.
   *
   * @throws PostriderError `CLIENT_PAYMENT_FAILED`, `CLIENT_OVERCHARGED`, `CLIENT_TIMEOUT`, `CLIENT_STREAM_FAILED`
   */
  bind(record: ChannelRecord, signal?: AbortSignal): Promise<void>
  /**
   * Makes sure that the deposit covers a request of this price, so that it need not wait for the chain.
   *
   * @throws PostriderError what topping up throws
   */
  ready(price: bigint, signal?: AbortSignal): Promise<void>
  /**
   * Counts a request and pays for it; resolves when the payment is on its way (or, where the node serves nothing
   * unpaid, when the node has it). Call `finish` with the same price when the request is over.
   */
  begin(price: bigint, signal?: AbortSignal): Promise<void>
  finish(price: bigint): void
  /**
   * After a 402: pays what was counted and waits until the node has it.
   *
   * @param stated the total in the description of the answer, base units; the payment stream says it too
   * @throws PostriderError `CLIENT_OVERCHARGED` when the node asked for more than was counted
   */
  meet(
    requestId: string,
    options: { stated: bigint | undefined; signal: AbortSignal | undefined },
  ): Promise<void>
  /** A pushed message came: counts it and pays in the background. */
  pushed(): void
  close(): Promise<void>
}

export function createSession(components: SessionComponents, options: SessionOptions): Session {
  const { stream, book, channels, tallies } = components
  const { terms } = stream
  let tally = createTally(0n)
  const turn = createMutex()
  const pushesAhead = terms.prices.push * PUSHES_AHEAD
  let channel: Hex | undefined
  let resumed = false
  /** A turn to settle waits that nobody awaits. */
  let settling = false
  /** Up to here the node was paid, or will be, for pushes under way. */
  let advance = 0n

  const record = (): ChannelRecord => {
    const found = channel && book.get(channel)
    if (!found) throw new PostriderError('CLIENT_CHANNEL_UNUSABLE', { detail: 'no channel is bound' })
    return found
  }
  const promised = () => promisedTotal(record().promised)
  const note = () => channel && book.count(channel, tally.spent())
  /**
   * Before the first account of a process, requests may have been spent that no record shows: the last process or the
   * storage was lost. What was promised covers them, and nothing that only the node says.
   */
  const excused = (account: AccountView): bigint =>
    tallies.get(record().channelId) === tally ? 0n : larger(promised(), provenTotal(desk, record(), account))
  const dueNow = () => larger(tally.spent(), advance)
  const link = createAccountLink({
    ...components,
    onAccount: (account) => tally.check(account, excused(account)),
    onDemand(total) {
      // At most a few pushes ahead of what was counted: that is all that the node can know of and we cannot.
      advance = larger(advance, smaller(total, tally.spent() + pushesAhead))
      if (resumed) settleSoon()
    },
  })
  const desk: Desk = {
    ...components,
    ...options,
    link,
    get tally() {
      return tally
    },
  }
  const inBackground = (task: Promise<void>) =>
    void task.catch((cause) => {
      const error = toPostriderError(cause, 'CLIENT_STREAM_FAILED')
      // No money is no reason to hang up: the node stops by itself, and money may come.
      if (!isOwnShortage(error)) return link.fail(error)
      components.events.emit('failed', { operator: record().operator, error })
    })

  /** Promises up to what was counted, in one turn for all the requests that wait. */
  const settle = (signal?: AbortSignal) =>
    turn.run(async () => {
      settling = false
      for (let due = dueNow(); promised() < due; due = dueNow()) {
        await payOnce(desk, channels, record(), due, signal)
      }
      channels.replenish(record())
    })
  /** One turn is enough for all that a node asks for and pushes until it comes. */
  const settleSoon = () => {
    if (settling) return
    settling = true
    inBackground(settle())
  }

  return {
    terms,
    failure: link.failure,
    bound: () => resumed && !link.failure(),
    async bind(next, signal) {
      channel = next.channelId
      tally = tallies.get(channel) ?? createTally(next.known ? next.spent : 0n)
      tally.connect(terms.prices.push)
      // A node that does not see a top-up yet would refuse what was promised after it.
      const total = promised()
      await bindUntil(desk, next, ({ deposit }) => deposit >= total, signal)
      const account = link.account()
      if (account) await resume(desk, record(), account)
      tallies.set(next.channelId, tally)
      resumed = true
    },
    ready: (price, signal) =>
      turn.run(async () => {
        const total = tally.spent() + price
        if (total > smaller(record().deposit, link.account()?.deposit ?? 0n)) {
          await raiseDeposit(desk, channels, record(), total, signal)
        }
      }),
    async begin(price, signal) {
      tally.start(price)
      const total = tally.spent()
      await settle(signal)
      if (total <= (link.account()?.paid ?? 0n) + terms.unpaidLimit) return
      await link.until(({ paid }) => paid >= total, ACKNOWLEDGE_TIMEOUT_MS, signal)
    },
    finish(price) {
      tally.finish(price)
      note()
    },
    async meet(requestId, { stated, signal }) {
      const wanted = larger(link.takeDemand(requestId) ?? 0n, stated ?? 0n)
      const most = larger(tally.spent() + pushesAhead, promised())
      if (wanted > most) link.fail(overcharged(wanted, tally.spent()))
      await settle(signal)
      const total = promised()
      await link.until(({ paid }) => paid >= total, ACKNOWLEDGE_TIMEOUT_MS, signal)
    },
    pushed() {
      if (!resumed) return
      tally.push()
      note()
      settleSoon()
    },
    async close() {
      await link.close()
      if (resumed) await book.update(record().channelId, { spent: tally.spent() })
    },
  }
}

/** One payment up to what was counted; on disk before it is sent. Raises the deposit first where it must. */
async function payOnce(
  desk: Desk,
  channels: SessionComponents['channels'],
  record: ChannelRecord,
  due: bigint,
  signal?: AbortSignal,
): Promise<void> {
  const { link, tally, book } = desk
  const failure = link.failure()
  if (failure) throw failure
  const { prices, maxTicks } = link.terms
  const payment = nextPayment(record.promised, due, {
    // One tick pays for any one request, so the node never holds more than one request's price in advance.
    tickValue: larger(prices.publish, larger(prices.query, prices.push)),
    maxTicks: Math.min(maxTicks, MAX_TICKS),
    deposit: smaller(record.deposit, link.account()?.deposit ?? 0n),
  })
  if (!payment) return raiseDeposit(desk, channels, record, due, signal)
  try {
    const saved = await book.update(record.channelId, { promised: payment.promised, spent: tally.spent() })
    await sendPromised(desk, payment.type, saved)
  } catch (error) {
    // Memory says it is promised, but the disk or the node may not: only a new Bind brings them together again.
    const broken = toPostriderError(error, 'CLIENT_STREAM_FAILED')
    link.fail(broken)
    throw broken
  }
}

/** Tops up, and waits until the node sees it. */
async function raiseDeposit(
  desk: Desk,
  channels: SessionComponents['channels'],
  record: ChannelRecord,
  total: bigint,
  signal?: AbortSignal,
): Promise<void> {
  const raised = await channels.raise(record, total)
  await bindUntil(desk, raised, ({ deposit }) => deposit >= total, signal)
}
