// A proof on the wire: 256 bytes, EIP-197's encoding as the EVM's pairing precompile reads it. Eight big-endian
// 32-byte coordinates: A.x A.y, B.x.imaginary B.x.real B.y.imaginary B.y.real, C.x C.y.
//
// One proof has one encoding: coordinates at or above the field's order are refused, and so is (0, 0), which
// EIP-197 uses for the point at infinity and which no honest proof contains.
import { BASE_MODULUS, ELEMENT_BYTES, PROOF_BYTES, PUBLIC_SIGNALS, SCALAR_MODULUS } from './constants.ts'
import { isInG2, isOnCurveG1, isOnTwist } from './field.ts'
import type { Groth16Proof, PublicSignals } from './types.ts'

/** Big-endian, `ELEMENT_BYTES` wide, written at `offset`. */
export function writeElement(to: Uint8Array, offset: number, value: bigint): void {
  let rest = value
  for (let i = offset + ELEMENT_BYTES - 1; i >= offset; i--) {
    to[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
}

/** Reads what `writeElement` wrote. */
export function readElement(from: Uint8Array, offset: number): bigint {
  const view = new DataView(from.buffer, from.byteOffset + offset, ELEMENT_BYTES)
  return (
    (view.getBigUint64(0) << 192n) |
    (view.getBigUint64(8) << 128n) |
    (view.getBigUint64(16) << 64n) |
    view.getBigUint64(24)
  )
}

/** 256 bytes. The points are not checked: encode what a prover made. */
export function encodeProof({ a, b, c }: Groth16Proof): Uint8Array {
  const bytes = new Uint8Array(PROOF_BYTES)
  const coordinates = [a.x, a.y, b.x[1], b.x[0], b.y[1], b.y[0], c.x, c.y]
  for (const [i, value] of coordinates.entries()) writeElement(bytes, i * ELEMENT_BYTES, value)
  return bytes
}

/**
 * The proof's points, or undefined when the bytes are not the canonical encoding of points on their curves (wrong
 * length, coordinate not reduced, infinity, off the curve). Whether B is in G2 is `isInG2`'s answer, which
 * `decodeProofStrictly` includes; verifiers check it faster.
 */
export function decodeProof(bytes: Uint8Array): Groth16Proof | undefined {
  if (bytes.byteLength !== PROOF_BYTES) return undefined
  const at = (i: number) => readElement(bytes, i * ELEMENT_BYTES)
  const proof: Groth16Proof = {
    a: { x: at(0), y: at(1) },
    b: { x: [at(3), at(2)], y: [at(5), at(4)] },
    c: { x: at(6), y: at(7) },
  }
  const { a, b, c } = proof
  const canonical = [a.x, a.y, ...b.x, ...b.y, c.x, c.y].every((value) => value < BASE_MODULUS)
  // (0, 0) satisfies neither curve equation, so infinity needs no check of its own.
  return canonical && isOnCurveG1(a) && isOnTwist(b) && isOnCurveG1(c) ? proof : undefined
}

/** `decodeProof` and B's subgroup: everything that can be said of a proof without its statement. About 10 ms. */
export function decodeProofStrictly(bytes: Uint8Array): Groth16Proof | undefined {
  const proof = decodeProof(bytes)
  return proof !== undefined && isInG2(proof.b) ? proof : undefined
}

/** Right number of signals, each the canonical form of a scalar. */
export function areCanonicalSignals(signals: readonly bigint[]): signals is PublicSignals {
  return (
    signals.length === PUBLIC_SIGNALS && signals.every((signal) => signal >= 0n && signal < SCALAR_MODULUS)
  )
}
