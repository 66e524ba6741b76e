import { describe, expect, it } from 'vitest'
import { bytes, mutated } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import {
  CONTENT_TOPIC,
  chatMessage,
  context,
  member,
  NOW_MS,
  root,
  TOPIC,
  unprovenProof,
  withProof,
} from '../testing/rln.ts'
import {
  bigIntToBytes,
  concatBytes,
  create,
  createWakuMessage,
  encode,
  hexToBytes,
  MAX_MESSAGE_BYTES,
  messageHash,
  pubsubTopic,
  RateLimitProofSchema,
  type WakuMessage,
  WakuMessageSchema,
} from '../wire/index.ts'
import {
  attachProof,
  decodeRlnProof,
  encodeRlnProof,
  epochAt,
  externalNullifier,
  FIELD_MODULUS,
  poseidon,
  precheck,
  publicSignals,
  signalX,
  verdictFor,
} from './index.ts'

const message = chatMessage('hello')
const verdict = (data: Uint8Array, topic = TOPIC, ctx = context) => {
  const result = precheck(data, topic, ctx)
  return result.ok
    ? 'accept'
    : 'code' in result.verdict
      ? `${result.verdict.kind} ${result.verdict.code}`
      : result.verdict.kind
}
/** The message under a proof made for another one. */
const mutate = (change: Partial<WakuMessage>, topic = TOPIC) => {
  const { rateLimitProof } = attachProof(message, unprovenProof(message))
  return verdict(encode(WakuMessageSchema, { ...message, ...change, rateLimitProof }), topic)
}
const nanoseconds = (ms: number) => BigInt(ms) * 1_000_000n

