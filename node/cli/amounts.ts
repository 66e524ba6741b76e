import { PostriderError } from '@postrider/protocol/errors'
import { parseAmount } from '@postrider/protocol/payment'

/** What an amount argument says: a number of base units, or everything there is. */
export type AmountArgument = { all: true } | { all: false; amount: bigint }

/**
 * Reads an amount of tokens: base units (`1500`), exact decimals with a unit (`1.5POST`, `250mPOST`), or `all`.
 * Underscores may group digits.
 *
 * @throws PostriderError `CLI_AMOUNT_INVALID`
 */
export function parseAmountArgument(text: string): AmountArgument {
  if (text.trim().toLowerCase() === 'all') return { all: true }
  try {
    return { all: false, amount: parseAmount(text.replaceAll(/(?<=\d)_(?=\d)/g, '')) }
  } catch (cause) {
    throw new PostriderError('CLI_AMOUNT_INVALID', { detail: `'${text.slice(0, 80)}'`, cause })
  }
}

/**
 * The amount in base units; `all` becomes what there is.
 *
 * @throws PostriderError `CLI_AMOUNT_INVALID` for zero
 */
export function resolveAmount(argument: AmountArgument, available: bigint): bigint {
  const amount = argument.all ? available : argument.amount
  if (amount === 0n) throw new PostriderError('CLI_AMOUNT_INVALID', { detail: 'it is zero' })
  return amount
}
