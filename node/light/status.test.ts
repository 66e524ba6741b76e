import { type ErrorCode, errorTable, PostriderError } from '@postrider/protocol/errors'
import { describe, expect, it } from 'vitest'
import { answerForError, answerForVerdict, paymentRequired, statusFor } from './status.ts'

describe('status', () => {
  it.each<[ErrorCode, number]>([
    ['WIRE_TOO_LARGE', 413],
    ['WIRE_MALFORMED', 400],
    ['WIRE_SHARD_MISMATCH', 421],
    ['RLN_PROOF_INVALID', 420],
    ['RLN_TIMESTAMP_OUTSIDE_WINDOW', 420],
    ['RLN_DUPLICATE', 200],
    ['RLN_UNKNOWN_ROOT', 503],
    ['RLN_BREACH', 429],
    ['RELAY_OVERLOADED', 503],
    ['RELAY_LOG_FULL', 503],
    ['LIGHT_NOT_SUBSCRIBED', 404],
    ['ZK_QUEUE_FULL', 503],
    ['CORE_DB_VALUE_INVALID', 500],
    ['PAYMENT_CHANNEL_CLOSING', 402],
    ['PAYMENT_REQUEST_REPEATED', 429],
    ['PAYMENT_CHAIN_STALE', 503],
  ])('of %s is %i', (code, status) => {
    expect(statusFor(code)).toBe(status)
  })

  it('is one of the known ones for every code there is', () => {
    const known = [200, 400, 402, 404, 413, 420, 421, 429, 500, 503]
    for (const code of Object.keys(errorTable) as ErrorCode[]) expect(known, code).toContain(statusFor(code))
  })

  it('says the code, and nothing about an unexpected error', () => {
    expect(answerForVerdict({ kind: 'accept' })).toEqual({ status: 200, desc: 'OK' })
    expect(answerForVerdict({ kind: 'reject', code: 'RLN_X_ZERO' }).desc).toMatch(/^RLN_X_ZERO: /)
    expect(answerForError(new PostriderError('RLN_IDS_EXHAUSTED')).status).toBe(429)
    expect(answerForError(new TypeError('secret detail'))).toEqual({ status: 500, desc: 'internal error' })
    expect(paymentRequired(12n)).toEqual({
      status: 402,
      desc: 'PAYMENT_REQUIRED: The account does not cover this request: total=12',
    })
  })
})
