import { PostriderError } from '@postrider/protocol/errors'
import { parseAmount } from '@postrider/protocol/payment'
import type { AmountArgument } from '../operator/amounts.ts'

/**
 * Reads an amount of tokens: base units (`1500`), exact decimals with a unit (`1.5POST`, `250mPOST`), or `all`.
 * Underscores may group digits.
 *
 * @throws PostriderError `CLI_AMOUNT_INVALID`
 */
export function parseAmountArgument(text: string): AmountArgument {
  if (text.trim().toLowerCase() === 'all') return { all: true }
  const amount = parsed(text)
  if (amount === 0n) throw new PostriderError('CLI_AMOUNT_INVALID', { detail: 'it is zero' })
  return { all: false, amount }
}

function parsed(text: string): bigint {
  try {
    return parseAmount(text.replaceAll(/(?<=\d)_(?=\d)/g, ''))
  } catch (cause) {
    throw new PostriderError('CLI_AMOUNT_INVALID', { detail: `'${text.slice(0, 80)}'`, cause })
  }
}
