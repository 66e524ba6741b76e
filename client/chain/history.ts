import { paymentChannelsAbi, rlnMembershipAbi } from '@postrider/contracts'
import type { Network } from '@postrider/protocol/network'
import type { Address, Hex } from '@postrider/protocol/wire'
import { type PublicClient, pad, type RpcLog, toEventSelector, toHex } from 'viem'
import { LOG_RANGE_BLOCKS, LOG_TOPICS } from './constants.ts'
import { guard } from './errors.ts'
import { toMovements } from './movements.ts'
import { CHANNEL_STATUS, MEMBER_STATUS } from './status.ts'
import type { BlockRef, ChainReader, Holdings, MoneyOf, Movement } from './types.ts'

type Topics = (Hex | Hex[] | null)[]
type Query = { address: Address; topics: Topics }

type HistoryReads = Pick<ChainReader, 'head' | 'block' | 'movements' | 'holdings' | 'gasPaid'>

/** Reads what happened to one wallet's money, and what the contracts hold of it at a block. */
export function readHistory(rpc: PublicClient, network: Network): HistoryReads {
  const block = async (number?: bigint): Promise<BlockRef | undefined> => {
    const found = await rpc.request({
      method: 'eth_getBlockByNumber',
      params: [number === undefined ? 'latest' : toHex(number), false],
    })
    if (!found?.number || !found.hash) return undefined
    return { number: BigInt(found.number), hash: found.hash, atMs: Number(found.timestamp) * 1000 }
  }
  return {
    head: () => guard('newest block', async () => mustHave(await block())),
    block: (number) => guard('block', () => block(number)),
    movements: (of, from, to) => guard('movements', () => readMovements(rpc, network, of, from, to)),
    holdings: (of, at) => guard('holdings', () => readHoldings(rpc, network, of, at)),
    gasPaid: (transaction, by) =>
      guard('receipt', async () => {
        const receipt = await rpc.getTransactionReceipt({ hash: transaction })
        const paid = receipt.gasUsed * receipt.effectiveGasPrice
        return receipt.from.toLowerCase() === by.toLowerCase() ? paid : 0n
      }),
  }
}

function mustHave(block: BlockRef | undefined): BlockRef {
  if (!block) throw new TypeError('the endpoint has no newest block')
  return block
}

async function readMovements(
  rpc: PublicClient,
  network: Network,
  of: MoneyOf,
  from: bigint,
  to: bigint,
): Promise<Movement[]> {
  const logs: RpcLog[] = []
  const channels = new Set(of.channels)
  const members = new Set(of.members)
  for (let start = from; start <= to; start += LOG_RANGE_BLOCKS) {
    const end = start + LOG_RANGE_BLOCKS - 1n
    const range = { fromBlock: toHex(start), toBlock: toHex(end < to ? end : to) }
    const ask = (queries: Query[]) =>
      Promise.all(
        queries.map((query) => rpc.request({ method: 'eth_getLogs', params: [{ ...query, ...range }] })),
      )
    const own = (await ask(queriesOfWallet(network, of.wallet))).flat()
    for (const { channelId, commitment } of toMovements(own)) {
      if (channelId) channels.add(channelId)
      if (commitment) members.add(commitment)
    }
    // These events name no wallet, only what the ones before have introduced.
    const others = (await ask(queriesById(network, [...channels], [...members]))).flat()
    logs.push(...own, ...others)
  }
  return toMovements(logs)
}

function queriesOfWallet({ contracts }: Network, wallet: Address): Query[] {
  const owner = pad(wallet)
  const channels = contracts.paymentChannels
  const lives = ['ChannelOpened', 'CloseRequested', 'ChannelClosed', 'ChannelWithdrawn'] as const
  const memberships = ['MemberRegistered', 'MemberLeft', 'MemberWithdrawn'] as const
  return [
    { address: channels, topics: [lives.map(selector), null, owner] },
    { address: channels, topics: [selector('RefundWithdrawn'), owner] },
    { address: contracts.rlnMembership, topics: [memberships.map(selector), null, owner] },
  ]
}

function queriesById({ contracts }: Network, channels: Hex[], members: Hex[]): Query[] {
  const moved = [selector('ChannelToppedUp'), selector('Settled')]
  return [
    ...inGroups(channels).map((ids) => ({ address: contracts.paymentChannels, topics: [moved, ids] })),
    ...inGroups(members).map((ids) => ({
      address: contracts.rlnMembership,
      topics: [selector('MemberSlashed'), ids],
    })),
  ]
}

function inGroups(ids: Hex[]): Hex[][] {
  const count = Math.ceil(ids.length / LOG_TOPICS)
  return Array.from({ length: count }, (_, at) => ids.slice(at * LOG_TOPICS, (at + 1) * LOG_TOPICS))
}

const EVENTS = [...paymentChannelsAbi, ...rlnMembershipAbi].filter((entry) => entry.type === 'event')

function selector(name: (typeof EVENTS)[number]['name']): Hex {
  const event = EVENTS.find((entry) => entry.name === name)
  if (!event) throw new TypeError(name)
  return toEventSelector(event)
}

async function readHoldings(
  rpc: PublicClient,
  { contracts }: Network,
  { wallet, channels: ids, members }: MoneyOf,
  blockNumber: bigint,
): Promise<Holdings> {
  const payments = { address: contracts.paymentChannels, abi: paymentChannelsAbi, blockNumber } as const
  const group = { address: contracts.rlnMembership, abi: rlnMembershipAbi, blockNumber } as const
  const [states, refunds, memberships] = await Promise.all([
    rpc.readContract({ ...payments, functionName: 'channels', args: [ids] }),
    rpc.readContract({ ...payments, functionName: 'refundOf', args: [wallet] }),
    Promise.all(members.map((member) => readMembership(rpc, group, member))),
  ])
  const channels = ids.map((channelId, at) => {
    const { status = 0, deposit = 0n, settled = 0n, closeAt = 0 } = states[at] ?? {}
    return { channelId, status: CHANNEL_STATUS[status] ?? 'closed', deposit, settled, closeAt }
  })
  return { channels, refunds, members: memberships }
}

type Group = { address: Address; abi: typeof rlnMembershipAbi; blockNumber: bigint }

async function readMembership(rpc: PublicClient, group: Group, commitment: Hex) {
  const { status, limit } = await rpc.readContract({
    ...group,
    functionName: 'member',
    args: [BigInt(commitment)],
  })
  const found = MEMBER_STATUS[status] ?? 'none'
  if (found === 'none') return { commitment, status: found, deposit: 0n, burnt: 0n }
  const [deposit, burnt] = await rpc.readContract({ ...group, functionName: 'costOf', args: [limit] })
  return { commitment, status: found, deposit, burnt }
}
