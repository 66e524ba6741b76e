import { PostriderError } from '@postrider/protocol/errors'
import { z } from 'zod'
import { etherAmount, postAmount } from '../api/schemas/common.ts'

/** What an operator asks for: a number of base units, or everything there is. */
export type AmountArgument = { all: true } | { all: false; amount: bigint }

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

/** Amounts as the API writes them, so that one reader fits both. */
export const postJson = (amount: bigint) => z.encode(postAmount, amount)
export const etherJson = (wei: bigint) => z.encode(etherAmount, wei)
