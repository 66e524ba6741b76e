import { type ErrorCode, errorTable } from '@postrider/protocol/errors'
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

/** Why a claim is not made now; null if it is made at the next look or on command. */
export function heldReason(held: HeldReason | undefined): Reason | null {
  return held === undefined || held === 'manual' ? null : reasonOf(HELD[held])
}
