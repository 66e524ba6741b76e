import { PostriderError } from '@postrider/protocol/errors'
import type { AccountView } from '@postrider/protocol/payment'
import { MAX_UNCONFIRMED_PAYMENTS } from './constants.ts'
import { createMeter, end, type Meter, push, reconcile, start } from './meter.ts'

/** The client's count for one channel, through all connections, compared with what the node says. */
export interface Tally {
  /** What the node may have charged so far. */
  spent(): bigint
  reset(spent: bigint): void
  /** A new connection begins: no account answers a payment of the last one. */
  connect(pushPrice: bigint): void
  start(price: bigint): void
  finish(price: bigint): void
  /** A pushed message came. */
  push(): void
  /** A payment up to `total` is about to be sent. */
  paying(total: bigint): void
  /**
   * Takes over the node's count. Returns what is wrong with it, if something is.
   *
   * @param excused what may be above the own count, because it was promised before this process
   */
  check(account: AccountView, excused: bigint): PostriderError | undefined
}

/** @param recorded what was counted before, by the channel's record */
export function createTally(recorded: bigint): Tally {
  let meter: Meter = createMeter(recorded)
  /** Payments that the node has not confirmed, with the requests that were over when they were sent. */
  let sent: { total: bigint; endedBefore: bigint }[] = []
  return {
    spent: () => meter.spent,
    reset(spent) {
      meter = { ...meter, spent }
      sent = []
    },
    connect(pushPrice) {
      meter = { ...meter, pushPrice }
      sent = []
    },
    start(price) {
      meter = start(meter, price)
    },
    finish(price) {
      meter = end(meter, price)
    },
    push() {
      meter = push(meter)
    },
    paying(total) {
      sent.push({ total, endedBefore: meter.ended })
      // Without the oldest the count comes down a little later.
      if (sent.length > MAX_UNCONFIRMED_PAYMENTS) sent.shift()
    },
    check(account, excused) {
      const answered = sent.filter(({ total }) => total <= account.paid).at(-1)
      sent = sent.filter(({ total }) => total > account.paid)
      const next = reconcile(meter, account, { endedBefore: answered?.endedBefore ?? 0n, excused })
      if (!next) return overcharged(account.spent, meter.spent)
      meter = next
      return undefined
    },
  }
}

/** The node wants more than can be. */
export function overcharged(theirs: bigint, ours: bigint): PostriderError {
  const data = { theirs: theirs.toString(), ours: ours.toString() }
  return new PostriderError('CLIENT_OVERCHARGED', { detail: `${theirs} instead of ${ours}`, data })
}
