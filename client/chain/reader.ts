import { nodeRegistryAbi, paymentChannelsAbi, postTokenAbi, rlnMembershipAbi } from '@postrider/contracts'
import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import type { MembershipChange } from '@postrider/protocol/rln'
import { createPublicClient, fallback, http, type PublicClient } from 'viem'
import {
  LOG_RANGE_BLOCKS,
  MAX_NODES,
  NODE_PAGE,
  POLL_INTERVAL_MS,
  RPC_RETRIES,
  RPC_TIMEOUT_MS,
} from './constants.ts'
import { guard } from './errors.ts'
import { readHistory } from './history.ts'
import { CHANNEL_STATUS, MEMBER_STATUS } from './status.ts'
import type { ChainReader, ChannelState, Member, RegisteredNode } from './types.ts'

/** The endpoints of the network file behind one client that goes to the next one when one fails. */
export function createRpcTransport(network: Network) {
  return fallback(
    network.rpcUrls.map((url) => http(url, { timeout: RPC_TIMEOUT_MS, retryCount: RPC_RETRIES })),
    { retryCount: 0 },
  )
}

/** Reads the four contracts of a network over JSON-RPC. */
export function createChainReader(network: Network): ChainReader {
  const rpc = createPublicClient({
    transport: createRpcTransport(network),
    pollingInterval: POLL_INTERVAL_MS,
    cacheTime: 0,
  })
  return {
    ...readChain(rpc, network),
    ...readPayments(rpc, network),
    ...readMembership(rpc, network),
    ...readHistory(rpc, network),
  }
}

function readChain(rpc: PublicClient, network: Network): Pick<ChainReader, 'checkChain' | 'nodes'> {
  return {
    async checkChain() {
      const chainId = await guard('chain id', () => rpc.getChainId())
      if (chainId === network.chainId) return
      const detail = `chain ${chainId} instead of ${network.chainId}`
      throw new PostriderError('CLIENT_WRONG_CHAIN', { detail, data: { chainId, expected: network.chainId } })
    },
    nodes: () => guard('nodes', () => readNodes(rpc, network)),
  }
}

async function readNodes(rpc: PublicClient, network: Network): Promise<RegisteredNode[]> {
  const registry = { address: network.contracts.nodeRegistry, abi: nodeRegistryAbi } as const
  // One block for all pages: positions change when an operator leaves.
  const blockNumber = await rpc.getBlockNumber()
  const [, minStake] = await rpc.readContract({ ...registry, functionName: 'parameters', blockNumber })
  const found: RegisteredNode[] = []
  for (let offset = 0; offset < MAX_NODES; offset += NODE_PAGE) {
    const args = [BigInt(offset), BigInt(NODE_PAGE)] as const
    const page = await rpc.readContract({ ...registry, functionName: 'nodes', args, blockNumber })
    found.push(...page.filter(({ stake, exitAt }) => stake >= minStake && exitAt === 0))
    if (page.length < NODE_PAGE) break
  }
  return found
}

type PaymentReads = Pick<ChainReader, 'channel' | 'tokenBalance' | 'refundOf'>

function readPayments(rpc: PublicClient, { contracts }: Network): PaymentReads {
  const channels = { address: contracts.paymentChannels, abi: paymentChannelsAbi } as const
  const token = { address: contracts.token, abi: postTokenAbi } as const
  return {
    channel: (id) =>
      guard('channel', async () => {
        const state = await rpc.readContract({ ...channels, functionName: 'channel', args: [id] })
        return { ...state, status: CHANNEL_STATUS[state.status] ?? 'closed' } satisfies ChannelState
      }),
    tokenBalance: (account) =>
      guard('balance', () => rpc.readContract({ ...token, functionName: 'balanceOf', args: [account] })),
    refundOf: (payer) =>
      guard('refund', () => rpc.readContract({ ...channels, functionName: 'refundOf', args: [payer] })),
  }
}

type MembershipReads = Pick<ChainReader, 'membershipHead' | 'membershipChanges' | 'member' | 'membershipCost'>

function readMembership(rpc: PublicClient, { contracts }: Network): MembershipReads {
  const group = { address: contracts.rlnMembership, abi: rlnMembershipAbi } as const
  return {
    membershipHead: (depth) =>
      guard('membership state', async () => {
        const newest = await rpc.getBlockNumber()
        const block = newest > BigInt(depth) ? newest - BigInt(depth) : 0n
        const [accumulator, nextIndex] = await rpc.readContract({
          ...group,
          functionName: 'state',
          blockNumber: block,
        })
        return { block, accumulator, nextIndex: Number(nextIndex) }
      }),
    membershipChanges: (from, to) => guard('membership events', () => readChanges(rpc, contracts, from, to)),
    member: (commitment) =>
      guard('member', async () => {
        const member = await rpc.readContract({ ...group, functionName: 'member', args: [commitment] })
        return { ...member, status: MEMBER_STATUS[member.status] ?? 'none' } satisfies Member
      }),
    membershipCost: (limit) =>
      guard('membership cost', async () => {
        const [deposit, burnt] = await rpc.readContract({ ...group, functionName: 'costOf', args: [limit] })
        return { deposit, burnt }
      }),
  }
}

async function readChanges(
  rpc: PublicClient,
  contracts: Network['contracts'],
  from: bigint,
  to: bigint,
): Promise<MembershipChange[]> {
  const changes: MembershipChange[] = []
  for (let start = from; start <= to; start += LOG_RANGE_BLOCKS) {
    const end = start + LOG_RANGE_BLOCKS - 1n
    const events = await rpc.getContractEvents({
      address: contracts.rlnMembership,
      abi: rlnMembershipAbi,
      eventName: 'MembershipChanged',
      fromBlock: start,
      toBlock: end < to ? end : to,
      strict: true,
    })
    for (const { args } of events) {
      changes.push({ index: Number(args.index), commitment: args.commitment, limit: Number(args.limit) })
    }
  }
  return changes
}
