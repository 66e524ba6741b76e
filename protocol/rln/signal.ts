import { keccak_256 } from '@noble/hashes/sha3.js'
import {
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  messageHash,
  utf8ToBytes,
  type WakuMessage,
} from '../wire/index.ts'
import { EXTERNAL_NULLIFIER_MEMO, FIELD_MODULUS, SIGNAL_TAG } from './constants.ts'
import { hashToField } from './field.ts'
import { poseidon } from './poseidon.ts'

const TAG = utf8ToBytes(SIGNAL_TAG)

/** What the rate is limited in: one epoch of one pubsub topic of one network. */
export type RateScope = { epoch: bigint; networkId: string; pubsubTopic: string }

/** Number of the epoch at a time: floor(seconds / length). */
export function epochAt(unixMs: number, epochSeconds: number): bigint {
  return BigInt(Math.floor(unixMs / 1000 / epochSeconds))
}

const memo = new Map<string, bigint>()

/** Poseidon(epoch, keccak256(utf8(networkId) ‖ 0x00 ‖ utf8(pubsubTopic)) mod p). */
export function externalNullifier(scope: RateScope): bigint {
  const key = `${scope.epoch}\0${scope.networkId}\0${scope.pubsubTopic}`
  const known = memo.get(key)
  if (known !== undefined) return known
  const place = concatBytes(utf8ToBytes(scope.networkId), Uint8Array.of(0), utf8ToBytes(scope.pubsubTopic))
  const value = poseidon([scope.epoch, hashToField(place)])
  if (memo.size >= EXTERNAL_NULLIFIER_MEMO) memo.delete(memo.keys().next().value ?? key)
  memo.set(key, value)
  return value
}

/**
 * x of a message: keccak256 over tag, message hash, version, ephemeral flag and the lengths of the fields that
 * the message hash joins, modulo p. It binds everything in the message but the proof itself. Without the
 * lengths a forwarder could move bytes from one field to the next (from meta into the content topic, say) and
 * keep hash and proof.
 *
 * @param hash - the message hash, when the caller has it already
 */
export function signalX(
  pubsubTopic: string,
  message: WakuMessage,
  hash: Uint8Array = messageHash(pubsubTopic, message),
): bigint {
  const lengths = [
    utf8ToBytes(pubsubTopic).length,
    message.payload.length,
    utf8ToBytes(message.contentTopic).length,
    message.meta?.length ?? 0,
  ]
  const signal = keccak_256(
    concatBytes(
      TAG,
      hash,
      uint32(message.version ?? 0),
      Uint8Array.of(message.ephemeral === true ? 1 : 0),
      ...lengths.map(uint32),
    ),
  )
  return bytesToBigInt(signal) % FIELD_MODULUS
}

function uint32(value: number): Uint8Array {
  return bigIntToBytes(BigInt(value), 4)
}
