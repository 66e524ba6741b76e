import { peerIdFromString } from '@libp2p/peer-id'
import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import {
  bytesToHex,
  create,
  decode,
  encode,
  type FilterSubscribeRequest,
  FilterSubscribeRequestSchema,
  FilterSubscribeResponseSchema,
  MessagePushSchema,
  PROTOCOL_IDS,
} from '@postrider/protocol/wire'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type RequestServer, serveRequests } from '../core/p2p/streams.ts'
import type { Host } from '../core/p2p.ts'
import { createRateLimiter } from '../core/rate-limiter.ts'
import {
  FILTER_BURST,
  FILTER_DEADLINE_MS,
  FILTER_PER_SECOND,
  FILTER_TICK_MS,
  MAX_FILTER_FRAME_BYTES,
  MAX_FILTER_STREAMS,
  MAX_LIGHT_STREAMS_PER_CONNECTION,
  MAX_REQUEST_ID_CHARS,
  SUBSCRIPTION_TTL_MS,
} from './constants.ts'
import { createFilterCounters } from './filter-metrics.ts'
import { checkCriteria, PING, SUBSCRIBE, UNSUBSCRIBE, UNSUBSCRIBE_ALL } from './filter-request.ts'
import { createPusher, type Push, type Pusher } from './pusher.ts'
import { type Answer, answerForError } from './status.ts'
import { createSubscriptions } from './subscriptions.ts'
import type { FilterEntry, PaymentGate } from './types.ts'

export type FilterComponents = {
  host: Pick<Host, 'libp2p'>
  gate: PaymentGate
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type FilterOptions = {
  network: Pick<Network, 'clusterId' | 'shardCount'>
  /** Ms from the opened request stream to its end. */
  deadlineMs?: number
}

export type FilterServer = {
  /** Pushes an accepted message to whom it concerns; plugs into the relay. Never blocks and never throws. */
  accept(entry: FilterEntry): void
  stats(): { subscribers: number; criteria: number; queued: number }
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Serves `/vac/waku/filter-subscribe/2.0.0-beta1` and pushes on `/vac/waku/filter-push/2.0.0-beta1`. A
 * subscription ends with the connection, so that a client which comes back learns from its ping that it missed
 * something.
 */
export function createFilterServer(components: FilterComponents, options: FilterOptions): FilterServer {
  const { host, gate, clock, logger, metrics } = components
  const { network, deadlineMs = FILTER_DEADLINE_MS } = options
  const limiter = createRateLimiter(clock, { perSecond: FILTER_PER_SECOND, burst: FILTER_BURST })
  const subscriptions = createSubscriptions()
  const pushers = new Map<string, Pusher>()
  const lastSeenMs = new Map<string, number>()
  const count = createFilterCounters(metrics, () => ({
    subscribers: subscriptions.clients(),
    queued: queued(),
  }))
  let server: RequestServer | undefined
  let timer: Timer | undefined

  const queued = () => [...pushers.values()].reduce((sum, pusher) => sum + pusher.queued(), 0)

  const forget = (peer: string): boolean => {
    pushers.get(peer)?.stop()
    pushers.delete(peer)
    lastSeenMs.delete(peer)
    return subscriptions.removeAll(peer)
  }

  const connectionTo = (peer: string) =>
    host.libp2p.getConnections(peerIdFromString(peer)).findLast(({ status }) => status === 'open')

  const pusherFor = (peer: string): Pusher => {
    const existing = pushers.get(peer)
    if (existing) return existing
    const pusher = createPusher({
      peer,
      connection: () => connectionTo(peer),
      gate,
      clock,
      onPushed: count.pushed,
      onEnd(err) {
        count.dropped(err)
        logger.debug({ err, peer }, 'subscriber dropped')
        forget(peer)
      },
    })
    pushers.set(peer, pusher)
    return pusher
  }

  const apply = (request: FilterSubscribeRequest, peer: string): void => {
    switch (request.filterSubscribeType) {
      case PING:
        if (!subscriptions.has(peer)) throw new PostriderError('LIGHT_NOT_SUBSCRIBED')
        break
      case SUBSCRIBE: {
        const { pubsubTopic, contentTopics } = checkCriteria(request, network)
        subscriptions.add(peer, pubsubTopic, contentTopics)
        break
      }
      case UNSUBSCRIBE: {
        const { pubsubTopic, contentTopics } = checkCriteria(request, network)
        subscriptions.remove(peer, pubsubTopic, contentTopics)
        if (!subscriptions.has(peer)) forget(peer)
        return
      }
      case UNSUBSCRIBE_ALL:
        if (!forget(peer)) throw new PostriderError('LIGHT_NOT_SUBSCRIBED')
        return
      default:
        throw new PostriderError('LIGHT_REQUEST_INVALID', { detail: 'unknown filter_subscribe_type' })
    }
    lastSeenMs.set(peer, clock.nowMs())
  }

  const handle = async (frame: Uint8Array, peer: string): Promise<Uint8Array> => {
    let requestId = ''
    let answer: Answer = { status: 200, desc: 'OK' }
    try {
      const request = decode(FilterSubscribeRequestSchema, frame)
      requestId = request.requestId.slice(0, MAX_REQUEST_ID_CHARS)
      if (!limiter.take(peer)) throw new PostriderError('LIGHT_TOO_MANY_REQUESTS')
      apply(request, peer)
    } catch (err) {
      answer = answerForError(err)
      if (answer.status === 500) logger.error({ err }, 'filter request failed')
    }
    count.answer(answer.status)
    return encode(
      FilterSubscribeResponseSchema,
      create(FilterSubscribeResponseSchema, {
        requestId,
        statusCode: answer.status,
        statusDesc: answer.desc,
      }),
    )
  }

  const expire = () => {
    const oldestMs = clock.nowMs() - SUBSCRIPTION_TTL_MS
    for (const [peer, seenMs] of lastSeenMs) if (seenMs < oldestMs) forget(peer)
  }

  const onDisconnect = ({ detail }: { detail: { toString(): string } }) => void forget(detail.toString())

  return {
    accept({ pubsubTopic, message, hash }) {
      const peers = subscriptions.match(pubsubTopic, message.contentTopic)
      if (peers.length === 0) return
      const frame = encode(
        MessagePushSchema,
        create(MessagePushSchema, { wakuMessage: message, pubsubTopic }),
      )
      const push: Push = { requestId: `push-${bytesToHex(hash)}`, frame }
      for (const peer of peers) pusherFor(peer).push(push)
    },
    stats: () => ({
      subscribers: subscriptions.clients(),
      criteria: subscriptions.criteria(),
      queued: queued(),
    }),
    async start() {
      const limits = {
        maxRequestBytes: MAX_FILTER_FRAME_BYTES,
        deadlineMs,
        maxStreamsPerConnection: MAX_LIGHT_STREAMS_PER_CONNECTION,
        maxStreams: MAX_FILTER_STREAMS,
      }
      server = await serveRequests(
        { libp2p: host.libp2p, clock },
        {
          protocol: PROTOCOL_IDS.filterSubscribe,
          limits,
          onFailure: (err, peer) => {
            count.answer('reset')
            logger.debug({ err, peer }, 'filter stream reset')
          },
        },
        (frame, { peer }) => handle(frame, peer),
      )
      host.libp2p.addEventListener('peer:disconnect', onDisconnect)
      timer = clock.every(FILTER_TICK_MS, expire)
    },
    async stop() {
      timer?.stop()
      host.libp2p.removeEventListener('peer:disconnect', onDisconnect)
      await server?.stop()
      for (const peer of [...lastSeenMs.keys()]) forget(peer)
    },
  }
}
