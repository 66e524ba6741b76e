import fc from 'fast-check'
import { expect, test } from 'vitest'
import { resolveAmount } from '../operator/amounts.ts'
import { ether, post } from '../operator/text.ts'
import { parseAmountArgument } from './amounts.ts'

const exact = (amount: bigint) => ({ all: false, amount })

test.each([
  ['1500', 1500n],
  ['1_500', 1500n],
  ['1.5POST', 1_500_000_000_000_000_000n],
  ['1.5 post', 1_500_000_000_000_000_000n],
  ['0.000000000000000001POST', 1n],
  ['1_000POST', 1000n * 10n ** 18n],
  ['250mPOST', 250n * 10n ** 15n],
])('%s is %s base units', (text, amount) => {
  expect(parseAmountArgument(text)).toEqual(exact(amount))
})

test('all is everything there is', () => {
  expect(resolveAmount(parseAmountArgument('all'), 7n)).toBe(7n)
  expect(resolveAmount(parseAmountArgument(' ALL '), 7n)).toBe(7n)
})

test.each([
  '',
  '-1',
  '1e18',
  '0x10',
  '1.5',
  '1,5POST',
  '.5POST',
  '1.POST',
  '0.0000000000000000001POST',
  '5ETH',
  'NaN',
  '_1',
  '1_',
  '1__0',
  '1 POST POST',
  '0',
  '0.0POST',
])('%j is refused', (text) => {
  expect(() => parseAmountArgument(text)).toThrow(expect.objectContaining({ code: 'CLI_AMOUNT_INVALID' }))
})

test('what is printed reads back to the same amount', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 128n }), (amount) => {
      expect(parseAmountArgument(post(amount))).toEqual(exact(amount))
      expect(ether(amount)).toMatch(/^\d+(\.\d+)? ETH$/)
    }),
  )
})
