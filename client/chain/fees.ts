import { PostriderError } from '@postrider/protocol/errors'
import { formatGwei, type PublicClient } from 'viem'
import { larger, smaller } from '../core/bigint.ts'
import { FEE_BUMP_PERCENT, MIN_FEE_BUMP_PERCENT } from './constants.ts'

/** What is offered for one unit of gas, wei. */
export type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }

/** Fees as an endpoint asks for them, with the base fee of its newest block. */
export type Market = Fees & { baseFee: bigint }

/**
 * Fees that stay good while the base fee doubles, as far as the limit allows: an endpoint that asks for more, truly or
 * not, is not paid more.
 *
 * @throws PostriderError `CLIENT_FEE_TOO_HIGH` when the base fee alone is above the limit
 */
export async function marketFees(rpc: PublicClient, limit: bigint): Promise<Market> {
  const [block, tip] = await Promise.all([rpc.getBlock(), rpc.estimateMaxPriorityFeePerGas()])
  const baseFee = block.baseFeePerGas ?? 0n
  if (baseFee >= limit) throw tooHigh(baseFee, limit)
  const maxPriorityFeePerGas = smaller(tip, limit - baseFee)
  return { baseFee, maxFeePerGas: smaller(2n * baseFee + maxPriorityFeePerGas, limit), maxPriorityFeePerGas }
}

/**
 * Fees of a replacement: both raised, or as the market has it, as far as the limit allows; undefined when that is less
 * than what nodes replace a transaction for.
 */
export function raisedFees(before: Fees, market: Fees, limit: bigint): Fees | undefined {
  const raise = (fee: bigint, percent = FEE_BUMP_PERCENT) => (fee * percent) / 100n + 1n
  const maxFeePerGas = smaller(larger(raise(before.maxFeePerGas), market.maxFeePerGas), limit)
  const tip = larger(raise(before.maxPriorityFeePerGas), market.maxPriorityFeePerGas)
  const maxPriorityFeePerGas = smaller(tip, maxFeePerGas)
  const isEnough =
    maxFeePerGas >= raise(before.maxFeePerGas, MIN_FEE_BUMP_PERCENT) &&
    maxPriorityFeePerGas >= raise(before.maxPriorityFeePerGas, MIN_FEE_BUMP_PERCENT)
  return isEnough ? { maxFeePerGas, maxPriorityFeePerGas } : undefined
}

function tooHigh(needed: bigint, limit: bigint): PostriderError {
  return new PostriderError('CLIENT_FEE_TOO_HIGH', {
    detail: `the base fee is ${formatGwei(needed)} gwei, the limit ${formatGwei(limit)}`,
    data: { needed: needed.toString(), limit: limit.toString() },
  })
}
