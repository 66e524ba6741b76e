import { type ErrorCode, errorTable } from '@postrider/protocol/errors'
import { post } from '../operator/text.ts'
import type { HeldReason } from '../payments/index.ts'

export type Reason = { code: ErrorCode; text: string }

/** What holds a claim back, as a code with an explanation. A claim that only waits for a command is not held. */
const HELD: Readonly<Record<Exclude<HeldReason, 'manual'>, ErrorCode>> = {
  inFlight: 'PAYMENT_CLAIM_IN_FLIGHT',
  proposed: 'PAYMENT_CLAIM_PROPOSED',
  retryLater: 'PAYMENT_CLAIM_PAUSED',
  belowThreshold: 'PAYMENT_CLAIM_TOO_SMALL',
}

export const HELD_REASONS = Object.keys(HELD) as (keyof typeof HELD)[]

/** A code with its title, or with what is known beyond it. */
export function reasonOf(code: ErrorCode, text: string = errorTable[code].title): Reason {
  return { code, text }
}

/**
 * Why a claim is not made now; null if it is made at the next look or on command.
 *
 * @param threshold what a claim must be worth at present, base units
 */
export function heldReason(held: HeldReason | undefined, threshold: bigint): Reason | null {
  if (held === undefined || held === 'manual') return null
  const { code, text } = reasonOf(HELD[held])
  if (held !== 'belowThreshold') return { code, text }
  return { code, text: `${text}: at the present price of gas it must be ${post(threshold)} or more` }
}
