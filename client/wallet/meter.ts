import { larger, smaller } from '../core/bigint.ts'
import { PUSH_SLACK, PUSH_SLACK_DIVISOR } from './constants.ts'

/**
 * The client's own count of what a node may have charged, base units since the channel was opened. `spent` is an
 * upper bound: every request counts from its start, whether it was answered or not, and the node's accounts bring
 * it down (free requests, requests that never arrived).
 */
export type Meter = {
  readonly spent: bigint
  /** Prices of all requests and pushes so far, and of those that are over. */
  readonly started: bigint
  readonly ended: bigint
  /** Prices of the pushed messages that came, and what was tolerated for those that did not. */
  readonly pushed: bigint
  readonly tolerated: bigint
  readonly pushPrice: bigint
}

/** A meter that goes on from a recorded `spent`. */
export function createMeter(spent: bigint, pushPrice = 0n): Meter {
  return { spent, started: 0n, ended: 0n, pushed: 0n, tolerated: 0n, pushPrice }
}

export function start(meter: Meter, price: bigint): Meter {
  return { ...meter, spent: meter.spent + price, started: meter.started + price }
}

export function end(meter: Meter, price: bigint): Meter {
  return { ...meter, ended: meter.ended + price }
}

/** A pushed message came: it is started and over at once. */
export function push(meter: Meter): Meter {
  const price = meter.pushPrice
  return { ...end(start(meter, price), price), pushed: meter.pushed + price }
}

/**
 * Takes over what the node says it has charged.
 *
 * @param endedBefore `ended` when the frame was sent that this account answers: those requests are in `spent`
 * @param excused what may be above the own count without an explanation (money that was promised already)
 * @returns undefined when the node counts more than can be
 */
export function reconcile(
  meter: Meter,
  account: { spent: bigint },
  { endedBefore, excused }: { endedBefore: bigint; excused: bigint },
): Meter | undefined {
  const excess = larger(account.spent - larger(meter.spent, excused), 0n)
  const slack = meter.pushPrice * PUSH_SLACK + meter.pushed / PUSH_SLACK_DIVISOR
  if (meter.tolerated + excess > slack) return undefined
  const raised = larger(account.spent, meter.spent)
  // Requests that were under way or came later may or may not be in the node's count.
  const bound = account.spent + (meter.started - endedBefore)
  return { ...meter, spent: smaller(bound, raised), tolerated: meter.tolerated + excess }
}
