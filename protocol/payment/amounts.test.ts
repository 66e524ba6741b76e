import { describe, expect, it } from 'vitest'
import { uint } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import { formatAmount, parseAmount } from './index.ts'

describe('amounts', () => {
  it.each([
    ['0', 0n],
    ['1500', 1500n],
    ['7 base', 7n],
    ['1gpost', 10n ** 9n],
    ['2 mPOST', 2n * 10n ** 15n],
    ['1.5 POST', 15n * 10n ** 17n],
    [' 0.000000000000000001post ', 1n],
  ])('read %j', (text, amount) => {
    expect(parseAmount(text)).toBe(amount)
  })

  it.each([
    '',
    '-1',
    '1.5',
    '1e3',
    '.5 POST',
    '1. POST',
    '1 eth',
    'POST',
    '0x10',
    '1,5 POST',
    '1.0000000000000000001 POST',
    '١ POST',
    '1 POST 2',
  ])('refuse %j', (text) => {
    expect(() => parseAmount(text)).toThrow(expect.objectContaining({ code: 'PAYMENT_AMOUNT_INVALID' }))
  })

  it.each([
    [0n, '0 POST'],
    [1n, '0.000000000000000001 POST'],
    [15n * 10n ** 17n, '1.5 POST'],
    [-(10n ** 18n), '-1 POST'],
  ])('write %s', (amount, text) => {
    expect(formatAmount(amount)).toBe(text)
  })

  it('are exact both ways', () => {
    fc.assert(
      fc.property(uint(128), (amount) => {
        expect(parseAmount(formatAmount(amount))).toBe(amount)
        expect(parseAmount(amount.toString())).toBe(amount)
      }),
    )
  })
})
