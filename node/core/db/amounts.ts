import { PostriderError } from '@postrider/protocol/errors'
import { AMOUNT_DIGITS } from '../constants.ts'

const MAX_AMOUNT = 2n ** 128n - 1n
const AMOUNT_PATTERN = new RegExp(`^[0-9]{${AMOUNT_DIGITS}}$`)

/**
 * An amount as a column holds it: 39 decimal digits with leading zeros, so that text order is numeric order.
 *
 * @param amount base units, 0 to 2^128 - 1
 * @throws PostriderError `CORE_DB_VALUE_INVALID`
 */
export function amountToText(amount: bigint): string {
  if (amount < 0n || amount > MAX_AMOUNT) {
    throw new PostriderError('CORE_DB_VALUE_INVALID', { detail: `amount ${amount}` })
  }
  return amount.toString().padStart(AMOUNT_DIGITS, '0')
}

/**
 * The amount in a column, base units.
 *
 * @throws PostriderError `CORE_DB_VALUE_INVALID`
 */
export function amountFromText(text: string): bigint {
  if (!AMOUNT_PATTERN.test(text)) {
    throw new PostriderError('CORE_DB_VALUE_INVALID', { detail: `amount "${text}"` })
  }
  return BigInt(text)
}
