import { formatAmount, TOKEN_SYMBOL } from '@postrider/protocol/payment'

/** An amount of tokens for people, exact. */
export const post = (amount: bigint): string => formatAmount(amount)

/** An amount of the chain's coin for people, exact. */
export const ether = (wei: bigint): string => formatAmount(wei).replace(new RegExp(`${TOKEN_SYMBOL}$`), 'ETH')

/** A number with its noun: `1 transaction`, `2 transactions`. */
export const counted = (count: number | bigint, one: string, many = `${one}s`): string =>
  `${count} ${BigInt(count) === 1n ? one : many}`

/** UTC to the second. */
export const time = (unixMs: number): string =>
  new Date(unixMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')

/** A span for people, in its two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}