describe('precheck', () => {
  it('returns what the verifier and the store need', () => {
    const proof = unprovenProof(message)
    const result = precheck(withProof(message), TOPIC, context)
    const scope = externalNullifier({ epoch: proof.epoch, networkId: 'postrider-test', pubsubTopic: TOPIC })
    expect(result).toMatchObject({
      ok: true,
      proof,
      externalNullifier: scope,
      hash: messageHash(TOPIC, message),
    })
    expect(publicSignals(proof, scope)).toEqual([proof.y, root, proof.nullifier, proof.x, scope])
  })

  it('rejects what is no message of this network', () => {
    expect(verdict(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toBe('reject WIRE_TOO_LARGE')
    expect(verdict(Uint8Array.of(1, 2, 3))).toBe('reject WIRE_MALFORMED')
    expect(verdict(concatBytes(withProof(message), Uint8Array.of(0x7a, 1, 1)))).toBe(
      'reject WIRE_NOT_CANONICAL',
    )
    expect(verdict(withProof({ ...message, meta: new Uint8Array(65) }))).toBe('reject WIRE_META_TOO_LARGE')
    expect(verdict(withProof(message), '/waku/2/default-waku/proto')).toBe('reject WIRE_TOPIC_INVALID')
    expect(verdict(withProof(message), pubsubTopic(1, 0))).toBe('reject WIRE_TOPIC_INVALID')
    expect(verdict(withProof(message), pubsubTopic(66, 8))).toBe('reject WIRE_TOPIC_INVALID')
    expect(verdict(withProof(message), pubsubTopic(66, 1))).toBe('reject WIRE_SHARD_MISMATCH')
    expect(verdict(withProof({ ...message, contentTopic: 'chat' }))).toBe('reject WIRE_CONTENT_TOPIC_INVALID')
  })

  it('ignores what is too old or too new for this clock, and accepts up to 20 s', () => {
    for (const gap of [-20_000, 20_000]) {
      expect(verdict(withProof(chatMessage('t', nanoseconds(NOW_MS + gap))))).toBe('accept')
    }
    for (const gap of [-20_001, 20_001]) {
      expect(verdict(withProof(chatMessage('t', nanoseconds(NOW_MS + gap))))).toBe(
        'ignore RLN_TIMESTAMP_OUTSIDE_WINDOW',
      )
    }
    const { timestamp: _, ...timeless } = message
    expect(verdict(encode(WakuMessageSchema, timeless))).toBe('ignore RLN_TIMESTAMP_OUTSIDE_WINDOW')
  })

  it('rejects a message without a proof or with one of the wrong shape', () => {
    const wire = {
      proof: new Uint8Array(256),
      merkleRoot: new Uint8Array(32),
      epoch: new Uint8Array(8),
      shareX: new Uint8Array(32),
      shareY: new Uint8Array(32),
      nullifier: new Uint8Array(32),
    }
    const carry = (change: Partial<typeof wire>, tail = '') => {
      const proof = encode(RateLimitProofSchema, create(RateLimitProofSchema, { ...wire, ...change }))
      const rateLimitProof = concatBytes(proof, hexToBytes(tail))
      return verdict(encode(WakuMessageSchema, { ...message, rateLimitProof }))
    }
    expect(verdict(encode(WakuMessageSchema, message))).toBe('reject RLN_PROOF_MISSING')
    const malformed = 'reject RLN_PROOF_MALFORMED'
    expect(carry({ proof: new Uint8Array(255) })).toBe(malformed)
    expect(carry({ epoch: new Uint8Array(9) })).toBe(malformed)
    for (const field of ['merkleRoot', 'shareX', 'shareY', 'nullifier'] as const) {
      expect(carry({ [field]: new Uint8Array(31) })).toBe(malformed)
      expect(carry({ [field]: hexToBytes(FIELD_MODULUS.toString(16), 32) })).toBe(malformed)
      expect(carry({ [field]: new Uint8Array(32).fill(255) })).toBe(malformed)
    }
    expect(carry({}, '7a0101')).toBe(malformed)
    expect(carry({}, 'ff')).toBe(malformed)
    expect(carry({})).toBe('reject RLN_EPOCH_MISMATCH')
  })

  it('rejects what does not fit together', () => {
    const { epoch, x } = unprovenProof(message)
    expect(verdict(withProof(message, { epoch: epoch + 1n }))).toBe('reject RLN_EPOCH_MISMATCH')
    expect(verdict(withProof(message, { epoch: epoch - 1n }))).toBe('reject RLN_EPOCH_MISMATCH')
    expect(verdict(withProof(message, { x: 0n }))).toBe('reject RLN_X_ZERO')
    expect(verdict(withProof(message, { x: x + 1n }))).toBe('reject RLN_SIGNAL_MISMATCH')
  })

  it('ignores a root that it does not know', () => {
    expect(verdict(withProof(message, { root: 1n }))).toBe('ignore RLN_UNKNOWN_ROOT')
  })

  it('rejects a valid proof under any other message', () => {
    const mismatch = 'reject RLN_SIGNAL_MISMATCH'
    expect(mutate({ payload: Uint8Array.of(1) })).toBe(mismatch)
    expect(mutate({ contentTopic: '/myapp/1/other/proto' })).toBe(mismatch)
    expect(mutate({ meta: Uint8Array.of(1) })).toBe(mismatch)
    expect(mutate({ version: 1 })).toBe(mismatch)
    expect(mutate({ ephemeral: true })).toBe(mismatch)
    expect(mutate({ timestamp: (message.timestamp ?? 0n) + 1n })).toBe(mismatch)
  })

  it('rejects a copy with bytes moved between fields, which has the same message hash', () => {
    const original = createWakuMessage({
      ...message,
      timestamp: nanoseconds(NOW_MS),
      contentTopic: CONTENT_TOPIC,
      meta: hexToBytes('6d657461'),
    })
    const moved = { ...original, contentTopic: `${CONTENT_TOPIC}me`, meta: hexToBytes('7461') }
    expect(messageHash(TOPIC, moved)).toEqual(messageHash(TOPIC, original))
    expect(verdict(withProof(original))).toBe('accept')
    expect(verdict(withProof(moved, { x: unprovenProof(original).x }))).toBe('reject RLN_SIGNAL_MISMATCH')
  })

  it('takes absent and default values of version, meta and ephemeral for the same', () => {
    expect(mutate({ version: 0, ephemeral: false, meta: new Uint8Array() })).toBe('accept')
  })

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(bytes(600), mutated(fc.constant(withProof(message)))),
        fc.string(),
        (data, topic) => {
          precheck(data, topic, context)
          precheck(data, TOPIC, context)
        },
      ),
    )
  })
})

