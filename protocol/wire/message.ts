import { create } from '@bufbuild/protobuf'
import { sha256 } from '@noble/hashes/sha2.js'
import { bigIntToBytes, utf8ToBytes } from './bytes.ts'
import { NANOSECONDS_PER_MS } from './constants.ts'
import { type WakuMessage, WakuMessageSchema } from './generated/waku_pb.ts'

export type WakuMessageInit = {
  payload: Uint8Array
  contentTopic: string
  /** Unix time, nanoseconds. */
  timestamp: bigint
  version?: number | undefined
  /** At most 64 bytes. */
  meta?: Uint8Array | undefined
  /** True: stores do not keep the message. */
  ephemeral?: boolean | undefined
}

/** A WakuMessage without a proof; absent optional fields stay absent on the wire. */
export function createWakuMessage(init: WakuMessageInit): WakuMessage {
  const { version, meta, ephemeral, ...required } = init
  return create(WakuMessageSchema, {
    ...required,
    ...(version === undefined ? {} : { version }),
    ...(meta === undefined ? {} : { meta }),
    ...(ephemeral === undefined ? {} : { ephemeral }),
  })
}

/**
 * The deterministic hash of 14/WAKU2-MESSAGE: SHA-256 over pubsub topic, payload, content topic, meta and
 * timestamp (8 bytes, big-endian, two's complement); absent fields contribute nothing. 32 bytes.
 *
 * The fields are joined without lengths, so two different messages can share a hash. It names a message;
 * what a proof covers is `signalX`.
 */
export function messageHash(pubsubTopic: string, message: WakuMessage): Uint8Array {
  const hash = sha256.create()
  hash.update(utf8ToBytes(pubsubTopic))
  hash.update(message.payload)
  hash.update(utf8ToBytes(message.contentTopic))
  if (message.meta !== undefined) hash.update(message.meta)
  if (message.timestamp !== undefined) hash.update(bigIntToBytes(BigInt.asUintN(64, message.timestamp), 8))
  return hash.digest()
}

/** The gossipsub message id: SHA-256 of the serialized message, so that no broken copy shadows a good one. */
export function gossipMessageId(data: Uint8Array): Uint8Array {
  return sha256(data)
}

/** Unix milliseconds to Waku's nanoseconds. */
export function msToTimestamp(unixMs: number): bigint {
  return BigInt(Math.floor(unixMs)) * NANOSECONDS_PER_MS
}

/** Waku's nanoseconds to Unix milliseconds, rounded down; exact for every 64-bit timestamp. */
export function timestampToMs(timestamp: bigint): number {
  const ms = timestamp / NANOSECONDS_PER_MS
  return Number(timestamp < 0n && timestamp % NANOSECONDS_PER_MS !== 0n ? ms - 1n : ms)
}
