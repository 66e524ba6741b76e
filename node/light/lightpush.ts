import { type ErrorCode, PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { precheck } from '@postrider/protocol/rln'
import {
  create,
  decode,
  encode,
  type LightpushRequest,
  LightpushRequestSchema,
  LightpushResponseSchema,
  PROTOCOL_IDS,
  pubsubTopicForContent,
  type WakuMessage,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type RequestServer, serveRequests } from '../core/p2p/streams.ts'
import type { Host } from '../core/p2p.ts'
import { createRateLimiter } from '../core/rate-limiter.ts'
import {
  LIGHTPUSH_BURST,
  LIGHTPUSH_DEADLINE_MS,
  LIGHTPUSH_PER_SECOND,
  MAX_LIGHT_STREAMS_PER_CONNECTION,
  MAX_LIGHTPUSH_FRAME_BYTES,
  MAX_LIGHTPUSH_STREAMS,
  MAX_REQUEST_ID_CHARS,
} from './constants.ts'
import { type Answer, answerFor, answerForError, answerForVerdict, paymentRequired } from './status.ts'
import type { NodeProver, PaymentGate, RelaySubmit } from './types.ts'

export type LightpushComponents = {
  host: Pick<Host, 'libp2p'>
  relay: RelaySubmit
  gate: PaymentGate
  /** Absent: messages without a proof are refused. */
  prover?: NodeProver
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type LightpushOptions = {
  network: Pick<Network, 'networkId' | 'clusterId' | 'shardCount' | 'epochSeconds'>
  /** Ms from the opened stream to its end. */
  deadlineMs?: number
}

export type LightpushServer = {
  start(): Promise<void>
  stop(): Promise<void>
}

type Served = Answer & { relayPeers?: number }

/** Serves `/vac/waku/lightpush/3.0.0`: publishes for clients that do not relay. */
export function createLightpushServer(
  components: LightpushComponents,
  options: LightpushOptions,
): LightpushServer {
  const { host, clock, logger, metrics } = components
  const { deadlineMs = LIGHTPUSH_DEADLINE_MS } = options
  const limiter = createRateLimiter(clock, { perSecond: LIGHTPUSH_PER_SECOND, burst: LIGHTPUSH_BURST })
  const answers = metrics.counter('light_lightpush_total', {
    help: 'Lightpush answers by status; "reset" when the stream ended without one',
    labels: ['status'],
  })
  let server: RequestServer | undefined

  const handle = async (frame: Uint8Array, peer: string): Promise<Uint8Array> => {
    let requestId = ''
    let served: Served
    try {
      const request = decode(LightpushRequestSchema, frame)
      requestId = request.requestId.slice(0, MAX_REQUEST_ID_CHARS)
      if (!limiter.take(peer)) throw new PostriderError('LIGHT_TOO_MANY_REQUESTS')
      served = await publish(components, options.network, request, peer)
    } catch (err) {
      served = answerForError(err)
      if (served.status === 500) logger.error({ err }, 'lightpush failed')
    }
    answers.inc({ status: served.status })
    return encodeAnswer(requestId, served)
  }

  return {
    async start() {
      const limits = {
        maxRequestBytes: MAX_LIGHTPUSH_FRAME_BYTES,
        deadlineMs,
        maxStreamsPerConnection: MAX_LIGHT_STREAMS_PER_CONNECTION,
        maxStreams: MAX_LIGHTPUSH_STREAMS,
      }
      server = await serveRequests(
        { libp2p: host.libp2p, clock },
        {
          protocol: PROTOCOL_IDS.lightpush,
          limits,
          onFailure: (err, peer) => {
            answers.inc({ status: 'reset' })
            logger.debug({ err, peer }, 'lightpush stream reset')
          },
        },
        (frame, { peer }) => handle(frame, peer),
      )
    },
    async stop() {
      await server?.stop()
      server = undefined
    },
  }
}

/** Checks what costs nothing, charges, attaches a proof if there is none, and hands over to the relay. */
async function publish(
  components: LightpushComponents,
  network: LightpushOptions['network'],
  request: LightpushRequest,
  peer: string,
): Promise<Served> {
  const { relay, gate, prover } = components
  const { message, requestId } = request
  if (!message || requestId === '' || requestId.length > MAX_REQUEST_ID_CHARS)
    return answerFor('LIGHT_REQUEST_INVALID')
  const pubsubTopic = request.pubsubTopic || pubsubTopicForContent(message.contentTopic, network)
  const fault = precheckFault(message, pubsubTopic, network, components.clock.nowMs())
  const provable = fault === 'RLN_PROOF_MISSING' && prover
  if (fault && !provable) return answerFor(fault)
  const charged = await gate.charge({ peer, requestId, service: 'publish', content: contentOf(message) })
  if (!charged.ok) return paymentRequired(charged.total)
  const proven = provable ? await provable.attach(pubsubTopic, message) : message
  const data = encode(WakuMessageSchema, proven)
  const { verdict, relayPeers } = await relay.submit(pubsubTopic, data, { via: 'lightpush', peer })
  return { ...answerForVerdict(verdict), relayPeers }
}

/** The message without its proof: a client that proves anew and sends again is not charged again. */
function contentOf({ rateLimitProof, ...message }: WakuMessage): Uint8Array {
  return encode(WakuMessageSchema, message)
}

/**
 * What the relay's own precheck would refuse at once; found before the charge, it costs the client nothing. The
 * root is left to the relay, which may wait for it.
 */
function precheckFault(
  message: WakuMessage,
  pubsubTopic: string,
  network: LightpushOptions['network'],
  nowMs: number,
): ErrorCode | undefined {
  const data = encode(WakuMessageSchema, message)
  const result = precheck(data, pubsubTopic, { ...network, nowMs, rootKnown: () => true })
  return result.ok || result.verdict.kind === 'accept' ? undefined : result.verdict.code
}

function encodeAnswer(requestId: string, { status, desc, relayPeers }: Served): Uint8Array {
  return encode(
    LightpushResponseSchema,
    create(LightpushResponseSchema, {
      requestId,
      statusCode: status,
      statusDesc: desc,
      ...(relayPeers === undefined ? {} : { relayPeerCount: relayPeers }),
    }),
  )
}
