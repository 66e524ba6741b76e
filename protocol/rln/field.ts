import { keccak_256 } from '@noble/hashes/sha3.js'
import { PostriderError } from '../errors/index.ts'
import { bytesToBigInt } from '../wire/index.ts'
import { FIELD_MODULUS } from './constants.ts'

/** True for 0 ≤ value < p. */
export function isFieldElement(value: bigint): boolean {
  return value >= 0n && value < FIELD_MODULUS
}

/** @throws RLN_VALUE_INVALID unless 0 ≤ value < p. */
export function assertFieldElement(value: bigint, name: string): void {
  if (!isFieldElement(value)) throw new PostriderError('RLN_VALUE_INVALID', { detail: name })
}

/** keccak256(bytes) as a big-endian integer, modulo p. */
export function hashToField(bytes: Uint8Array): bigint {
  return bytesToBigInt(keccak_256(bytes)) % FIELD_MODULUS
}
