import { PostriderError } from '@postrider/protocol/errors'
import type { Address } from '@postrider/protocol/wire'
import { throwIfAborted } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { toPostriderError } from '../core/errors.ts'
import { LATE_AFTER_MS } from '../nodes/constants.ts'
import type { NodePool } from '../nodes/pool.ts'
import type { NodeInfo, Service } from '../nodes/types.ts'
import { isOwnShortage } from '../wallet/shortage.ts'
import { isCheating } from '../wallet/stream.ts'
import { MAX_ATTEMPTS } from './constants.ts'
import type { Attempt, NodeRef } from './types.ts'

/** Tries a request on one node after the other. */
export interface Failover {
  /** What the nodes answered that were tried. */
  readonly attempts: Attempt[]
  /**
   * Runs `request` on a node that was not tried yet and counts how it went; on failure goes to the next node.
   * `first` is tried first.
   *
   * @throws PostriderError what the last node answered, or `CLIENT_NO_NODE` if there was none to try
   */
  run<T>(request: (node: NodeInfo) => Promise<T>, first?: NodeInfo): Promise<T>
  /** As `run`, for a step after which the node has not served anything yet: a success is not counted. */
  find<T>(step: (node: NodeInfo) => Promise<T>): Promise<T>
  /** Lets every node be tried again. */
  restart(): void
}

export type FailoverOptions = {
  service: Service
  shard: number
  /** Operators that are not asked at all. */
  exclude?: ReadonlySet<Address>
  signal?: AbortSignal | undefined
}

export function createFailover(
  components: { pool: NodePool; clock: Clock },
  options: FailoverOptions,
): Failover {
  const { pool, clock } = components
  const { service, shard, signal } = options
  const attempts: Attempt[] = []
  let tried = new Set(options.exclude)

  const tryOn = async <T>(node: NodeInfo, request: (node: NodeInfo) => Promise<T>): Promise<T> => {
    try {
      return await request(node)
    } catch (error) {
      throwIfAborted(signal)
      const failure = toPostriderError(error, 'CLIENT_STREAM_FAILED')
      attempts.push(describe(node, failure))
      if (isCheating(failure)) pool.distrust(node, failure)
      else if (!isOwnShortage(failure)) pool.report(node, 'failed', failure)
      throw failure
    }
  }
  const next = async (last: unknown): Promise<NodeInfo> => {
    try {
      return await pool.acquire(service, { shard, exclude: tried, signal })
    } catch (error) {
      throwIfAborted(signal)
      throw last ?? error
    }
  }
  const find = async <T>(request: (node: NodeInfo) => Promise<T>, first?: NodeInfo): Promise<T> => {
    let last: unknown
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const node = attempt === 0 && first ? first : await next(last)
      tried.add(node.operator)
      try {
        return await tryOn(node, request)
      } catch (error) {
        throwIfAborted(signal)
        last = error
      }
    }
    throw last
  }
  const counted = async <T>(node: NodeInfo, request: (node: NodeInfo) => Promise<T>): Promise<T> => {
    const startMs = clock.nowMs()
    const result = await request(node)
    pool.report(node, clock.nowMs() - startMs > LATE_AFTER_MS ? 'late' : 'served')
    return result
  }
  return {
    attempts,
    find,
    run: (request, first) => find((node) => counted(node, request), first),
    restart() {
      tried = new Set(options.exclude)
    },
  }
}

function describe(node: NodeInfo, failure: PostriderError): Attempt {
  const { status } = failure.data
  return {
    ...refOf(node),
    code: failure.code,
    reason: failure.message,
    ...(typeof status === 'number' ? { status } : {}),
  }
}

export function refOf({ operator, peerId }: NodeInfo): NodeRef {
  return { operator, peerId }
}

/** An answer that is not a success, as the failure of this node. */
export function refusedWith(status: { code: number; reason: string }): PostriderError {
  const data = { status: status.code, reason: status.reason }
  return new PostriderError('CLIENT_BAD_RESPONSE', { detail: `${status.code} ${status.reason}`, data })
}
