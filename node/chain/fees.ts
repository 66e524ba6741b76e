import { PostriderError } from '@postrider/protocol/errors'
import { type ChainClient, rpcErrors } from './client.ts'
import { DEFAULT_PRIORITY_FEE, FEE_BUMP_PERCENT } from './constants.ts'

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

/** Fees of a replacement: both raised by what nodes ask for, or as the market has it; undefined above the limit. */
export function raisedFees(before: Fees, market: Fees, limit: bigint): Fees | undefined {
  const raise = (fee: bigint) => (fee * FEE_BUMP_PERCENT) / 100n + 1n
  const maxFee = max(raise(before.maxFee), market.maxFee)
  if (maxFee > limit) return undefined
  return { maxFee, priorityFee: min(max(raise(before.priorityFee), market.priorityFee), maxFee) }
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
