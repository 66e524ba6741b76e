import { type ErrorCode, isPostriderError, PostriderError } from '@postrider/protocol/errors'
import {
  type AccountState,
  type ClientPaymentFrame,
  decodeClientFrame,
  MAX_TICKS,
  PAYMENT_VERSION,
  type PaymentDomain,
  type RecoverSigner,
} from '@postrider/protocol/payment'
import { bytesToHex, type Hex } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import type { FrameStream } from '../core/p2p/streams.ts'
import type { Random } from '../core/random.ts'
import type { RateLimiter } from '../core/rate-limiter.ts'
import { toView } from './account.ts'
import { admitBind, admitVoucher } from './admission.ts'
import type { AccountBook, BookEvent } from './book.ts'
import { BIND_DEADLINE_MS, HELLO_DEADLINE_MS, MAX_FRAMES_IN_WORK, MAX_REFUSALS } from './constants.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import type { AccountRecord, EscrowView, Prices } from './types.ts'

/** What the node offers and to whom channels must pay. */
export type SessionTerms = {
  domain: PaymentDomain
  payee: Hex
  prices: Prices
  unpaidLimit: bigint
  freeRequests: number
}

export type SessionComponents = {
  book: AccountBook
  escrow: Pick<EscrowView, 'channel'>
  clock: Clock
  random: Random
  recoverSigner: RecoverSigner
  /** Tokens for frames, by session. */
  frameLimiter: RateLimiter
  /** Tokens for frames whose signature must be checked, by peer. */
  signatureLimiter: RateLimiter
  /** Called when a channel is bound; one session may bind several, one after the other. */
  onBind(session: Session): void
}

/** The client at the other end of a stream. */
export type SessionClient = {
  /** Names the session in this process. */
  id: string
  peer: string
  /** Multihash bytes of the two peer ids. */
  clientPeerId: Uint8Array
  nodePeerId: Uint8Array
  frames: FrameStream
}

/** One client on one payment stream. */
export type Session = {
  readonly peer: string
  /** The channel that is bound. */
  readonly channelId: Hex | undefined
  readonly outbox: Outbox
  /**
   * Handles frames until the client leaves or the signal aborts.
   *
   * @throws what the client was sent away for
   */
  run(signal: AbortSignal): Promise<void>
}

/** Refusals that no honest client causes: the stream ends after the error frame. */
const FATAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CORE_DEADLINE_EXCEEDED',
  'PAYMENT_FRAME_MALFORMED',
  'PAYMENT_FRAME_UNEXPECTED',
  'PAYMENT_RATE_LIMITED',
  'PAYMENT_SIGNATURE_INVALID',
  'PAYMENT_VERSION_UNSUPPORTED',
  'WIRE_MALFORMED',
  'WIRE_TOO_LARGE',
])

/**
 * Creates the session of one stream. The client proves by Bind that it holds the channel's signer key on this
 * very connection; from then on vouchers and ticks pay, and requests of its peer id are charged to the channel.
 */
