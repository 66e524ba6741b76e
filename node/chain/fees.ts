import { PostriderError } from '@postrider/protocol/errors'
import { type ChainClient, rpcErrors } from './client.ts'
import { DEFAULT_PRIORITY_FEE, FEE_BUMP_PERCENT, MIN_FEE_BUMP_PERCENT } from './constants.ts'

/** What is offered for one unit of gas, wei. */
export type Fees = { maxFee: bigint; priorityFee: bigint }

/**
 * Fees that stay good while the base fee doubles, as far as the limit allows.
 *
 * @throws PostriderError `CHAIN_FEE_TOO_HIGH` (data: needed, limit) when the present base fee alone is above the limit
 */
export async function currentFees(client: ChainClient, limit: bigint): Promise<Fees> {
  const [baseFee, tip] = await Promise.all([readBaseFee(client), readTip(client)])
  if (baseFee + 1n > limit) {
    throw new PostriderError('CHAIN_FEE_TOO_HIGH', {
      detail: `the base fee is ${baseFee} wei, the limit ${limit}`,
      data: { needed: baseFee.toString(), limit: limit.toString() },
    })
  }
  const priorityFee = min(tip, limit - baseFee)
  return { maxFee: min(2n * baseFee + priorityFee, limit), priorityFee }
}

/**
 * Fees of a replacement: both raised, or as the market has it, as far as the limit allows; undefined when that is less
 * than what other nodes replace a transaction for.
 */
export function raisedFees(before: Fees, market: Fees, limit: bigint): Fees | undefined {
  const raise = (fee: bigint, percent: bigint) => (fee * percent) / 100n + 1n
  const [leastFee, leastTip] = [before.maxFee, before.priorityFee].map((fee) =>
    raise(fee, MIN_FEE_BUMP_PERCENT),
  ) as [bigint, bigint]
  const maxFee = min(max(raise(before.maxFee, FEE_BUMP_PERCENT), market.maxFee), limit)
  const tip = max(raise(before.priorityFee, FEE_BUMP_PERCENT), market.priorityFee)
  const priorityFee = min(tip, maxFee)
  return maxFee < leastFee || priorityFee < leastTip ? undefined : { maxFee, priorityFee }
}

async function readBaseFee(client: ChainClient): Promise<bigint> {
  const block = await rpcErrors(
    client.rpc.request({ method: 'eth_getBlockByNumber', params: ['latest', false] }),
  )
  return block?.baseFeePerGas ? BigInt(block.baseFeePerGas) : 0n
}

/** Chains that name no tip get a usual one. */
async function readTip(client: ChainClient): Promise<bigint> {
  try {
    return BigInt(await client.rpc.request({ method: 'eth_maxPriorityFeePerGas' }))
  } catch {
    return DEFAULT_PRIORITY_FEE
  }
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
