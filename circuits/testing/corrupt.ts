// Proofs that are not what a prover made: valid variants and every kind of damage, from a seed.
import { bn254 } from '@noble/curves/bn254.js'
import { BASE_MODULUS, SCALAR_MODULUS } from '../engine/constants.ts'
import { decodeProof, encodeProof, type Groth16Proof, type PointG1, type PointG2 } from '../engine/index.ts'

const { Point: G1 } = bn254.G1
const { Point: G2 } = bn254.G2
const { Fp2 } = bn254.fields

type NobleG1 = InstanceType<typeof G1>
type NobleG2 = InstanceType<typeof G2>

const toG1 = (point: NobleG1): PointG1 => point.toAffine()
const fromG1 = (point: PointG1): NobleG1 => G1.fromAffine(point)
const fromG2 = ({ x, y }: PointG2): NobleG2 =>
  G2.fromAffine({ x: Fp2.fromBigTuple([...x]), y: Fp2.fromBigTuple([...y]) })
const toG2 = (point: NobleG2): PointG2 => {
  const { x, y } = point.toAffine()
  return { x: [x.c0, x.c1], y: [y.c0, y.c1] }
}

/** Deterministic numbers, uniform enough for tests. */
export type Random = (below: number) => number

export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return Math.floor((((state ^ (state >>> 13)) >>> 0) / 2 ** 32) * below)
  }
}

export function randomScalar(random: Random): bigint {
  let value = 0n
  for (let i = 0; i < 8; i++) value = (value << 32n) | BigInt(random(2 ** 32))
  return (value % (SCALAR_MODULUS - 1n)) + 1n
}

/** Another valid proof of the same statement: (zA, B/z, C). Anyone can make it without the witness. */
export function rerandomize(proof: Uint8Array, random: Random): Uint8Array {
  const { a, b, c } = decode(proof)
  const z = randomScalar(random)
  const inverse = bn254.fields.Fr.inv(z)
  return encodeProof({ a: toG1(fromG1(a).multiply(z)), b: toG2(fromG2(b).multiply(inverse)), c })
}

export function decode(proof: Uint8Array): Groth16Proof {
  const points = decodeProof(proof)
  if (points === undefined) throw new Error('not a proof')
  return points
}

/** Order of the twist over r; its smallest prime factor is 10069. */
const COFACTOR = 2n * BASE_MODULUS - SCALAR_MODULUS
export const SMALL_ORDER = 10_069n

/** A point of the twist that is in no way special: outside G2 but for chance. */
export function twistPoint(random: Random): PointG2 {
  for (;;) {
    const x = Fp2.fromBigTuple([randomScalar(random), randomScalar(random)])
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), G2.CURVE().b)
    try {
      const y = Fp2.sqrt(square)
      return { x: [x.c0, x.c1], y: [y.c0, y.c1] }
    } catch {
      // Not a square: every second x.
    }
  }
}

/** A point of order 10069. */
export function smallOrderPoint(random: Random): PointG2 {
  for (;;) {
    const point = times(fromG2(twistPoint(random)), (COFACTOR / SMALL_ORDER) * SCALAR_MODULUS)
    if (!point.is0()) return toG2(point)
  }
}

/** Multiplication without a view on the point's order. */
function times(point: NobleG2, scalar: bigint): NobleG2 {
  let sum = G2.ZERO
  for (const bit of scalar.toString(2)) {
    sum = sum.double()
    if (bit === '1') sum = sum.add(point)
  }
  return sum
}

export const addG2 = (left: PointG2, right: PointG2): PointG2 => toG2(fromG2(left).add(fromG2(right)))
export const negateG1 = (point: PointG1): PointG1 => toG1(fromG1(point).negate())
export const multiplyG2 = (point: PointG2, scalar: bigint): PointG2 => toG2(times(fromG2(point), scalar))

export type Case = { name: string; proof: Uint8Array; signals: readonly bigint[] }

