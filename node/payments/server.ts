import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { RecoverSigner } from '@postrider/protocol/payment'
import { type Hex, PROTOCOL_IDS } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { createFrameStream, linger } from '../core/p2p/streams.ts'
import type { Random } from '../core/random.ts'
import { createRateLimiter } from '../core/rate-limiter.ts'
import { toView } from './account.ts'
import type { AccountBook } from './book.ts'
import {
  FRAME_BURST,
  FRAMES_PER_SECOND,
  MAX_SESSIONS,
  MAX_STREAMS_PER_CONNECTION,
  SESSION_BUFFER_BYTES,
  SIGNATURE_BURST,
  SIGNATURES_PER_SECOND,
  STOP_GRACE_MS,
  WRITE_DEADLINE_MS,
} from './constants.ts'
import { createSession, type Session, type SessionTerms } from './session.ts'
import type { EscrowView } from './types.ts'

export type PaymentServerComponents = {
  libp2p: Pick<Libp2p, 'handle' | 'unhandle' | 'peerId'>
  book: AccountBook
  escrow: Pick<EscrowView, 'channel'>
  clock: Clock
  random: Random
  recoverSigner: RecoverSigner
  logger: Logger
  metrics: Metrics
}

/** The payment streams of all clients. */
export type PaymentServer = {
  start(): Promise<void>
  /** Ends all streams; what they brought is on disk afterwards. */
  stop(): Promise<void>
  /** The channel to which requests of this peer are charged: the one it bound last. */
  channelOf(peer: string): Hex | undefined
  /** Tells a client that its account should reach `total`; an empty request id says: soon. */
  requirePayment(peer: string, requestId: string, total: bigint): void
}

/** Serves `/postrider/payment/1.0.0`. */
export function createPaymentServer(components: PaymentServerComponents, terms: SessionTerms): PaymentServer {
  const { libp2p, book, clock, logger, metrics } = components
  const sessions = new Set<Session>()
  /** The session that pays for a peer: the one that bound a channel last. */
  const paying = new Map<string, Session>()
  const stopping = new AbortController()
  const running = new Map<Stream, Promise<void>>()
  let started = 0

  const refused = metrics.counter('payment_streams_refused_total', {
    help: 'Payment streams above the limit',
  })
  metrics.gauge('payment_sessions', {
    help: 'Payment streams, and those of them with a bound channel',
    labels: ['state'],
    collect(gauge) {
      gauge.set({ state: 'open' }, sessions.size)
      gauge.set({ state: 'paying' }, paying.size)
    },
  })

  const shared = {
    ...components,
    frameLimiter: createRateLimiter(clock, { perSecond: FRAMES_PER_SECOND, burst: FRAME_BURST }),
    signatureLimiter: createRateLimiter(clock, { perSecond: SIGNATURES_PER_SECOND, burst: SIGNATURE_BURST }),
    onBind: (session: Session) => void paying.set(session.peer, session),
  }

  const leave = (session: Session) => {
    sessions.delete(session)
    if (paying.get(session.peer) !== session) return
    paying.delete(session.peer)
    const other = [...sessions].findLast((one) => one.peer === session.peer && one.channelId)
    if (other) paying.set(other.peer, other)
  }

  const serve = async (stream: Stream, { remotePeer }: Connection): Promise<void> => {
    const peer = remotePeer.toString()
    const client = {
      id: String(started++),
      peer,
      clientPeerId: remotePeer.toMultihash().bytes,
      nodePeerId: libp2p.peerId.toMultihash().bytes,
      frames: createFrameStream(stream, SESSION_BUFFER_BYTES),
    }
    const session = createSession(shared, client, terms)
    sessions.add(session)
    try {
      await session.run(stopping.signal)
    } catch (error) {
      if (isPostriderError(error)) metrics.error(error.code)
      logger.debug({ err: error, peer }, 'payment stream ended')
    }
    leave(session)
    await hangUp(stream)
  }

  // Closed and not reset, so that a client that was sent away still reads why.
  const hangUp = async (stream: Stream): Promise<void> => {
    try {
      await withDeadline(clock, { what: 'close a payment stream', ms: WRITE_DEADLINE_MS }, (signal) =>
        stream.close({ signal }),
      )
      void linger(clock, stream)
    } catch (error) {
      stream.abort(error instanceof Error ? error : new PostriderError('CORE_ABORTED', { cause: error }))
    }
  }

  const onStream = (stream: Stream, connection: Connection) => {
    if (sessions.size >= MAX_SESSIONS || stopping.signal.aborted) {
      refused.inc()
      return stream.abort(new PostriderError('PAYMENT_OVERLOADED'))
    }
    running.set(
      stream,
      serve(stream, connection).finally(() => running.delete(stream)),
    )
  }

  book.subscribe((record, cause) => {
    if (cause !== 'channel') return
    for (const { channelId, outbox } of sessions) {
      if (channelId === record.channelId) outbox.sendAccount(toView(record))
    }
  })

  return {
    start: () =>
      libp2p.handle(PROTOCOL_IDS.payment, onStream, { maxInboundStreams: MAX_STREAMS_PER_CONNECTION }),
    async stop() {
      await libp2p.unhandle(PROTOCOL_IDS.payment)
      stopping.abort()
      const ended = Promise.all(running.values())
      await withDeadline(clock, { what: 'end payment streams', ms: STOP_GRACE_MS }, () => ended).catch(
        () => undefined, // those that are left are reset
      )
      for (const stream of running.keys()) stream.abort(new PostriderError('CORE_ABORTED'))
      await ended
    },
    channelOf: (peer) => paying.get(peer)?.channelId,
    requirePayment(peer, requestId, total) {
      paying.get(peer)?.outbox.send({ type: 'paymentRequired', requestId, total })
    },
  }
}
