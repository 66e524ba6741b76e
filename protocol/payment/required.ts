import { errorTable } from '../errors/index.ts'

/** Digits of the largest total, a uint128. */
const MAX_TOTAL_DIGITS = 39

const STATED = new RegExp(`^PAYMENT_REQUIRED: .* total=(0|[1-9][0-9]{0,${MAX_TOTAL_DIGITS - 1}})$`)

/**
 * The description of an answer with status 402, in every protocol.
 *
 * @param total what the account's paid total must reach, base units
 */
export function formatPaymentRequired(total: bigint): string {
  return `PAYMENT_REQUIRED: ${errorTable.PAYMENT_REQUIRED.title}: total=${total}`
}

/** The total that such a description states, base units; undefined if it states none. */
export function parsePaymentRequired(description: string): bigint | undefined {
  const digits = STATED.exec(description)?.[1]
  return digits === undefined ? undefined : BigInt(digits)
}
