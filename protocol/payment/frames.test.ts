import { describe, expect, it } from 'vitest'
import { isPostriderError } from '../errors/index.ts'
import { bytes, bytesOf, mutated, uint } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import { bytesToHex, ClientFrameSchema, create, encode, NodeFrameSchema } from '../wire/index.ts'
import {
  type ClientPaymentFrame,
  decodeClientFrame,
  decodeNodeFrame,
  encodeClientFrame,
  encodeNodeFrame,
  type NodePaymentFrame,
} from './index.ts'

const hexOf = (length: number) => bytesOf(length).map((value) => bytesToHex(value))
const total = uint(128)

const clientFrame: fc.Arbitrary<ClientPaymentFrame> = fc.oneof(
  fc.nat().map((version): ClientPaymentFrame => ({ type: 'hello', version })),
  fc
    .record({ payer: hexOf(20), payee: hexOf(20), signer: hexOf(20), salt: hexOf(32) })
    .chain((descriptor) =>
      bytesOf(65).map((signature): ClientPaymentFrame => ({ type: 'bind', descriptor, signature })),
    ),
  fc
    .record({
      channelId: hexOf(32),
      cumulative: total,
      tickAnchor: hexOf(32),
      tickValue: uint(64),
      signature: bytesOf(65),
    })
    .map((voucher): ClientPaymentFrame => ({ type: 'voucher', voucher })),
  fc
    .record({ index: fc.nat(), preimage: bytesOf(32) })
    .map((tick): ClientPaymentFrame => ({ type: 'tick', tick })),
)

const nodeFrame: fc.Arbitrary<NodePaymentFrame> = fc.oneof(
  fc
    .record({
      nonce: hexOf(32),
      chainId: fc.maxSafeNat(),
      contract: hexOf(20),
      payee: hexOf(20),
      prices: fc.record({ publish: uint(64), query: uint(64), push: uint(64) }),
      unpaidLimit: total,
      maxTicks: fc.nat(),
      freeRequests: fc.nat(),
    })
    .map((terms): NodePaymentFrame => ({ type: 'terms', terms })),
  fc
    .record({
      channelId: hexOf(32),
      deposit: total,
      paid: total,
      spent: total,
      cumulative: total,
      tickAnchor: hexOf(32),
      tickValue: uint(64),
      ticks: fc.nat(),
      tickPreimage: hexOf(32),
    })
    .map((account): NodePaymentFrame => ({ type: 'account', account })),
  fc
    .record({ requestId: fc.string({ maxLength: 128 }), total })
    .map((required): NodePaymentFrame => ({ type: 'paymentRequired', ...required })),
  fc
    .record({ code: fc.string({ maxLength: 40 }), message: fc.string({ maxLength: 200 }) })
    .map((error): NodePaymentFrame => ({ type: 'error', ...error })),
)

describe('payment frames', () => {
  it('read back what they were made of', () => {
    fc.assert(
      fc.property(clientFrame, nodeFrame, (fromClient, fromNode) => {
        expect(decodeClientFrame(encodeClientFrame(fromClient))).toEqual(fromClient)
        expect(decodeNodeFrame(encodeNodeFrame(fromNode))).toEqual(fromNode)
      }),
    )
  })

  it('throw nothing but coded errors on random and damaged bytes', () => {
    const damaged = fc.oneof(
      bytes(300),
      mutated(clientFrame.map(encodeClientFrame)),
      mutated(nodeFrame.map(encodeNodeFrame)),
    )
    fc.assert(
      fc.property(damaged, (data) => {
        for (const decode of [decodeClientFrame, decodeNodeFrame]) {
          try {
            decode(data)
          } catch (error) {
            expect(isPostriderError(error) && ['WIRE_MALFORMED', 'PAYMENT_FRAME_MALFORMED']).toContain(
              (error as { code: string }).code,
            )
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('refuse empty frames, large frames and fields of other widths', () => {
    const malformed = expect.objectContaining({ code: 'PAYMENT_FRAME_MALFORMED' })
    expect(() => decodeClientFrame(new Uint8Array())).toThrow(malformed)
    expect(() => decodeNodeFrame(new Uint8Array())).toThrow(malformed)
    expect(() => decodeNodeFrame(new Uint8Array(1025))).toThrow(
      expect.objectContaining({ code: 'WIRE_TOO_LARGE' }),
    )
    const shortTick = create(ClientFrameSchema, {
      body: { case: 'tick', value: { index: 1, preimage: new Uint8Array(31) } },
    })
    expect(() => decodeClientFrame(encode(ClientFrameSchema, shortTick))).toThrow(malformed)
    const shortTotal = create(NodeFrameSchema, {
      body: { case: 'paymentRequired', value: { total: new Uint8Array(15) } },
    })
    expect(() => decodeNodeFrame(encode(NodeFrameSchema, shortTotal))).toThrow(malformed)
    const noPrices = create(NodeFrameSchema, { body: { case: 'terms', value: {} } })
    expect(() => decodeNodeFrame(encode(NodeFrameSchema, noPrices))).toThrow(malformed)
  })

  it('refuse to encode what does not fit', () => {
    const tooMuch: NodePaymentFrame = { type: 'paymentRequired', requestId: '', total: 1n << 128n }
    expect(() => encodeNodeFrame(tooMuch)).toThrow(expect.objectContaining({ code: 'WIRE_VALUE_INVALID' }))
    const negative: ClientPaymentFrame = { type: 'hello', version: -1 }
    expect(() => encodeClientFrame(negative)).toThrow(expect.objectContaining({ code: 'WIRE_VALUE_INVALID' }))
  })
})
