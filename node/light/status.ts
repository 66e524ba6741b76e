import { type ErrorCode, errorTable, isPostriderError } from '@postrider/protocol/errors'
import { formatPaymentRequired } from '@postrider/protocol/payment'
import type { Verdict } from '@postrider/protocol/rln'

/** Status codes of lightpush and filter: those of Waku, and 402 as everywhere. */
export type Status = (typeof STATUSES)[number]

const STATUSES = [200, 400, 402, 404, 413, 420, 421, 429, 500, 503] as const

export type Answer = { status: Status; desc: string }

/** Codes whose status is not the one of their family. */
const BY_CODE: Partial<Record<ErrorCode, Status>> = {
  WIRE_TOO_LARGE: 413,
  WIRE_TOPIC_INVALID: 421,
  WIRE_SHARD_MISMATCH: 421,
  RLN_DUPLICATE: 200, // the message is on the network: for whoever sent it, that is success
  RLN_UNKNOWN_ROOT: 503,
  RLN_SLOT_BUSY: 429,
  RLN_BREACH: 429,
  RLN_NULLIFIER_SPENT: 429,
  RLN_IDS_EXHAUSTED: 429,
  RLN_EPOCH_PASSED: 503,
  LIGHT_TOO_MANY_REQUESTS: 429,
  LIGHT_TOO_MANY_SUBSCRIPTIONS: 503,
  LIGHT_NOT_SUBSCRIBED: 404,
  LIGHT_MEMBERS_UNKNOWN: 503,
  LIGHT_BUSY: 503,
  LIGHT_PROVER_MISMATCH: 503,
}

/** The status for an error code; 500 for what is nobody's request. */
export function statusFor(code: ErrorCode): Status {
  const known = BY_CODE[code]
  if (known !== undefined) return known
  if (code.startsWith('WIRE_') || code.startsWith('LIGHT_')) return 400
  if (code.startsWith('RLN_')) return 420
  const { http, retryable } = errorTable[code]
  return STATUSES.find((status) => status === http) ?? (retryable ? 503 : 500)
}

/** Status and description, `CODE: title`, so that a client can tell the cases of one status apart. */
export function answerFor(code: ErrorCode): Answer {
  return { status: statusFor(code), desc: `${code}: ${errorTable[code].title}` }
}

/** The answer for something thrown; only coded errors say what they are. */
export function answerForError(error: unknown): Answer {
  return isPostriderError(error) ? answerFor(error.code) : { status: 500, desc: 'internal error' }
}

export function answerForVerdict(verdict: Verdict): Answer {
  return verdict.kind === 'accept' ? { status: 200, desc: 'OK' } : answerFor(verdict.code)
}

/** What a client must pay up to, before it sends the same request once more. */
export function paymentRequired(total: bigint): Answer {
  return { status: 402, desc: formatPaymentRequired(total) }
}
