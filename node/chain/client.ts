import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { BaseError, createPublicClient, custom, defineChain, type PublicClient } from 'viem'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { createRpcPool, type RpcHealth, type RpcPool } from './rpc.ts'

export type ChainClient = {
  readonly network: Network
  /** viem's client over all endpoints; it does not retry, because the pool does. */
  readonly rpc: PublicClient
  /** The endpoints one by one, to compare them. */
  readonly endpoints: Omit<RpcPool, 'request' | 'health' | 'close'>
  /**
   * Checks that the network file fits the chain.
   *
   * @throws PostriderError `CHAIN_CONTRACT_MISSING` (data: contract, address), `CHAIN_WRONG_CHAIN`, `CHAIN_UNREACHABLE`
   */
  check(): Promise<void>
  health(): RpcHealth[]
  /** Gives up requests that are under way; later ones fail with `CORE_ABORTED`. */
  stop(): void
}

/** @param options.rpcUrls replaces the network file's endpoints unless empty */
export function createChainClient(
  components: { clock: Clock; logger: Logger; metrics?: Metrics },
  options: { network: Network; rpcUrls?: readonly string[]; timeoutMs?: number },
): ChainClient {
  const { network, rpcUrls = [], ...rest } = options
  const urls = distinctUrls(rpcUrls.length > 0 ? rpcUrls : network.rpcUrls)
  const pool = createRpcPool(components, { urls, chainId: network.chainId, ...rest })
  const chain = defineChain({
    id: network.chainId,
    name: network.name,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [...urls] } },
  })
  const rpc = createPublicClient({
    chain,
    cacheTime: 0,
    transport: custom({ request: (request) => pool.request(request) }, { retryCount: 0 }),
  })
  return {
    network,
    rpc,
    endpoints: pool,
    check: () => checkContracts(rpc, network),
    health: pool.health,
    stop: pool.close,
  }
}

/** Each endpoint once, however its URL is written: one that is listed twice has no second vote. */
function distinctUrls(urls: readonly string[]): string[] {
  return [...new Set(urls.map((url) => new URL(url).href))]
}

async function checkContracts(rpc: PublicClient, network: Network): Promise<void> {
  for (const [contract, address] of Object.entries(network.contracts)) {
    const code = await rpcErrors(rpc.getCode({ address }))
    if (code === undefined) {
      throw new PostriderError('CHAIN_CONTRACT_MISSING', {
        detail: `${contract} at ${address}`,
        data: { contract, address },
      })
    }
  }
}

/** Passes a result on; turns viem's error into ours, keeping the one that the pool threw inside it. */
export async function rpcErrors<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw toChainError(error)
  }
}

/** The `PostriderError` inside an error of viem, or one around it. */
export function toChainError(error: unknown): PostriderError {
  for (let inner: unknown = error; inner instanceof Error; inner = inner.cause) {
    if (isPostriderError(inner)) return inner
  }
  const detail = error instanceof BaseError ? error.shortMessage : String(error)
  return new PostriderError('CHAIN_RPC_FAILED', { detail, cause: error })
}
