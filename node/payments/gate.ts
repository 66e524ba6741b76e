import { type ErrorCode, PostriderError } from '@postrider/protocol/errors'
import { type AccountEffect, MAX_REQUEST_ID_CHARS, requestKey } from '@postrider/protocol/payment'
import type { Hex } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Metrics } from '../core/metrics.ts'
import type { AccountBook, ChargeEvent } from './book.ts'
import type { FreeAllowance } from './free.ts'
import type { EscrowView, Prices, Service } from './types.ts'

/** What a service asks to have paid before it serves. */
export type Charge = {
  peer: string
  /** The client's own id for the request, 1 to 128 characters. */
  requestId: string
  service: Service
  /** The request itself: the same id with other content is another request. */
  content?: Uint8Array
}

export type ChargeResult =
  | { ok: true; charged: bigint; free: boolean }
  /** The request is served once the account's paid total reaches `total` and `code` does not hold any more. */
  | { ok: false; total: bigint; code: ErrorCode }

/**
 * The port of the services. A result is durable: after a crash the charge is still there, and the same request
 * is answered for it.
 */
export type PaymentGate = {
  /**
   * @throws PostriderError `PAYMENT_REQUEST_ID_INVALID`, `PAYMENT_REQUEST_REPEATED`, `PAYMENT_CHAIN_STALE`,
   *   `PAYMENT_OVERLOADED`, `PAYMENT_LEDGER_UNAVAILABLE`: nothing was charged
   */
  charge(charge: Charge): Promise<ChargeResult>
}

export type GateComponents = {
  book: Pick<AccountBook, 'apply'>
  free: FreeAllowance
  escrow: Pick<EscrowView, 'isFresh'>
  channelOf(peer: string): Hex | undefined
  requirePayment(peer: string, requestId: string, total: bigint): void
  clock: Clock
  metrics: Metrics
}

export type GateOptions = { prices: Prices; freeEpochSeconds: number }

const NO_CONTENT = new Uint8Array()

/** Charges a request to the channel that its peer has bound, or else to the peer's free allowance. */
export function createGate(
  components: GateComponents,
  options: GateOptions,
): PaymentGate & { counts(): Counts } {
  const { book, free, escrow, channelOf, requirePayment, clock, metrics } = components
  const { prices, freeEpochSeconds } = options
  const counts: Counts = { paid: 0, free: 0, repeated: 0, refused: 0 }
  const charges = metrics.counter('payment_charges_total', {
    help: 'Requests by service and what became of their charge',
    labels: ['service', 'result'],
  })

  const count = (service: Service, result: keyof Counts) => {
    counts[result]++
    charges.inc({ service, result })
  }

  const effectsOf = async (peer: string, event: ChargeEvent): Promise<readonly AccountEffect[]> => {
    const channelId = channelOf(peer)
    if (!channelId) return free.charge(peer, event)
    if (!escrow.isFresh()) throw new PostriderError('PAYMENT_CHAIN_STALE')
    return (await book.apply(channelId, () => event)).effects
  }

  const resultOf = (charge: Charge, effects: readonly AccountEffect[]): ChargeResult => {
    const { peer, requestId, service } = charge
    for (const effect of effects) {
      if (effect.type === 'voucherDue') requirePayment(peer, '', effect.total)
    }
    for (const effect of effects) {
      if (effect.type === 'charged') {
        count(service, effect.repeated ? 'repeated' : effect.free ? 'free' : 'paid')
        return { ok: true, charged: effect.charged, free: effect.free }
      }
      if (effect.type === 'paymentRequired') {
        count(service, 'refused')
        requirePayment(peer, requestId, effect.total)
        return { ok: false, total: effect.total, code: effect.code }
      }
      if (effect.type === 'refused') throw new PostriderError(effect.code)
    }
    throw new PostriderError('PAYMENT_EVENT_UNEXPECTED')
  }

  return {
    async charge(charge) {
      const { peer, requestId, service, content = NO_CONTENT } = charge
      if (requestId.length === 0 || requestId.length > MAX_REQUEST_ID_CHARS) {
        throw new PostriderError('PAYMENT_REQUEST_ID_INVALID')
      }
      const effects = await effectsOf(peer, {
        type: 'charge',
        requestId: requestKey(service, requestId, content),
        price: prices[service],
        epoch: BigInt(Math.floor(clock.nowMs() / (freeEpochSeconds * 1_000))),
        service,
      })
      return resultOf(charge, effects)
    },
    counts: () => ({ ...counts }),
  }
}

/** Requests since the start of the process. */
export type Counts = { paid: number; free: number; repeated: number; refused: number }
