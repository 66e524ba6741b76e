import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPaymentRequired, parsePaymentRequired } from './required.ts'

describe('the description of status 402', () => {
  it('is a code, a sentence and the total', () => {
    expect(formatPaymentRequired(500n)).toBe(
      'PAYMENT_REQUIRED: The account does not cover this request: total=500',
    )
  })

  it('gives every total back', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 128n - 1n), (total) => {
        expect(parsePaymentRequired(formatPaymentRequired(total))).toBe(total)
      }),
    )
  })

  it.each([
    '',
    'PAYMENT_REQUIRED',
    'PAYMENT_NO_CHANNEL: No payment channel is bound to this connection',
    'PAYMENT_EXCEEDS_DEPOSIT: The total is larger: total=5',
    'PAYMENT_REQUIRED: pay: total=',
    'PAYMENT_REQUIRED: pay: total=-5',
    'PAYMENT_REQUIRED: pay: total=05',
    'PAYMENT_REQUIRED: pay: total=5.5',
    'PAYMENT_REQUIRED: pay: total=5 POST',
    'PAYMENT_REQUIRED: pay: subtotal=5',
    `PAYMENT_REQUIRED: pay: total=${'9'.repeat(40)}`,
  ])('%j states no total', (description) => {
    expect(parsePaymentRequired(description)).toBeUndefined()
  })
})
