import { PostriderError } from '../errors/index.ts'
import { TOKEN_DECIMALS, TOKEN_SYMBOL } from './constants.ts'

/** Decimals of each unit that `parseAmount` reads, by its name in lower case. */
const UNITS: Readonly<Record<string, number>> = { base: 0, gpost: 9, mpost: 15, post: TOKEN_DECIMALS }

const AMOUNT = /^(\d{1,60})(?:\.(\d{1,18}))?\s*([a-z]+)?$/i

/**
 * Reads an amount of tokens exactly: base units when there is no unit (`1500`), else a decimal with `base`,
 * `gpost` (10^9), `mpost` (10^15) or `post` (10^18), in any case.
 * @throws PAYMENT_AMOUNT_INVALID when it is no such number or has more decimals than the unit
 */
export function parseAmount(text: string): bigint {
  const [, whole, fraction = '', unit = 'base'] = AMOUNT.exec(text.trim()) ?? []
  const decimals = UNITS[unit.toLowerCase()]
  if (whole === undefined || decimals === undefined || fraction.length > decimals) {
    throw new PostriderError('PAYMENT_AMOUNT_INVALID', { detail: text.slice(0, 80) })
  }
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/** An amount of base units as a person reads it, exactly: `1.5 POST`. */
export function formatAmount(amount: bigint): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(TOKEN_DECIMALS + 1, '0')
  const whole = digits.slice(0, -TOKEN_DECIMALS)
  const fraction = digits.slice(-TOKEN_DECIMALS).replace(/0+$/, '')
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`} ${TOKEN_SYMBOL}`
}
