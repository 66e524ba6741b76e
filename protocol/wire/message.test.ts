import { describe, expect, it } from 'vitest'
import { wakuMessage } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import {
  bytesToHex,
  createWakuMessage,
  decode,
  encode,
  gossipMessageId,
  hexToBytes,
  messageHash,
  msToTimestamp,
  timestampToMs,
  WakuMessageSchema,
} from './index.ts'

// The test vectors published in 14/WAKU2-MESSAGE.
const PUBSUB_TOPIC = '/waku/2/default-waku/proto'
const CONTENT_TOPIC = '/waku/2/default-content/proto'
const TIMESTAMP = 0x175789bfa23f8400n
const PUBLISHED = [
  [
    'meta of 12 bytes',
    '010203045445535405060708',
    '73757065722d736563726574',
    '64cce733fed134e83da02b02c6f689814872b1a0ac97ea56b76095c3c72bfe05',
  ],
  [
    'meta of 64 bytes',
    '010203045445535405060708',
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f',
    '7158b6498753313368b9af8f6e0a0a05104f68f972981da42a43bc53fb0c1b27',
  ],
  [
    'no meta',
    '010203045445535405060708',
    undefined,
    'a2554498b31f5bcdfcbf7fa58ad1c2d45f0254f3f8110a85588ec3cf10720fd8',
  ],
  [
    'empty payload',
    '',
    '73757065722d736563726574',
    '483ea950cb63f9b9d6926b262bb36194d3f40a0463ce8446228350bd44e96de4',
  ],
] as const

describe('messageHash', () => {
  it.each(PUBLISHED)('matches the published vector: %s', (_name, payload, meta, expected) => {
    const message = createWakuMessage({
      payload: hexToBytes(payload),
      contentTopic: CONTENT_TOPIC,
      timestamp: TIMESTAMP,
      meta: meta === undefined ? undefined : hexToBytes(meta),
    })
    expect(bytesToHex(messageHash(PUBSUB_TOPIC, message))).toBe(`0x${expected}`)
  })

  it('leaves an absent timestamp out', () => {
    const message = createWakuMessage({ payload: hexToBytes(''), contentTopic: 'c', timestamp: 0n })
    const { timestamp: _, ...rest } = message
    expect(messageHash('p', rest)).not.toEqual(messageHash('p', message))
  })

  it('does not depend on version, ephemeral or the proof', () => {
    fc.assert(
      fc.property(
        wakuMessage,
        fc.nat(),
        fc.boolean(),
        fc.uint8Array(),
        (message, version, ephemeral, rateLimitProof) => {
          expect(messageHash('t', { ...message, version, ephemeral, rateLimitProof })).toEqual(
            messageHash('t', message),
          )
        },
      ),
    )
  })

  it('survives the wire', () => {
    fc.assert(
      fc.property(wakuMessage, (message) => {
        const decoded = decode(WakuMessageSchema, encode(WakuMessageSchema, message))
        expect(decoded).toEqual(message)
        expect(messageHash('t', decoded)).toEqual(messageHash('t', message))
      }),
    )
  })
})

describe('gossipMessageId', () => {
  it('is SHA-256 of the bytes', () => {
    expect(bytesToHex(gossipMessageId(new Uint8Array()))).toBe(
      '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
  })
})

describe('timestamps', () => {
  it('convert between milliseconds and nanoseconds, rounding down', () => {
    expect(msToTimestamp(1_700_000_000_123)).toBe(1_700_000_000_123_000_000n)
    expect(timestampToMs(1_700_000_000_123_999_999n)).toBe(1_700_000_000_123)
    expect(timestampToMs(-1n)).toBe(-1)
    expect(timestampToMs(-1_000_000n)).toBe(-1)
  })
})
