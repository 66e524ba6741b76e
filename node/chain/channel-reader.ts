import type { Hex } from '@postrider/protocol/wire'
import type { ChannelStatus } from './channels.ts'
import { type ChainClient, rpcErrors } from './client.ts'
import { readContract } from './contracts.ts'

/** A channel as the contract has it now; `none` before it is opened. */
export type ChannelReading = { status: ChannelStatus | 'none'; settled: bigint; closeAt: number }

const STATUSES = ['none', 'open', 'closing', 'closed'] as const

/**
 * Reads channels of anybody at the newest block, with that block's time in Unix seconds. It follows no events, so
 * there is none that it could miss.
 *
 * @throws PostriderError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`
 */
export async function readChannels(
  client: ChainClient,
  ids: readonly Hex[],
): Promise<{ timestamp: number; channels: ChannelReading[] }> {
  const { number, timestamp } = await rpcErrors(client.rpc.getBlock())
  const states = await readContract(client, 'paymentChannels', 'channels', [ids], Number(number))
  const channels = states.map(({ status, settled, closeAt }) => ({
    status: STATUSES[status] ?? ('closed' as const),
    settled,
    closeAt: Number(closeAt),
  }))
  return { timestamp: Number(timestamp), channels }
}
