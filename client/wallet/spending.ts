import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { formatAmount } from '@postrider/protocol/payment'
import type { ChainReader, ChainWriter, Keep } from '../chain/types.ts'
import { larger } from '../core/bigint.ts'
import type { Clock } from '../core/clock.ts'
import { createMutex } from '../core/mutex.ts'
import type { Storage, Write } from '../storage/types.ts'
import { DAY_MS } from './constants.ts'
import { openSpendingBook, type Purpose, type SpendingBook, type SpendingEntry } from './spending-book.ts'

/**
 * The tokens that leave this wallet on one UTC day, by transaction.
 *
 * Two clocks say which day it is, this machine's and the newest block's. A day begins when both have reached it, and
 * never ends again; what is spent counts for the later one of the two, at most a day ahead of this machine's. So
 * neither a clock that is set wrong nor a chain that lies renews a budget.
 */
export interface Spending {
  /** What today's budget still allows, base units. @throws PostriderError `CLIENT_CHAIN_UNAVAILABLE` */
  remaining(): Promise<bigint>
  /**
   * Counts a transaction in today's budget and sends it, after the end of those before it is known. What `send` keeps is
   * on disk before it leaves; what replaces it counts no second time.
   *
   * @param record makes the writes, with whatever must be on disk together with them
   * @throws PostriderError `CLIENT_BUDGET_EXCEEDED`, what `record` and `send` throw
   */
  spend(
    purpose: Purpose,
    record: (writes: readonly Write[]) => Promise<unknown>,
    send: (keep: Keep) => Promise<void>,
  ): Promise<void>
  /** True while it is not known what became of a transaction about this. */
  pending(about: string): boolean
  /** True if a transaction about this is pending, or was mined lately. */
  has(about: string): boolean
  /**
   * What the contract holds of this at least, by the transactions that were mined lately. An endpoint that shows less
   * even after `recheck` is behind.
   */
  least(about: string): bigint
  /**
   * Looks for every transaction that is pending or was mined lately: one that is not in the chain is sent again and
   * waited for; one that never can be gives its amount back to the budget.
   */
  recheck(): Promise<void>
}

export type SpendingComponents = {
  storage: Storage
  clock: Clock
  reader: Pick<ChainReader, 'head'>
  writer: Pick<ChainWriter, 'conclude'>
}

/** @param limit base units a day */
export async function openSpending(components: SpendingComponents, limit: bigint): Promise<Spending> {
  const { storage, writer } = components
  const book = await openSpendingBook(storage)
  const turn = createMutex()
  const days = createDays(components, book.savedDay)
  const settle = async ({ id, transaction }: SpendingEntry): Promise<void> => {
    if (!transaction) return
    const outcome = await writer.conclude(transaction, (next) => book.update(id, { transaction: next }))
    if (outcome !== 'mined') await giveBack(book, id)
    else if (!book.get(id)?.mined) await book.update(id, { mined: true })
  }
  /** A nonce is of use only after the one before it. */
  const settleAll = async (concerned: (entry: SpendingEntry) => boolean): Promise<void> => {
    for (const entry of book.list().filter(concerned).sort(byNonce)) await settle(entry)
  }
  return {
    async remaining() {
      const { today } = await days.now()
      return leftOf(book.list(), limit, today)
    },
    async spend(purpose, record, send) {
      const { today, latest } = await days.now()
      // From here to `add` without a pause: two that start together see each other.
      const left = leftOf(book.list(), limit, today)
      if (purpose.amount > left) throw exceeded(purpose.amount, left, limit, today)
      const entry = book.add(purpose, latest)
      await record(book.record(entry, today)).catch((error) => {
        book.forget(entry)
        throw error
      })
      // In turn: a permit is signed for the nonce after the last one, which one that still waits would use up.
      await turn.run(() =>
        sendKept(book, entry.id, async (keep) => {
          await settleAll(({ mined }) => !mined)
          await send(keep)
        }),
      )
    },
    pending: (about) => book.list().some((entry) => entry.about === about && !entry.mined),
    has: (about) => book.list().some((entry) => entry.about === about),
    least: (about) =>
      book
        .list()
        .filter((entry) => entry.about === about && entry.mined)
        .reduce((most, { total }) => larger(most, total), 0n),
    recheck: () => turn.run(() => settleAll(() => true)),
  }
}

const nonceOf = ({ transaction }: SpendingEntry): number => transaction?.nonce ?? 0
const byNonce = (a: SpendingEntry, b: SpendingEntry): number => nonceOf(a) - nonceOf(b)

/** Takes away what never took effect; what came after it about the same ends with so much less. */
async function giveBack(book: SpendingBook, id: number): Promise<void> {
  const gone = book.get(id)
  if (!gone) return
  await book.drop(id)
  for (const { id: later, about, total } of book.list()) {
    if (about === gone.about && later > id) await book.update(later, { total: total - gone.amount })
  }
}

async function sendKept(book: SpendingBook, id: number, send: (keep: Keep) => Promise<void>): Promise<void> {
  let signed = false
  try {
    await send(async (transaction) => {
      await book.update(id, { transaction })
      signed = true
    })
  } catch (error) {
    // Whatever else happened, what was signed may still be mined.
    if (!signed || isEnd(error)) await book.drop(id)
    throw error
  }
  await book.update(id, { mined: true })
}

/** A transaction that was reverted, or whose nonce another one took. */
const isEnd = (error: unknown): boolean =>
  isPostriderError(error) && error.code === 'CLIENT_TRANSACTION_FAILED'

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
const earlier = (a: number, b: number): number => (a < b ? a : b)

/** The day by both clocks: the one that has begun for sure, and the last one that it may be. */
function createDays({ clock, reader }: Pick<SpendingComponents, 'clock' | 'reader'>, saved: string) {
  let today = saved
  return {
    async now(): Promise<{ today: string; latest: string }> {
      const { atMs } = await reader.head()
      const nowMs = clock.nowMs()
      const begun = dayOf(earlier(nowMs, atMs))
      if (begun > today) today = begun
      const possible = dayOf(nowMs > atMs ? nowMs : earlier(atMs, nowMs + DAY_MS))
      return { today, latest: possible > today ? possible : today }
    },
  }
}

function leftOf(entries: readonly SpendingEntry[], limit: bigint, today: string): bigint {
  const counted = entries.filter(({ day }) => day >= today)
  const left = counted.reduce((sum, { amount }) => sum - amount, limit)
  return left > 0n ? left : 0n
}

function exceeded(needed: bigint, remaining: bigint, limit: bigint, today: string): PostriderError {
  const dayEndsAt = new Date(Date.parse(today) + DAY_MS).toISOString()
  return new PostriderError('CLIENT_BUDGET_EXCEEDED', {
    detail: `the daily budget: ${formatAmount(needed)} needed, ${formatAmount(remaining)} left until ${dayEndsAt}`,
    data: {
      limit: 'daily',
      allowed: limit.toString(),
      needed: needed.toString(),
      remaining: remaining.toString(),
      dayEndsAt,
    },
  })
}
