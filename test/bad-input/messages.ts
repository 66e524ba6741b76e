// Every way to spoil a message with a valid proof, with what a node must say to it.
import type { ErrorCode } from '@postrider/protocol/errors'
import { FIELD_MODULUS, type RlnProof, signalX } from '@postrider/protocol/rln'
import {
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  create,
  decode,
  encode,
  MAX_MESSAGE_BYTES,
  MAX_META_BYTES,
  pubsubTopic as pubsubTopicOf,
  RateLimitProofSchema,
  type WakuMessage,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { BASE_MODULUS } from '../../circuits/engine/constants.ts'

export type Good = { pubsubTopic: string; message: WakuMessage; proof: RlnProof }

export type Forged = { pubsubTopic: string; data: Uint8Array }

export type BadMessage = {
  name: string
  code: ErrorCode
  /** ignore: an honest node may pass it on; reject: none does. */
  kind: 'ignore' | 'reject'
  /** Lightpush's answer; undefined where a lightpush request cannot hold it, or is served another way. */
  status: number | undefined
  /** False where gossip does not carry it: its topic is no topic of the network. */
  gossip?: false
  forge(good: Good): Forged
}

type WireProof = { proof: Uint8Array; merkleRoot: Uint8Array; epoch: Uint8Array } & Record<
  'shareX' | 'shareY' | 'nullifier',
  Uint8Array
>

const send = (pubsubTopic: string, message: WakuMessage): Forged => ({
  pubsubTopic,
  data: encode(WakuMessageSchema, message),
})

/** The message with other fields and the old proof. */
const mutated = (change: (message: WakuMessage) => Partial<WakuMessage>) => (good: Good) =>
  send(good.pubsubTopic, { ...good.message, ...change(good.message) })

/** The message with a proof whose bytes are changed past every check of an encoder. */
const reproven = (change: (proof: WireProof, good: Good) => Partial<WireProof>) => (good: Good) => {
  const proof = decode(RateLimitProofSchema, good.message.rateLimitProof ?? new Uint8Array())
  const changed = create(RateLimitProofSchema, { ...proof, ...change(proof, good) })
  const rateLimitProof = encode(RateLimitProofSchema, changed)
  return send(good.pubsubTopic, { ...good.message, rateLimitProof })
}

const field = (value: bigint) => bigIntToBytes(value, 32)
const aboveField = (bytes: Uint8Array) => field(bytesToBigInt(bytes) + FIELD_MODULUS)
const plus = (bytes: Uint8Array, by: bigint) => bigIntToBytes(bytesToBigInt(bytes) + by, bytes.length)
const notCanonical = (name: 'merkleRoot' | 'shareX' | 'shareY' | 'nullifier'): BadMessage => ({
  name: `a ${name} above the field's modulus`,
  code: 'RLN_PROOF_MALFORMED',
  kind: 'reject',
  status: 420,
  forge: reproven((proof) => ({ [name]: aboveField(proof[name]) })),
})

export const badMessages: readonly BadMessage[] = [
  notCanonical('merkleRoot'),
  notCanonical('shareX'),
  notCanonical('shareY'),
  notCanonical('nullifier'),
  {
    name: 'a field element of 31 bytes',
    code: 'RLN_PROOF_MALFORMED',
    kind: 'reject',
    status: 420,
    forge: reproven(({ shareY }) => ({ shareY: shareY.subarray(1) })),
  },
  {
    name: 'a curve coordinate above its modulus',
    code: 'RLN_PROOF_INVALID',
    kind: 'reject',
    status: 420,
    forge: reproven(({ proof }) => ({
      proof: concatBytes(plus(proof.subarray(0, 32), BASE_MODULUS), proof.subarray(32)),
    })),
  },
  {
    name: 'a proof with one bit changed',
    code: 'RLN_PROOF_INVALID',
    kind: 'reject',
    status: 420,
    forge: reproven(({ proof }) => ({ proof: proof.with(200, (proof[200] ?? 0) ^ 1) })),
  },
  {
    name: 'x = 0',
    code: 'RLN_X_ZERO',
    kind: 'reject',
    status: 420,
    forge: reproven(() => ({ shareX: new Uint8Array(32) })),
  },
  {
    name: 'the nullifier of another message id',
    code: 'RLN_PROOF_INVALID',
    kind: 'reject',
    status: 420,
    forge: reproven(({ nullifier }) => ({
      nullifier: field((bytesToBigInt(nullifier) + 1n) % FIELD_MODULUS),
    })),
  },
  {
    name: 'an unknown root',
    code: 'RLN_UNKNOWN_ROOT',
    kind: 'ignore',
    status: 503,
    forge: reproven(({ merkleRoot }) => ({
      merkleRoot: field((bytesToBigInt(merkleRoot) + 1n) % FIELD_MODULUS),
    })),
  },
  {
    name: 'the epoch after',
    code: 'RLN_EPOCH_MISMATCH',
    kind: 'reject',
    status: 420,
    forge: reproven(({ epoch }) => ({ epoch: plus(epoch, 1n) })),
  },
  {
    name: 'a timestamp of a minute ago',
    code: 'RLN_TIMESTAMP_OUTSIDE_WINDOW',
    kind: 'ignore',
    status: 420,
    forge: mutated(({ timestamp = 0n }) => ({ timestamp: timestamp - 60_000_000_000n })),
  },
  {
    name: 'no proof',
    code: 'RLN_PROOF_MISSING',
    kind: 'reject',
    // A node proves for clients that cannot.
    status: undefined,
    forge: ({ pubsubTopic, message: { rateLimitProof: _, ...bare } }) => send(pubsubTopic, bare),
  },
  {
    name: 'another payload',
    code: 'RLN_SIGNAL_MISMATCH',
    kind: 'reject',
    status: 420,
    forge: mutated(({ payload }) => ({ payload: concatBytes(payload, Uint8Array.of(0)) })),
  },
  {
    name: 'another payload, with the x that belongs to it',
    code: 'RLN_PROOF_INVALID',
    kind: 'reject',
    status: 420,
    forge: (good) => {
      const message = { ...good.message, payload: Uint8Array.of(1, 2, 3) }
      return reproven(() => ({ shareX: field(signalX(good.pubsubTopic, message)) }))({ ...good, message })
    },
  },
  {
    name: 'a meta of its own',
    code: 'RLN_SIGNAL_MISMATCH',
    kind: 'reject',
    status: 420,
    forge: mutated(() => ({ meta: Uint8Array.of(7) })),
  },
  {
    name: 'a meta that is too large',
    code: 'WIRE_META_TOO_LARGE',
    kind: 'reject',
    status: 400,
    forge: mutated(() => ({ meta: new Uint8Array(MAX_META_BYTES + 1) })),
  },
  {
    name: 'the ephemeral flag turned',
    code: 'RLN_SIGNAL_MISMATCH',
    kind: 'reject',
    status: 420,
    forge: mutated(({ ephemeral = false }) => ({ ephemeral: !ephemeral })),
  },
  {
    name: 'another content topic of the same shard',
    code: 'RLN_SIGNAL_MISMATCH',
    kind: 'reject',
    status: 420,
    // Autosharding looks at application and version only.
    forge: mutated(({ contentTopic }) => ({ contentTopic: `${contentTopic}x` })),
  },
  {
    name: 'another shard',
    code: 'WIRE_SHARD_MISMATCH',
    kind: 'reject',
    status: 421,
    forge: ({ pubsubTopic, message }) => send(otherShard(pubsubTopic), message),
  },
  {
    name: 'a shard that does not exist',
    code: 'WIRE_TOPIC_INVALID',
    kind: 'reject',
    status: 421,
    gossip: false,
    forge: ({ pubsubTopic, message }) => send(pubsubTopic.replace(/\d+$/, '900'), message),
  },
  {
    name: 'another cluster',
    code: 'WIRE_TOPIC_INVALID',
    kind: 'reject',
    status: 421,
    gossip: false,
    forge: ({ message }) => send(pubsubTopicOf(1, 0), message),
  },
  {
    name: 'a content topic without a shape',
    code: 'WIRE_CONTENT_TOPIC_INVALID',
    kind: 'reject',
    status: 400,
    forge: mutated(() => ({ contentTopic: 'room' })),
  },
  {
    name: 'more bytes than a message may have',
    code: 'WIRE_TOO_LARGE',
    kind: 'reject',
    status: 413,
    forge: mutated(() => ({ payload: new Uint8Array(MAX_MESSAGE_BYTES) })),
  },
  {
    name: 'a field that no message has',
    code: 'WIRE_NOT_CANONICAL',
    kind: 'reject',
    // Lightpush passes on what it understood, in the one encoding.
    status: undefined,
    forge: ({ pubsubTopic, message }) => ({
      pubsubTopic,
      data: concatBytes(encode(WakuMessageSchema, message), Uint8Array.of(0xa0, 0x06, 0x01)),
    }),
  },
  {
    name: 'bytes that are no message',
    code: 'WIRE_MALFORMED',
    kind: 'reject',
    status: undefined,
    forge: ({ pubsubTopic }) => ({ pubsubTopic, data: new Uint8Array(64).fill(0xff) }),
  },
]

function otherShard(pubsubTopic: string): string {
  return pubsubTopic.replace(/\d+$/, (shard) => (shard === '0' ? '1' : '0'))
}
