import { PostriderError } from '../errors/index.ts'
import { bytesToBigInt } from '../wire/index.ts'
import { FIELD_MODULUS, IDENTITY_SEED_BYTES, MAX_MESSAGE_LIMIT } from './constants.ts'
import { assertFieldElement } from './field.ts'
import { poseidon } from './poseidon.ts'

/** A member's secret and its public commitment Poseidon(secret). */
export type Identity = { readonly secret: bigint; readonly commitment: bigint }

/** A new identity; `randomBytes(n)` gives n bytes from a CSPRNG. */
export function createIdentity(randomBytes: (length: number) => Uint8Array): Identity {
  return identityFromSecret(bytesToBigInt(randomBytes(IDENTITY_SEED_BYTES)) % FIELD_MODULUS)
}

/** @throws RLN_VALUE_INVALID unless 0 < secret < p. */
export function identityFromSecret(secret: bigint): Identity {
  assertFieldElement(secret, 'secret')
  if (secret === 0n) throw new PostriderError('RLN_VALUE_INVALID', { detail: 'the secret is zero' })
  return { secret, commitment: poseidon([secret]) }
}

/**
 * The leaf of a member: Poseidon(commitment, limit).
 * @throws RLN_VALUE_INVALID unless 0 < commitment < p and 1 ≤ limit ≤ 65,535.
 */
export function rateCommitment(commitment: bigint, limit: number): bigint {
  assertMember(commitment, limit)
  return poseidon([commitment, BigInt(limit)])
}

/** @throws RLN_VALUE_INVALID unless 0 < commitment < p and 1 ≤ limit ≤ 65,535. */
export function assertMember(commitment: bigint, limit: number): void {
  assertFieldElement(commitment, 'commitment')
  if (commitment === 0n || !Number.isInteger(limit) || limit < 1 || limit > MAX_MESSAGE_LIMIT) {
    throw new PostriderError('RLN_VALUE_INVALID', { detail: 'commitment or limit' })
  }
}
