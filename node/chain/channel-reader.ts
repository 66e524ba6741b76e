import { isPostriderError } from '@postrider/protocol/errors'
import type { Hex } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { ChannelStatus } from './channels.ts'
import { type ChainClient, rpcErrors } from './client.ts'
import { readContract } from './contracts.ts'
import { createHeadWatch, type HeadWatchOptions } from './heads.ts'
import type { BlockHeader } from './types.ts'
import { createVotedClient } from './voted-client.ts'

/** A channel as the contract has it now; `none` before it is opened. */
export type ChannelReading = { status: ChannelStatus | 'none'; settled: bigint; closeAt: number }

const STATUSES = ['none', 'open', 'closing', 'closed'] as const

/**
 * As `readChannels`, as most endpoints say, at the newest block that they agree on. While there is no majority it believes
 * the first one rather than none: a claim too many costs some gas, one too few what it is worth.
 */
export function createChannelReader(
  components: { client: ChainClient; clock: Clock; logger: Logger; metrics: Metrics },
  options: HeadWatchOptions,
): (ids: readonly Hex[]) => ReturnType<typeof readChannels> {
  const { client, logger, metrics } = components
  const { endpoints } = client
  if (endpoints.size < 2) return (ids) => readChannels(client, ids)
  const heads = createHeadWatch({ ...components, endpoints }, options)
  const voted = createVotedClient(client, components)
  return async (ids) => {
    try {
      const head = await heads.look()
      return await readChannels(voted, ids, head)
    } catch (err) {
      if (!isPostriderError(err) || err.code !== 'CHAIN_ENDPOINTS_DISAGREE') throw err
      logger.error({ err }, 'believing the first RPC endpoint')
      metrics.error(err.code)
      endpoints.hold(undefined)
      return readChannels(client, ids)
    }
  }
}

/**
 * Reads channels of anybody, with the time of the block in Unix seconds. It follows no events, so there is none that it
 * could miss.
 *
 * @param at the block; the newest when absent
 * @throws PostriderError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `CHAIN_ENDPOINTS_DISAGREE`
 */
export async function readChannels(
  client: ChainClient,
  ids: readonly Hex[],
  at?: Pick<BlockHeader, 'number' | 'timestamp'>,
): Promise<{ timestamp: number; channels: ChannelReading[] }> {
  const { number, timestamp } = at ?? (await rpcErrors(client.rpc.getBlock()))
  const states = await readContract(client, 'paymentChannels', 'channels', [ids], Number(number))
  const channels = states.map(({ status, settled, closeAt }) => ({
    status: STATUSES[status] ?? ('closed' as const),
    settled,
    closeAt: Number(closeAt),
  }))
  return { timestamp: Number(timestamp), channels }
}