/** Bytes of the proof that one round changes. */
const BYTES_A_ROUND = 4
/** Rounds after which every byte, every coordinate and every signal has had its turn. */
export const ALL_ROUNDS = 256 / BYTES_A_ROUND

/**
 * Each kind of damage, and some cases that are fine, for a valid proof and another valid proof. The round says which
 * bytes, which coordinate and which signal.
 */
export function corruptions(
  one: Omit<Case, 'name'>,
  other: Omit<Case, 'name'>,
  random: Random,
  round: number,
): Case[] {
  const { a, b, c } = decode(one.proof)
  const { a: a2, b: b2, c: c2 } = decode(other.proof)
  const { signals } = one
  const points = (name: string, proof: Partial<Groth16Proof>): Case => ({
    name,
    proof: encodeProof({ a, b, c, ...proof }),
    signals,
  })
  const coordinate = (name: string, index: number, value: bigint): Case => {
    const proof = Buffer.from(one.proof)
    proof.write(value.toString(16).padStart(64, '0').slice(-64), index * 32, 'hex')
    return { name, proof: new Uint8Array(proof), signals }
  }
  const read = (index: number) =>
    BigInt(`0x${Buffer.from(one.proof.subarray(index * 32, index * 32 + 32)).toString('hex')}`)
  const at = round % 8
  const flipped = Array.from({ length: BYTES_A_ROUND }, (_, i): Case => {
    const byte = (BYTES_A_ROUND * round + i) % 256
    const bit = 1 << random(8)
    return { name: `byte ${byte}`, proof: one.proof.with(byte, (one.proof[byte] ?? 0) ^ bit), signals }
  })
  const infinity = (name: string, from: number, to: number): Case => ({
    name,
    proof: one.proof.slice().fill(0, from, to),
    signals,
  })
  const signal = round % 5
  const withSignal = (name: string, value: bigint): Case => ({
    name,
    proof: one.proof,
    signals: signals.with(signal, value),
  })
  return [
    { name: 'as it was', ...one },
    { name: 're-randomised', proof: rerandomize(one.proof, random), signals },
    ...flipped,
    coordinate('coordinate plus q', at, read(at) + BASE_MODULUS),
    coordinate('coordinate is q', at, BASE_MODULUS),
    coordinate('coordinate is 0', at, 0n),
    coordinate('coordinate is the largest number', at, 2n ** 256n - 1n),
    coordinate('coordinate negated', at, BASE_MODULUS - read(at)),
    points('A negated', { a: negateG1(a) }),
    points('A and C negated', { a: negateG1(a), c: negateG1(c) }),
    points('A and B negated', { a: negateG1(a), b: multiplyG2(b, SCALAR_MODULUS - 1n) }),
    points('A and C swapped', { a: c, c: a }),
    points('A of another proof', { a: a2 }),
    points('B of another proof', { b: b2 }),
    points('C of another proof', { c: c2 }),
    points('B real and imaginary swapped', { b: { x: [b.x[1], b.x[0]], y: [b.y[1], b.y[0]] } }),
    points('B outside its group', { b: twistPoint(random) }),
    points('B plus a point outside the group', { b: addG2(b, twistPoint(random)) }),
    points('B plus a point of small order', { b: addG2(b, smallOrderPoint(random)) }),
    infinity('A at infinity', 0, 64),
    infinity('B at infinity', 64, 192),
    infinity('C at infinity', 192, 256),
    infinity('all at infinity', 0, 256),
    { name: 'signals of another proof', proof: one.proof, signals: other.signals },
    withSignal('signal plus 1', (signals[signal] ?? 0n) + 1n),
    withSignal('signal plus r', (signals[signal] ?? 0n) + SCALAR_MODULUS),
    withSignal('signal is r', SCALAR_MODULUS),
    withSignal('signal is 0', 0n),
    withSignal('random signal', randomScalar(random)),
  ]
}
