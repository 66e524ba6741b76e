import { PostriderError } from '@postrider/protocol/errors'
import { createPublicClient, custom } from 'viem'
import type { Logger } from '../core/logger.ts'
import type { ChainClient } from './client.ts'
import type { RpcRequest } from './rpc.ts'

/**
 * A client for what must not rest on one endpoint's word: it asks all that are in use, and more than half of the answers
 * decide. Only for requests that every honest endpoint answers alike, such as a call at a confirmed block.
 *
 * Its calls throw `CHAIN_ENDPOINTS_DISAGREE` when no answer has a majority.
 */
export function createVotedClient(client: ChainClient, { logger }: { logger: Logger }): ChainClient {
  const { endpoints, rpc } = client
  if (endpoints.size < 2) return client

  const request = async (asked: RpcRequest): Promise<unknown> => {
    const voters = endpoints.inUse()
    const answers = await Promise.all(voters.map((at) => endpoints.ask(at, asked)))
    const given = voters.filter((_, index) => answers[index] !== undefined)
    // Nobody answered, or all refused: the pool tells why.
    if (given.length === 0) return rpc.request(asked as never)
    const answerOf = (at: number) => answers[voters.indexOf(at)]
    const votes = Map.groupBy(given, (at) => JSON.stringify(answerOf(at)))
    const majority = [...votes.values()].find((same) => same.length * 2 > given.length)
    if (!majority) throw new PostriderError('CHAIN_ENDPOINTS_DISAGREE', { detail: asked.method })
    const outvoted = given.filter((at) => !majority.includes(at))
    if (outvoted.length > 0) {
      const urls = client.health().map(({ url }) => url)
      logger.warn(
        { endpoints: outvoted.map((at) => urls[at]), method: asked.method },
        'RPC endpoints are outvoted',
      )
    }
    return answerOf(majority[0] as number)
  }

  const voted = createPublicClient({
    chain: rpc.chain,
    cacheTime: 0,
    transport: custom({ request }, { retryCount: 0 }),
  })
  return { ...client, rpc: voted }
}
