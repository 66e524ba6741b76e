import type { Address } from '@postrider/protocol/wire'
import { type ChainClient, rpcErrors } from './client.ts'
import { readContract } from './contracts.ts'

/** What no event tells of the operator; amounts are base units of the token, or wei. */
export type OperatorState = {
  /** Native balance of the hot account. */
  ether: bigint
  /** Its token balance. */
  post: bigint
  /** One unit of gas. */
  gasPrice: bigint
  /** Newest block that the chain itself calls final; undefined if it knows no such thing. */
  finalised: bigint | undefined
  /** Where settlements are paid. */
  payout: Address
  /** Least stake of an active node. */
  minimumStake: bigint
  /** From an announced exit to the withdrawal of the stake. */
  unbondingSeconds: number
  membership: MembershipTerms
}

/** What a membership costs and what of it a slash burns; shares in hundredths of a percent. */
export type MembershipTerms = { pricePerMessage: bigint; burnBps: bigint; slashBurnBps: bigint }

const WHOLE_BPS = 10_000n

/** What slashing a member of this limit pays, base units; rounded as `Burn.sol` does. */
export function slashReward(
  limit: number,
  { pricePerMessage, burnBps, slashBurnBps }: MembershipTerms,
): bigint {
  const price = BigInt(limit) * pricePerMessage
  const deposit = price - (price * burnBps) / WHOLE_BPS
  return deposit - (deposit * slashBurnBps + WHOLE_BPS - 1n) / WHOLE_BPS
}

/**
 * Reads the operator's state at the newest block.
 *
 * @throws PostriderError `CHAIN_UNREACHABLE` and others of the chain
 */
export async function readOperatorState(client: ChainClient, account: Address): Promise<OperatorState> {
  const [ether, post, gasPrice, finalised, payout, registry, rln] = await Promise.all([
    rpcErrors(client.rpc.getBalance({ address: account })),
    readContract(client, 'token', 'balanceOf', [account]),
    rpcErrors(client.rpc.getGasPrice()),
    readFinalised(client),
    readContract(client, 'paymentChannels', 'payoutAddressOf', [account]),
    readContract(client, 'nodeRegistry', 'parameters', []),
    readContract(client, 'rlnMembership', 'parameters', []),
  ])
  const [, minimumStake, unbonding] = registry
  const [, pricePerMessage, burnBps, slashBurnBps] = rln
  return {
    ether,
    post,
    gasPrice,
    finalised,
    payout,
    minimumStake,
    unbondingSeconds: Number(unbonding),
    membership: { pricePerMessage, burnBps, slashBurnBps },
  }
}

async function readFinalised(client: ChainClient): Promise<bigint | undefined> {
  try {
    return (await client.rpc.getBlock({ blockTag: 'finalized' })).number
  } catch {
    return undefined // not every chain has finality; an outage shows in the other calls
  }
}

/** A membership as the contract has it. */
export type MemberState = {
  status: 'none' | 'active' | 'leaving' | 'withdrawn' | 'slashed'
  index: number
  /** Messages per epoch. */
  limit: number
  /** The part of the price that is paid back; base units. */
  deposit: bigint
  /** When the deposit can be withdrawn, Unix seconds; 0 unless leaving or withdrawn. */
  withdrawableAt: number
}

/** By the contract's number of the state. */
const STATUSES = ['none', 'active', 'leaving', 'withdrawn', 'slashed'] as const

/**
 * Reads one membership at the newest block.
 *
 * @throws PostriderError `CHAIN_UNREACHABLE` and others of the chain
 */
export async function readMemberState(client: ChainClient, commitment: bigint): Promise<MemberState> {
  const member = await readContract(client, 'rlnMembership', 'member', [commitment])
  const { index, limit, withdrawableAt } = member
  const status = STATUSES[member.status] ?? 'none'
  const [deposit] = limit === 0 ? [0n] : await readContract(client, 'rlnMembership', 'costOf', [limit])
  return { status, index, limit, deposit, withdrawableAt }
}