describe('proof encoding', () => {
  const element = fc.bigInt({ min: 0n, max: FIELD_MODULUS - 1n })
  const proof = fc.record({
    proof: fc.uint8Array({ minLength: 256, maxLength: 256 }),
    epoch: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    root: element,
    x: element,
    y: element,
    nullifier: element,
  })

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(proof, (value) => {
        expect(decodeRlnProof(encodeRlnProof(value))).toEqual(value)
      }),
    )
  })

  it('keeps nothing of the message in what goes to the verifier', () => {
    // A Buffer's slice would be a view again.
    for (const data of [withProof(message), Buffer.from(withProof(message))]) {
      const result = precheck(data, TOPIC, context)
      expect(result.ok && result.proof.proof.buffer.byteLength).toBe(256)
    }
  })

  it('throws nothing but RLN_PROOF_MALFORMED', () => {
    fc.assert(
      fc.property(fc.oneof(bytes(500), mutated(proof.map(encodeRlnProof))), (data) => {
        try {
          const value = decodeRlnProof(data)
          expect(decodeRlnProof(encodeRlnProof(value))).toEqual(value)
        } catch (error) {
          expect(error).toMatchObject({ code: 'RLN_PROOF_MALFORMED' })
        }
      }),
    )
  })

  it('refuses values that do not fit', () => {
    const good = unprovenProof(message)
    for (const bad of [
      { root: FIELD_MODULUS },
      { y: -1n },
      { epoch: 2n ** 64n },
      { epoch: -1n },
      { proof: new Uint8Array(1) },
    ]) {
      expect(() => encodeRlnProof({ ...good, ...bad })).toThrow(
        expect.objectContaining({ code: 'RLN_PROOF_MALFORMED' }),
      )
    }
  })
})

describe('signal and scope', () => {
  it('bind the pubsub topic', () => {
    expect(signalX(TOPIC, message)).not.toBe(signalX(pubsubTopic(66, 1), message))
  })

  it('tell meta from a timestamp of the same bytes', () => {
    const { timestamp = 0n, ...timeless } = message
    const disguised = { ...timeless, meta: bigIntToBytes(timestamp, 8) }
    expect(messageHash(TOPIC, disguised)).toEqual(messageHash(TOPIC, message))
    expect(signalX(TOPIC, disguised)).not.toBe(signalX(TOPIC, message))
  })

  it('limit the rate by epoch, network and topic', () => {
    const scope = { epoch: 1n, networkId: 'a', pubsubTopic: 'b' }
    const values = [
      scope,
      { ...scope, epoch: 2n },
      { ...scope, networkId: 'ab' },
      { ...scope, pubsubTopic: 'c' },
      { ...scope, networkId: '', pubsubTopic: 'ab' },
    ].map(externalNullifier)
    expect(new Set(values).size).toBe(values.length)
    expect(values.every((value) => value < FIELD_MODULUS)).toBe(true)
  })

  it('stay right when more scopes are asked for than are remembered', () => {
    const first = externalNullifier({ epoch: 0n, networkId: 'n', pubsubTopic: 't' })
    for (let epoch = 1n; epoch < 300n; epoch++) externalNullifier({ epoch, networkId: 'n', pubsubTopic: 't' })
    expect(externalNullifier({ epoch: 0n, networkId: 'n', pubsubTopic: 't' })).toBe(first)
  })

  it('count epochs from 1970, rounding down', () => {
    expect(epochAt(599_999, 600)).toBe(0n)
    expect(epochAt(600_000, 600)).toBe(1n)
    expect(epochAt(NOW_MS, 10)).toBe(173_227_000n)
  })

  it('use commitment and secret of one member', () => {
    expect(poseidon([member.secret])).toBe(member.commitment)
  })
})

describe('verdictFor', () => {
  it('never blames a sender for the state of the node', () => {
    for (const code of ['RELAY_OVERLOADED', 'ZK_QUEUE_FULL', 'CHAIN_UNREACHABLE', 'CORE_ABORTED'] as const) {
      expect(verdictFor(code)).toEqual({ kind: 'ignore', code })
    }
    expect(verdictFor('RLN_PROOF_INVALID')).toEqual({ kind: 'reject', code: 'RLN_PROOF_INVALID' })
  })
})
