import { describe, expect, it } from 'vitest'
import { isPostriderError } from '../errors/index.ts'
import { bytes, mutated, uint, wakuMessage } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import * as wire from './index.ts'
import {
  bigIntToBytes,
  bytesToBigInt,
  bytesToHex,
  ClientFrameSchema,
  concatBytes,
  decode,
  encode,
  equalBytes,
  equalHex,
  hasCanonicalSize,
  hexToBytes,
  LightpushRequestSchema,
  NodeFrameSchema,
  WakuMessageSchema,
} from './index.ts'

const schemas = Object.entries(wire).flatMap(([name, value]) =>
  name.endsWith('Schema') ? [value as typeof WakuMessageSchema] : [],
)

describe('decode', () => {
  it('covers every message of the wire', () => {
    expect(schemas.length).toBeGreaterThan(20)
  })

  it.each(schemas.map((schema) => [schema.typeName, schema] as const))(
    'throws nothing but WIRE_MALFORMED on random bytes: %s',
    (_name, schema) => {
      const valid = wakuMessage.map((message) => encode(WakuMessageSchema, message))
      const nested = valid.map((inner) =>
        concatBytes(Uint8Array.of(10, 1, 65, 26, inner.length & 127), inner),
      )
      fc.assert(
        fc.property(fc.oneof(bytes(200), mutated(valid), mutated(nested)), (input) => {
          try {
            const message = decode(schema, input)
            expect(decode(schema, encode(schema, message))).toEqual(message)
          } catch (error) {
            expect(isPostriderError(error) && error.code).toBe('WIRE_MALFORMED')
          }
        }),
        { numRuns: 150 },
      )
    },
  )

  it('throws nothing but WIRE_MALFORMED on every truncation', () => {
    const message = wire.create(WakuMessageSchema, {
      payload: Uint8Array.of(1, 2, 3),
      contentTopic: '/a/b/c/d',
      timestamp: 7n,
    })
    const frame = encode(
      LightpushRequestSchema,
      wire.create(LightpushRequestSchema, { requestId: 'id', message }),
    )
    for (let length = 0; length < frame.length; length++) {
      try {
        decode(LightpushRequestSchema, frame.subarray(0, length))
      } catch (error) {
        expect(isPostriderError(error) && error.code).toBe('WIRE_MALFORMED')
      }
    }
  })

  it('refuses text that is not UTF-8', () => {
    expect(() => decode(WakuMessageSchema, Uint8Array.of(0x12, 3, 0xf0, 0x9f, 0x98))).toThrow(
      expect.objectContaining({ code: 'WIRE_MALFORMED' }),
    )
  })

  it('drops unknown fields', () => {
    const frame = decode(ClientFrameSchema, Uint8Array.of(0x7a, 2, 1, 2))
    expect(frame.$unknown).toBeUndefined()
    expect(encode(ClientFrameSchema, frame)).toHaveLength(0)
  })
})

describe('encode', () => {
  it('throws WIRE_VALUE_INVALID when a value does not fit', () => {
    const frame = wire.create(NodeFrameSchema, {
      body: { case: 'terms', value: wire.create(wire.TermsSchema, { maxTicks: -1 }) },
    })
    expect(() => encode(NodeFrameSchema, frame)).toThrow(
      expect.objectContaining({ code: 'WIRE_VALUE_INVALID' }),
    )
  })
})

describe('hasCanonicalSize', () => {
  const size = (input: Uint8Array) =>
    hasCanonicalSize(WakuMessageSchema, input, decode(WakuMessageSchema, input))

  it('accepts what encode makes', () => {
    fc.assert(
      fc.property(wakuMessage, (message) => {
        expect(size(encode(WakuMessageSchema, message))).toBe(true)
      }),
    )
  })

  it('accepts another order of fields', () => {
    expect(size(Uint8Array.of(0x12, 1, 65, 0x0a, 1, 1))).toBe(true)
  })

  it.each([
    ['an unknown field', [0x7a, 1, 1]],
    ['a field sent twice', [0x0a, 1, 1]],
    ['a padded integer', [0x18, 0x81, 0x00]],
    ['an empty field without presence', [0x12, 0]],
  ])('refuses %s', (_name, extra) => {
    const message = wire.create(WakuMessageSchema, { payload: Uint8Array.of(1) })
    expect(size(concatBytes(encode(WakuMessageSchema, message), Uint8Array.from(extra)))).toBe(false)
  })
})

describe('bytes', () => {
  it('turn into hex and back', () => {
    fc.assert(
      fc.property(bytes(), (value) => {
        expect(hexToBytes(bytesToHex(value))).toEqual(value)
      }),
    )
    expect(hexToBytes('FF00')).toEqual(Uint8Array.of(255, 0))
  })

  it.each([['0x0'], ['0xgg'], ['zz'], ['0x0x00'], ['0x00 ']])('refuse %j as hex', (hex) => {
    expect(() => hexToBytes(hex)).toThrow(expect.objectContaining({ code: 'WIRE_VALUE_INVALID' }))
  })

  it('refuse hex of another width', () => {
    expect(() => hexToBytes('0x00', 2)).toThrow(expect.objectContaining({ code: 'WIRE_VALUE_INVALID' }))
  })

  it('turn into integers and back', () => {
    fc.assert(
      fc.property(uint(256), (value) => {
        expect(bytesToBigInt(bigIntToBytes(value, 32))).toBe(value)
      }),
    )
    expect(bytesToBigInt(new Uint8Array())).toBe(0n)
  })

  it.each([
    [-1n, 4],
    [256n, 1],
    [1n, 0],
  ])('refuse %s in %i bytes', (value, width) => {
    expect(() => bigIntToBytes(value, width)).toThrow(expect.objectContaining({ code: 'WIRE_VALUE_INVALID' }))
  })

  it('compare by content', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false)
    expect(equalHex('0xAb', '0xaB')).toBe(true)
  })
})