export function createSession(
  components: SessionComponents,
  client: SessionClient,
  terms: SessionTerms,
): Session {
  const { book, escrow, clock, recoverSigner, frameLimiter, signatureLimiter } = components
  const { id, peer, frames, clientPeerId, nodePeerId } = client
  const { domain, payee } = terms
  const nonce = bytesToHex(components.random.bytes(32))
  const failure = new AbortController()
  const outbox = createOutbox({ frames, clock, onFailure: (error) => failure.abort(error) })
  const inWork: Promise<void>[] = []
  let greeted = false
  let bound: Hex | undefined
  let refusals = 0

  const refuse = (error: unknown) => {
    if (!isPostriderError(error)) return failure.abort(error)
    refusals++
    outbox.send({ type: 'error', code: error.code, message: error.message })
    if (FATAL.has(error.code) || refusals >= MAX_REFUSALS) failure.abort(error)
  }

  const hello = (version: number) => {
    if (greeted) throw new PostriderError('PAYMENT_FRAME_UNEXPECTED')
    if (version !== PAYMENT_VERSION) throw new PostriderError('PAYMENT_VERSION_UNSUPPORTED')
    greeted = true
    const { prices, unpaidLimit, freeRequests } = terms
    const { chainId, contract } = domain
    const offer = { nonce, chainId, contract, payee, prices, unpaidLimit, freeRequests, maxTicks: MAX_TICKS }
    outbox.send({ type: 'terms', terms: offer })
  }

  const bind = async (frame: Extract<ClientPaymentFrame, { type: 'bind' }>): Promise<void> => {
    if (!greeted) throw new PostriderError('PAYMENT_FRAME_UNEXPECTED')
    const connection = { nonce, clientPeerId, nodePeerId }
    const channel = await admitBind({ escrow, recoverSigner, domain, payee }, connection, frame)
    const record = await book.hold(channel, frame.descriptor)
    if (bound) book.release(bound)
    bound = channel
    components.onBind(session)
    outbox.sendAccount(toView(record))
  }

  const pay = async (check: (state: AccountState, record: AccountRecord) => BookEvent): Promise<void> => {
    if (!bound) throw new PostriderError('PAYMENT_FRAME_UNEXPECTED')
    const { effects, record } = await book.apply(bound, check)
    const refused = effects.find((effect) => effect.type === 'refused')
    if (refused) throw new PostriderError(refused.code)
    outbox.sendAccount(toView(record))
  }

  const handle = async (frame: ClientPaymentFrame): Promise<void> => {
    const signed = frame.type === 'bind' || frame.type === 'voucher'
    if (signed && !signatureLimiter.take(peer)) throw new PostriderError('PAYMENT_RATE_LIMITED')
    switch (frame.type) {
      case 'hello':
        return hello(frame.version)
      case 'bind':
        return bind(frame)
      case 'voucher':
        return pay((state, record) => admitVoucher({ domain, recoverSigner }, frame.voucher, state, record))
      case 'tick':
        return pay(() => ({ type: 'tick', tick: frame.tick }))
    }
  }

  /** The next frame; undefined when the client has left. Until it has bound a channel it must not take for ever. */
  const read = async (signal: AbortSignal): Promise<Uint8Array | undefined> => {
    const ms = greeted ? BIND_DEADLINE_MS : HELLO_DEADLINE_MS
    try {
      if (bound) return await frames.read(signal)
      return await withDeadline(clock, { what: 'payment frame', ms, signal }, (inner) => frames.read(inner))
    } catch (error) {
      if (isPostriderError(error) && error.code === 'WIRE_MALFORMED') return undefined
      throw error
    }
  }

  // Vouchers and ticks are applied in the order of their frames; only the waiting for the disk overlaps. A Bind
  // waits for what came before it, and what comes after waits for the Bind.
  const work = async (frame: ClientPaymentFrame): Promise<void> => {
    if (frame.type === 'bind') await Promise.all(inWork)
    const done = handle(frame).catch(refuse)
    inWork.push(done)
    if (frame.type === 'bind') await done
    if (inWork.length >= MAX_FRAMES_IN_WORK) await inWork.shift()
  }

  const session: Session = {
    peer,
    outbox,
    get channelId() {
      return bound
    },
    async run(signal) {
      const ended = AbortSignal.any([signal, failure.signal])
      try {
        for (let bytes = await read(ended); bytes && !ended.aborted; bytes = await read(ended)) {
          if (!frameLimiter.take(id)) throw new PostriderError('PAYMENT_RATE_LIMITED')
          await work(decodeClientFrame(bytes))
        }
      } catch (error) {
        if (!ended.aborted) refuse(error)
      }
      await Promise.all(inWork)
      if (bound) book.release(bound)
      frameLimiter.forget(id)
      await outbox.drained()
      if (failure.signal.aborted) throw failure.signal.reason
    },
  }
  return session
}
