import { PostriderError } from '../errors/index.ts'
import {
  type Address,
  bigIntToBytes,
  bytesToBigInt,
  bytesToHex,
  type ClientFrame,
  ClientFrameSchema,
  create,
  decode,
  encode,
  type Hex,
  hexToBytes,
  type NodeFrame,
  NodeFrameSchema,
} from '../wire/index.ts'
import { MAX_PAYMENT_FRAME_BYTES, SIGNATURE_BYTES, TICK_BYTES, TOTAL_BYTES } from './constants.ts'
import type { ChannelDescriptor, SignedVoucher, Tick } from './types.ts'

/** Base units for each service. */
export type Prices = { publish: bigint; query: bigint; push: bigint }

/** The node's conditions, its first frame. */
export type Terms = {
  /** 32 random bytes for this connection. */
  nonce: Hex
  chainId: number
  contract: Address
  payee: Address
  prices: Prices
  /** Base units that the node serves before it asks for payment. */
  unpaidLimit: bigint
  maxTicks: number
  /** Requests per epoch that cost nothing. */
  freeRequests: number
}

/** The account as the node has it on disk; what a payer resumes from. */
export type AccountView = {
  channelId: Hex
  deposit: bigint
  /** The voucher's total and its ticks. */
  paid: bigint
  spent: bigint
  cumulative: bigint
  tickAnchor: Hex
  tickValue: bigint
  /** Ticks accepted under the newest voucher. */
  ticks: number
  /** Of the newest tick, as a proof that it was revealed; the anchor before the first. 32 bytes. */
  tickPreimage: Hex
}

/** What a client sends on the payment stream. */
export type ClientPaymentFrame =
  | { type: 'hello'; version: number }
  | { type: 'bind'; descriptor: ChannelDescriptor; signature: Uint8Array }
  | { type: 'voucher'; voucher: SignedVoucher }
  | { type: 'tick'; tick: Tick }

/** What a node sends on the payment stream. */
export type NodePaymentFrame =
  | { type: 'terms'; terms: Terms }
  | { type: 'account'; account: AccountView }
  /** An empty request id: a notice that payment is due soon. */
  | { type: 'paymentRequired'; requestId: string; total: bigint }
  | { type: 'error'; code: string; message: string }

/** @throws WIRE_VALUE_INVALID when a value does not fit its field */
export function encodeClientFrame(frame: ClientPaymentFrame): Uint8Array {
  return encode(ClientFrameSchema, create(ClientFrameSchema, { body: clientBody(frame) }))
}

/** @throws WIRE_TOO_LARGE, WIRE_MALFORMED or PAYMENT_FRAME_MALFORMED, never anything else */
export function decodeClientFrame(bytes: Uint8Array): ClientPaymentFrame {
  const { body } = decode(ClientFrameSchema, bounded(bytes))
  switch (body.case) {
    case 'hello':
      return { type: 'hello', version: body.value.version }
    case 'bind': {
      const { payer, payee, signer, salt, signature } = body.value
      const descriptor = {
        payer: hex(payer, 20),
        payee: hex(payee, 20),
        signer: hex(signer, 20),
        salt: hex(salt, 32),
      }
      return { type: 'bind', descriptor, signature: sized(signature, SIGNATURE_BYTES) }
    }
    case 'voucher':
      return { type: 'voucher', voucher: readVoucher(body.value) }
    case 'tick':
      return {
        type: 'tick',
        tick: { index: body.value.index, preimage: sized(body.value.preimage, TICK_BYTES) },
      }
    case undefined:
      throw malformed()
  }
}

/** @throws WIRE_VALUE_INVALID when a value does not fit its field */
export function encodeNodeFrame(frame: NodePaymentFrame): Uint8Array {
  return encode(NodeFrameSchema, create(NodeFrameSchema, { body: nodeBody(frame) }))
}

/** @throws WIRE_TOO_LARGE, WIRE_MALFORMED or PAYMENT_FRAME_MALFORMED, never anything else */
export function decodeNodeFrame(bytes: Uint8Array): NodePaymentFrame {
  const { body } = decode(NodeFrameSchema, bounded(bytes))
  switch (body.case) {
    case 'terms':
      return { type: 'terms', terms: readTerms(body.value) }
    case 'account':
      return { type: 'account', account: readAccount(body.value) }
    case 'paymentRequired':
      return { type: 'paymentRequired', requestId: body.value.requestId, total: total(body.value.total) }
    case 'error':
      return { type: 'error', code: body.value.code, message: body.value.message }
    case undefined:
      throw malformed()
  }
}

type ClientBody = ClientFrame['body']
type NodeBody = NodeFrame['body']
type BodyOf<Body extends { case: unknown; value?: unknown }, Case> = Extract<Body, { case: Case }>['value']

