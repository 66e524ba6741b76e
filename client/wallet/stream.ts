import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import {
  type ClientPaymentFrame,
  decodeNodeFrame,
  encodeClientFrame,
  MAX_PAYMENT_FRAME_BYTES,
  type NodePaymentFrame,
  PAYMENT_VERSION,
  type PaymentDomain,
  type Terms,
} from '@postrider/protocol/payment'
import { equalHex, PROTOCOL_IDS } from '@postrider/protocol/wire'
import { getAddress } from 'viem'
import type { Prices } from '../chain/types.ts'
import { withDeadline } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import type { NodeInfo } from '../nodes/types.ts'
import type { FrameStream, Transport } from '../transport/types.ts'
import { HANDSHAKE_TIMEOUT_MS } from './constants.ts'

/** The payment stream to one node, after Hello and Terms. */
export interface PaymentStream {
  readonly terms: Terms
  send(frame: ClientPaymentFrame): Promise<void>
  /** The next frame of the node. @throws PostriderError when the stream ends or breaks its protocol */
  read(): Promise<NodePaymentFrame>
  close(): Promise<void>
}

/**
 * Opens the stream and takes the node's terms.
 *
 * @throws PostriderError `CLIENT_STREAM_FAILED`, `CLIENT_TIMEOUT`, `CLIENT_BAD_RESPONSE`, `CLIENT_TERMS_INVALID`
 */
export async function openPaymentStream(
  components: { transport: Transport; clock: Clock },
  node: NodeInfo,
  domain: PaymentDomain,
  signal?: AbortSignal,
): Promise<PaymentStream> {
  const { transport, clock } = components
  const options = { maxBytes: MAX_PAYMENT_FRAME_BYTES, signal }
  const frames = await transport.open(node.peerId, PROTOCOL_IDS.payment, options)
  try {
    const limits = { what: 'the payment terms', ms: HANDSHAKE_TIMEOUT_MS, signal }
    const terms = await withDeadline(clock, limits, (within) => exchangeHello(frames, within))
    checkTerms(terms, node, domain)
    return {
      terms,
      send: (frame) => frames.write(encodeClientFrame(frame)),
      read: () => readFrame(frames),
      close: () => frames.close(),
    }
  } catch (error) {
    void frames.close()
    throw error
  }
}

async function exchangeHello(frames: FrameStream, signal: AbortSignal): Promise<Terms> {
  await frames.write(encodeClientFrame({ type: 'hello', version: PAYMENT_VERSION }))
  const frame = await readFrame(frames, signal)
  if (frame.type === 'error') throw refusedBy(frame.code, frame.message)
  if (frame.type === 'terms') return frame.terms
  throw new PostriderError('CLIENT_BAD_RESPONSE', { detail: `${frame.type} instead of terms` })
}

async function readFrame(frames: FrameStream, signal?: AbortSignal): Promise<NodePaymentFrame> {
  const bytes = await frames.read(signal)
  try {
    return decodeNodeFrame(bytes)
  } catch (cause) {
    throw new PostriderError('CLIENT_BAD_RESPONSE', { detail: 'a payment frame', cause })
  }
}

/** A PaymentError of the node as an error of ours; its code is text of the node and stays data. */
export function refusedBy(code: string, message: string): PostriderError {
  return new PostriderError('CLIENT_PAYMENT_FAILED', { detail: `${code}: ${message}`, data: { code } })
}

function checkTerms(terms: Terms, node: NodeInfo, domain: PaymentDomain): void {
  const fits =
    terms.chainId === domain.chainId &&
    equalHex(terms.contract, domain.contract) &&
    equalHex(terms.payee, node.operator)
  if (fits) return
  // From the wire they come without the checksum that all other addresses of this client have.
  const [contract, payee] = [getAddress(terms.contract), getAddress(terms.payee)]
  throw new PostriderError('CLIENT_TERMS_INVALID', {
    data: { chainId: terms.chainId, contract, payee, operator: node.operator },
  })
}

/**
 * Refuses terms above the limit, service by service.
 *
 * @throws PostriderError `CLIENT_PRICE_TOO_HIGH`
 */
export function checkPrices(asked: Prices, limit: Prices): void {
  for (const service of ['publish', 'query', 'push'] as const) {
    if (asked[service] <= limit[service]) continue
    const data = { service, asked: asked[service].toString(), limit: limit[service].toString() }
    throw new PostriderError('CLIENT_PRICE_TOO_HIGH', { detail: service, data })
  }
}

/** True for what only a cheating node does: it is not used again. */
export function isCheating(error: unknown): error is PostriderError {
  return (
    isPostriderError(error) && (error.code === 'CLIENT_OVERCHARGED' || error.code === 'CLIENT_TERMS_INVALID')
  )
}
