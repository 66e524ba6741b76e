import { invert, mod } from '@noble/curves/abstract/modular.js'
import { PostriderError } from '../errors/index.ts'
import { FIELD_MODULUS } from './constants.ts'
import { poseidon } from './poseidon.ts'

/** A point on a member's line: y = secret + a1 · x. */
export type Share = { x: bigint; y: bigint }

/**
 * The share and nullifier that the circuit computes: a1 = Poseidon(secret, externalNullifier, messageId),
 * y = secret + a1 · x, nullifier = Poseidon(a1). For provers and tests.
 */
export function share(
  secret: bigint,
  externalNullifier: bigint,
  messageId: number,
  x: bigint,
): { y: bigint; nullifier: bigint } {
  const slope = poseidon([secret, externalNullifier, BigInt(messageId)])
  return { y: mod(secret + slope * x, FIELD_MODULUS), nullifier: poseidon([slope]) }
}

/**
 * The secret on whose line both shares lie. Whether it is a member's secret is for the caller to check:
 * Poseidon(secret) must be a registered commitment.
 * @throws RLN_SHARES_EQUAL when both have the same x.
 */
export function recoverSecret(first: Share, second: Share): bigint {
  const dx = mod(first.x - second.x, FIELD_MODULUS)
  if (dx === 0n) throw new PostriderError('RLN_SHARES_EQUAL')
  const slope = (first.y - second.y) * invert(dx, FIELD_MODULUS)
  return mod(first.y - slope * first.x, FIELD_MODULUS)
}
