import { PostriderError } from '../errors/index.ts'
import {
  bigIntToBytes,
  bytesToBigInt,
  create,
  decode,
  encode,
  hasCanonicalSize,
  RateLimitProofSchema,
  type WakuMessage,
} from '../wire/index.ts'
import { ELEMENT_BYTES, EPOCH_BYTES, PROOF_BYTES } from './constants.ts'
import { isFieldElement } from './field.ts'

/** A rate-limit proof as it travels in `WakuMessage.rate_limit_proof`. */
export type RlnProof = {
  /** Groth16 on BN254, 256 bytes, EIP-197 encoding. */
  proof: Uint8Array
  root: bigint
  epoch: bigint
  x: bigint
  y: bigint
  nullifier: bigint
}

/** The circuit's public signals in its order: y, root, nullifier, x, externalNullifier. */
export type PublicSignals = readonly [
  y: bigint,
  root: bigint,
  nullifier: bigint,
  x: bigint,
  externalNullifier: bigint,
]

/** @throws RLN_PROOF_MALFORMED when a value does not fit. */
export function encodeRlnProof(proof: RlnProof): Uint8Array {
  const elements = [proof.root, proof.x, proof.y, proof.nullifier]
  if (proof.proof.length !== PROOF_BYTES || !elements.every(isFieldElement) || !isEpoch(proof.epoch)) {
    throw new PostriderError('RLN_PROOF_MALFORMED')
  }
  return encode(
    RateLimitProofSchema,
    create(RateLimitProofSchema, {
      proof: proof.proof,
      merkleRoot: bigIntToBytes(proof.root, ELEMENT_BYTES),
      epoch: bigIntToBytes(proof.epoch, EPOCH_BYTES),
      shareX: bigIntToBytes(proof.x, ELEMENT_BYTES),
      shareY: bigIntToBytes(proof.y, ELEMENT_BYTES),
      nullifier: bigIntToBytes(proof.nullifier, ELEMENT_BYTES),
    }),
  )
}

/**
 * Strict: exact widths, field elements below p, nothing besides. The points of the proof are the verifier's.
 * @throws RLN_PROOF_MALFORMED, never anything else.
 */
export function decodeRlnProof(bytes: Uint8Array): RlnProof {
  const wire = decodeWire(bytes)
  const { proof, merkleRoot, epoch, shareX, shareY, nullifier } = wire
  const elements = [merkleRoot, shareX, shareY, nullifier]
  if (
    proof.length !== PROOF_BYTES ||
    epoch.length !== EPOCH_BYTES ||
    elements.some((element) => element.length !== ELEMENT_BYTES) ||
    !elements.every((element) => isFieldElement(bytesToBigInt(element))) ||
    !hasCanonicalSize(RateLimitProofSchema, bytes, wire)
  ) {
    throw new PostriderError('RLN_PROOF_MALFORMED')
  }
  return {
    // Not a view of the message: one that is posted to another thread takes all of its buffer along.
    proof: new Uint8Array(proof),
    root: bytesToBigInt(merkleRoot),
    epoch: bytesToBigInt(epoch),
    x: bytesToBigInt(shareX),
    y: bytesToBigInt(shareY),
    nullifier: bytesToBigInt(nullifier),
  }
}

/** The signals to verify a proof against; the external nullifier is the verifier's own, never the sender's. */
export function publicSignals(proof: RlnProof, externalNullifier: bigint): PublicSignals {
  return [proof.y, proof.root, proof.nullifier, proof.x, externalNullifier]
}

/** A copy of the message with the proof in it. */
export function attachProof(message: WakuMessage, proof: RlnProof): WakuMessage {
  return { ...message, rateLimitProof: encodeRlnProof(proof) }
}

function decodeWire(bytes: Uint8Array) {
  try {
    return decode(RateLimitProofSchema, bytes)
  } catch (cause) {
    throw new PostriderError('RLN_PROOF_MALFORMED', { cause })
  }
}

function isEpoch(value: bigint): boolean {
  return value >= 0n && BigInt.asUintN(8 * EPOCH_BYTES, value) === value
}