function clientBody(frame: ClientPaymentFrame) {
  switch (frame.type) {
    case 'hello':
      return { case: 'hello' as const, value: { version: frame.version } }
    case 'bind': {
      const { payer, payee, signer, salt } = frame.descriptor
      const addresses = {
        payer: hexToBytes(payer, 20),
        payee: hexToBytes(payee, 20),
        signer: hexToBytes(signer, 20),
      }
      return {
        case: 'bind' as const,
        value: { ...addresses, salt: hexToBytes(salt, 32), signature: frame.signature },
      }
    }
    case 'voucher': {
      const { channelId, cumulative, tickAnchor, tickValue, signature } = frame.voucher
      const value = {
        channelId: hexToBytes(channelId, 32),
        cumulative: totalBytes(cumulative),
        tickAnchor: hexToBytes(tickAnchor, 32),
        tickValue,
        signature,
      }
      return { case: 'voucher' as const, value }
    }
    case 'tick':
      return { case: 'tick' as const, value: frame.tick }
  }
}

function nodeBody(frame: NodePaymentFrame) {
  switch (frame.type) {
    case 'terms':
      return { case: 'terms' as const, value: termsBody(frame.terms) }
    case 'account':
      return { case: 'account' as const, value: accountBody(frame.account) }
    case 'paymentRequired':
      return {
        case: 'paymentRequired' as const,
        value: { requestId: frame.requestId, total: totalBytes(frame.total) },
      }
    case 'error':
      return { case: 'error' as const, value: { code: frame.code, message: frame.message } }
  }
}

function termsBody(terms: Terms) {
  return {
    ...terms,
    nonce: hexToBytes(terms.nonce, 32),
    chainId: BigInt(terms.chainId),
    contract: hexToBytes(terms.contract, 20),
    payee: hexToBytes(terms.payee, 20),
    unpaidLimit: totalBytes(terms.unpaidLimit),
  }
}

function accountBody(account: AccountView) {
  return {
    ...account,
    channelId: hexToBytes(account.channelId, 32),
    deposit: totalBytes(account.deposit),
    paid: totalBytes(account.paid),
    spent: totalBytes(account.spent),
    cumulative: totalBytes(account.cumulative),
    tickAnchor: hexToBytes(account.tickAnchor, 32),
    tickPreimage: hexToBytes(account.tickPreimage, TICK_BYTES),
  }
}

function readVoucher(wire: BodyOf<ClientBody, 'voucher'>): SignedVoucher {
  return {
    channelId: hex(wire.channelId, 32),
    cumulative: total(wire.cumulative),
    tickAnchor: hex(wire.tickAnchor, TICK_BYTES),
    tickValue: wire.tickValue,
    signature: sized(wire.signature, SIGNATURE_BYTES),
  }
}

function readTerms(wire: BodyOf<NodeBody, 'terms'>): Terms {
  const { prices } = wire
  if (prices === undefined || wire.chainId > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed()
  return {
    nonce: hex(wire.nonce, 32),
    chainId: Number(wire.chainId),
    contract: hex(wire.contract, 20),
    payee: hex(wire.payee, 20),
    prices: { publish: prices.publish, query: prices.query, push: prices.push },
    unpaidLimit: total(wire.unpaidLimit),
    maxTicks: wire.maxTicks,
    freeRequests: wire.freeRequests,
  }
}

function readAccount(wire: BodyOf<NodeBody, 'account'>): AccountView {
  return {
    channelId: hex(wire.channelId, 32),
    deposit: total(wire.deposit),
    paid: total(wire.paid),
    spent: total(wire.spent),
    cumulative: total(wire.cumulative),
    tickAnchor: hex(wire.tickAnchor, TICK_BYTES),
    tickValue: wire.tickValue,
    ticks: wire.ticks,
    tickPreimage: hex(wire.tickPreimage, TICK_BYTES),
  }
}

function malformed(): PostriderError {
  return new PostriderError('PAYMENT_FRAME_MALFORMED')
}

function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_PAYMENT_FRAME_BYTES) throw new PostriderError('WIRE_TOO_LARGE')
  return bytes
}

function sized(bytes: Uint8Array, width: number): Uint8Array {
  if (bytes.length !== width) throw malformed()
  return bytes
}

function hex(bytes: Uint8Array, width: number): Hex {
  return bytesToHex(sized(bytes, width))
}

function total(bytes: Uint8Array): bigint {
  return bytesToBigInt(sized(bytes, TOTAL_BYTES))
}

function totalBytes(value: bigint): Uint8Array<ArrayBuffer> {
  return bigIntToBytes(value, TOTAL_BYTES)
}
