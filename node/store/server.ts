import type { Libp2p } from '@libp2p/interface'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { PROTOCOL_IDS } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type RequestServer, serveRequests } from '../core/p2p/streams.ts'
import { createRateLimiter } from '../core/rate-limiter.ts'
import { answerQuery, encodeAnswer } from './answer.ts'
import {
  MAX_CONCURRENT_QUERIES,
  MAX_REQUEST_BYTES,
  MAX_STREAMS,
  MAX_STREAMS_PER_CONNECTION,
  QUERIES_PER_SECOND,
  QUERY_BURST,
  QUERY_DEADLINE_MS,
} from './constants.ts'
import type { Archive, PaymentGate } from './types.ts'

export type QueryServerComponents = {
  libp2p: Pick<Libp2p, 'handle' | 'unhandle'>
  archive: Archive
  payments: PaymentGate
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type QueryServerOptions = {
  /** Queries per second and peer; `QUERIES_PER_SECOND` when absent. */
  queriesPerSecond?: number
  /** Queries at once and peer; `QUERY_BURST` when absent. */
  queryBurst?: number
  /** Queries at once on the node; `MAX_CONCURRENT_QUERIES` when absent. */
  concurrentQueries?: number
}

export type QueryServer = {
  start(): Promise<void>
  stop(): Promise<void>
  /** Pages served since the start. */
  served(): number
}

/** Serves 13/STORE v3 queries: one request frame and one response frame per stream. */
export function createQueryServer(
  components: QueryServerComponents,
  options: QueryServerOptions = {},
): QueryServer {
  const { libp2p, clock, logger, metrics } = components
  const {
    queriesPerSecond = QUERIES_PER_SECOND,
    queryBurst = QUERY_BURST,
    concurrentQueries = MAX_CONCURRENT_QUERIES,
  } = options
  const limiter = createRateLimiter(clock, { perSecond: queriesPerSecond, burst: queryBurst })
  const answers = metrics.counter('store_queries_total', {
    help: 'Store queries by status',
    labels: ['status'],
  })
  const seconds = metrics.histogram('store_query_seconds', { help: 'Time to answer one store query' })
  let server: RequestServer | undefined
  let served = 0

  const admit = (peer: string) => {
    if (!limiter.take(peer)) throw new PostriderError('STORE_RATE_LIMITED')
    if ((server?.active() ?? 0) > concurrentQueries) throw new PostriderError('STORE_OVERLOADED')
  }

  const answer = async (frame: Uint8Array, peer: string): Promise<Uint8Array> => {
    const stopTimer = seconds.startTimer()
    const result = await answerQuery(components, { frame, peer, admit: () => admit(peer) })
    stopTimer()
    answers.inc({ status: String(result.status) })
    if (result.status === 200) served++
    if (isPostriderError(result.error)) metrics.error(result.error.code)
    if (result.status >= 500) logger.warn({ err: result.error, peer }, 'query failed')
    return encodeAnswer(result)
  }

  return {
    async start() {
      server = await serveRequests(
        { libp2p, clock },
        {
          protocol: PROTOCOL_IDS.storeQuery,
          limits: {
            maxRequestBytes: MAX_REQUEST_BYTES,
            deadlineMs: QUERY_DEADLINE_MS,
            maxStreamsPerConnection: MAX_STREAMS_PER_CONNECTION,
            maxStreams: MAX_STREAMS,
          },
          onFailure(error, peer) {
            if (isPostriderError(error)) metrics.error(error.code)
            logger.debug({ err: error, peer }, 'query stream reset')
          },
        },
        (frame, { peer }) => answer(frame, peer),
      )
    },
    async stop() {
      await server?.stop()
      server = undefined
    },
    served: () => served,
  }
}
