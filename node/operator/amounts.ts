import { z } from 'zod'
import { etherAmount, postAmount } from '../api/schemas/common.ts'

/** What an operator asks for: a number of base units above 0, or everything there is. */
export type AmountArgument = { all: true } | { all: false; amount: bigint }

/** The amount in base units; `all` becomes what there is, which may be nothing. */
export const resolveAmount = (argument: AmountArgument, available: bigint): bigint =>
  argument.all ? available : argument.amount

/** Amounts as the API writes them, so that one reader fits both. */
export const postJson = (amount: bigint) => z.encode(postAmount, amount)
export const etherJson = (wei: bigint) => z.encode(etherAmount, wei)
