import { MAX_TICKS } from '@postrider/protocol/payment'

/**
 * What the payer has promised on one channel: the newest voucher's total and value of a tick, and the ticks
 * revealed under it. Base units. It is on disk before the node can see it.
 */
export type Promised = { cumulative: bigint; tickValue: bigint; ticks: number }

export const NOTHING_PROMISED: Promised = { cumulative: 0n, tickValue: 0n, ticks: 0 }

/** All that the payee can claim with what it was sent. */
export function promisedTotal({ cumulative, tickValue, ticks }: Promised): bigint {
  return cumulative + BigInt(ticks) * tickValue
}

/** The next frame to send and the promise that it makes. */
export type Payment = { type: 'tick' | 'voucher'; promised: Promised }

export type PaymentLimits = {
  /** Value of a tick under a new voucher. */
  tickValue: bigint
  /** Ticks that the node takes under one voucher. */
  maxTicks: number
  /** Confirmed by both the contract and the node. */
  deposit: bigint
}

/**
 * The smallest payment that brings the promise to at least `total`: ticks where they fit, else a voucher for
 * exactly `total`. Undefined when the deposit does not cover it.
 */
export function nextPayment(promised: Promised, total: bigint, limits: PaymentLimits): Payment | undefined {
  const tick = nextTick(promised, total, limits)
  if (tick && promisedTotal(tick) <= limits.deposit) return { type: 'tick', promised: tick }
  if (total > limits.deposit) return undefined
  return { type: 'voucher', promised: { cumulative: total, tickValue: limits.tickValue, ticks: 0 } }
}

function nextTick(promised: Promised, total: bigint, { maxTicks }: PaymentLimits): Promised | undefined {
  const { cumulative, tickValue } = promised
  if (tickValue === 0n) return undefined
  const ticks = (total - cumulative + tickValue - 1n) / tickValue
  const most = BigInt(Math.min(maxTicks, MAX_TICKS))
  return ticks <= most ? { ...promised, ticks: Number(ticks) } : undefined
}
