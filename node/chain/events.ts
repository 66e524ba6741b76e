import { nodeRegistryAbi, paymentChannelsAbi, rlnMembershipAbi } from '@postrider/contracts'
import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import type { Address, Hex } from '@postrider/protocol/wire'
import { decodeEventLog, pad, type RpcLog, toEventSelector, toHex, type Hex as ViemHex } from 'viem'
import { type ChainClient, rpcErrors } from './client.ts'
import { HEADER_CONCURRENCY } from './constants.ts'
import { toHeader } from './headers.ts'
import type { BlockHeader, ChainEvent, ChainSource, ContractName, EventValue } from './types.ts'

const abis = {
  nodeRegistry: nodeRegistryAbi,
  paymentChannels: paymentChannelsAbi,
  rlnMembership: rlnMembershipAbi,
}

type LogQuery = { address: Address[]; topics: (Hex | Hex[] | null)[] }

/** An event before its block's time is known. */
type UntimedEvent = Omit<ChainEvent, 'timestamp'> & { timestamp: number | undefined }

/** Events of PaymentChannels by the position of their indexed payee. */
const PAYEE_THIRD = ['ChannelOpened', 'CloseRequested', 'ChannelClosed', 'ChannelWithdrawn']
const PAYEE_SECOND = ['Settled']
/** These do not name the payee; those of other channels are dropped here. */
const PAYEE_UNNAMED = ['ChannelToppedUp']

export type RpcSourceOptions = {
  /** Whose channels to read, and which channels are known to be its own; absent: no channels. */
  channelsOf?: { payee: Address; isOurs(channelId: Hex): boolean }
}

/**
 * Reads our contracts' events over JSON-RPC: all of NodeRegistry and RlnMembership, and of PaymentChannels those
 * of one payee.
 */
export function createRpcSource(client: ChainClient, { channelsOf }: RpcSourceOptions = {}): ChainSource {
  const queries = logQueries(client.network, channelsOf?.payee)
  const names = contractNames(client.network)

  const block = (number: number) => readHeader(client, toHex(number))

  return {
    async head() {
      const header = await readHeader(client, 'latest')
      if (!header)
        throw new PostriderError('CHAIN_RPC_FAILED', { detail: 'the endpoint has no newest block' })
      return header
    },
    block,
    async events(from, to) {
      const range = { fromBlock: toHex(from), toBlock: toHex(to) }
      const logs = await Promise.all(
        queries.map((query) =>
          rpcErrors(client.rpc.request({ method: 'eth_getLogs', params: [{ ...query, ...range }] })),
        ),
      )
      const events = logs.flat().flatMap((log) => decodeLog(log, names) ?? [])
      return addTimes(channelsOf ? dropForeign(events, channelsOf.isOurs) : events, block)
    },
  }
}

function logQueries({ contracts }: Network, payee?: Address): LogQuery[] {
  const queries: LogQuery[] = [{ address: [contracts.nodeRegistry, contracts.rlnMembership], topics: [] }]
  if (!payee) return queries
  const who = pad(payee.toLowerCase() as ViemHex)
  const address = [contracts.paymentChannels]
  return [
    ...queries,
    { address, topics: [selectors(PAYEE_THIRD), null, null, who] },
    { address, topics: [selectors(PAYEE_SECOND), null, who] },
    { address, topics: [selectors(PAYEE_UNNAMED)] },
  ]
}

/** Leaves out events of channels that are not ours and were not opened to us among these events. */
function dropForeign(events: readonly UntimedEvent[], isOurs: (channelId: Hex) => boolean): UntimedEvent[] {
  const opened = new Set(
    events.flatMap(({ name, args }) => (name === 'ChannelOpened' ? [args.channelId] : [])),
  )
  return events.filter(
    ({ name, args }) =>
      !PAYEE_UNNAMED.includes(name) || opened.has(args.channelId) || isOurs(args.channelId as Hex),
  )
}

function selectors(names: readonly string[]): Hex[] {
  return paymentChannelsAbi.flatMap((item) =>
    item.type === 'event' && names.includes(item.name) ? [toEventSelector(item)] : [],
  )
}

function contractNames({ contracts }: Network): ReadonlyMap<string, ContractName> {
  const names = ['nodeRegistry', 'paymentChannels', 'rlnMembership'] as const
  return new Map(names.map((name) => [contracts[name].toLowerCase(), name]))
}

/** Undefined for an event that this version does not know. */
function decodeLog(log: RpcLog, names: ReadonlyMap<string, ContractName>): UntimedEvent | undefined {
  const contract = names.get(log.address.toLowerCase())
  const { blockNumber, blockHash, logIndex, transactionHash } = log
  if (
    !contract ||
    blockNumber === null ||
    blockHash === null ||
    logIndex === null ||
    transactionHash === null
  ) {
    throw new PostriderError('CHAIN_LOGS_INCONSISTENT', { detail: 'an event has no place in the chain' })
  }
  const decoded = decodeArgs(contract, log)
  if (!decoded) return undefined
  const time = 'blockTimestamp' in log ? log.blockTimestamp : undefined
  return {
    blockNumber: Number(blockNumber),
    logIndex: Number(logIndex),
    blockHash,
    timestamp: typeof time === 'string' ? Number(time) : undefined,
    txHash: transactionHash,
    contract,
    ...decoded,
  }
}

function decodeArgs(contract: ContractName, { data, topics }: RpcLog) {
  const abi = abis[contract]
  const known = abi.some((item) => item.type === 'event' && toEventSelector(item) === topics[0])
  if (!known) return undefined
  try {
    const { eventName, args } = decodeEventLog({ abi, data, topics: topics as [Hex, ...Hex[]], strict: true })
    return { name: String(eventName), args: plainArgs(args) }
  } catch (cause) {
    throw new PostriderError('CHAIN_LOGS_INCONSISTENT', { detail: 'an event does not decode', cause })
  }
}

function plainArgs(args: object | undefined): { [name: string]: EventValue } {
  return Object.fromEntries(Object.entries(args ?? {}).map(([name, value]) => [name, plainValue(value)]))
}

function plainValue(value: unknown): EventValue {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value === 'object' && value !== null) return plainArgs(value)
  return value as string | number | boolean
}

/** Endpoints that name no time in their events are asked for the blocks, a few at once. */
async function addTimes(
  events: readonly UntimedEvent[],
  block: (number: number) => Promise<BlockHeader | undefined>,
): Promise<ChainEvent[]> {
  const missing = [
    ...new Set(events.filter((event) => event.timestamp === undefined).map((e) => e.blockNumber)),
  ]
  const headers = new Map<number, BlockHeader>()
  for (let at = 0; at < missing.length; at += HEADER_CONCURRENCY) {
    const batch = await Promise.all(missing.slice(at, at + HEADER_CONCURRENCY).map(block))
    for (const header of batch) if (header) headers.set(header.number, header)
  }
  return events.map((event) => {
    if (event.timestamp !== undefined) return { ...event, timestamp: event.timestamp }
    const header = headers.get(event.blockNumber)
    if (header?.hash === event.blockHash) return { ...event, timestamp: header.timestamp }
    throw new PostriderError('CHAIN_LOGS_INCONSISTENT', {
      detail: `block ${event.blockNumber} changed while its events were read`,
    })
  })
}

async function readHeader(client: ChainClient, tag: Hex | 'latest'): Promise<BlockHeader | undefined> {
  return toHeader(
    await rpcErrors(client.rpc.request({ method: 'eth_getBlockByNumber', params: [tag, false] })),
  )
}
