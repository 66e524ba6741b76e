// Groth16's verification equation over a table of loaded proofs.
//
//   one:   e(A, B) = e(alpha, beta) · e(X, gamma) · e(C, delta)      X = IC_0 + sum_j signal_j · IC_j
//   many:  prod e(r_i A_i, B_i) = e(alpha, beta)^(sum r_i) · e(sum r_i X_i, gamma) · e(sum r_i C_i, delta)
//
// The r_i are secret, 128 random bits each, drawn after the proofs are fixed: if any single equation is wrong, the
// combined one holds with probability 2^-128 at most. That needs every point to be in its group of order r, which
// loading checks.
import { areCanonicalSignals } from './codec.ts'
import { PROOF_BYTES, PUBLIC_SIGNALS, SCALAR_MODULUS } from './constants.ts'
import { loadKey } from './key.ts'
import { createMcl, type Mcl, SIZE } from './mcl.ts'
import { createPointReader } from './points.ts'
import type { PublicSignals, VerificationKey } from './types.ts'

/** Proofs that fit the table: the largest batch. */
export const TABLE_SIZE = 64

/**
 * Proofs whose Miller loops are kept as one product. Smaller groups make the search for a bad proof cheaper,
 * larger ones share more squarings; past 8 there is little left to share.
 */
export const GROUP_SIZE = 8

const COEFFICIENT_BYTES = 16

export interface Equation {
  /** Decodes a proof into a slot; false when its bytes or signals are not canonical or a point is not valid. */
  load(slot: number, proof: Uint8Array, signals: readonly bigint[]): boolean
  /** The exact equation of one slot. */
  holds(slot: number): boolean
  /** Draws fresh coefficients for the slots 0 .. count - 1. Call it after the last `load`. */
  randomize(count: number): void
  /** The combined equation of the slots from .. to - 1. `from` is a multiple of GROUP_SIZE or within one group. */
  allHold(from: number, to: number): boolean
}

export async function createEquation(verificationKey: VerificationKey): Promise<Equation> {
  const mcl = await createMcl()
  const points = createPointReader(mcl)
  const key = loadKey(mcl, points, verificationKey)
  const table = createTable(mcl)
  const { left, right, sumX, sumC, exponent } = table
  const signalsOf: PublicSignals[] = []
  const coefficients: bigint[] = []
  const knownGroups = new Set<number>()

  /** sumX = -(weight_0 · IC_0 + sum_j weight_j · IC_j). */
  function setSumX(weights: readonly bigint[]): void {
    for (const [j, weight] of weights.entries()) mcl.setFr(table.weights + j * SIZE.fr, weight)
    mcl._mclBnG1_mulVec(sumX, key.ic, table.weights, weights.length)
    mcl._mclBnG1_neg(sumX, sumX)
  }

  /** left · e(sumX, gamma) · e(sumC, delta), compared with e(alpha, beta), to the power of `exponent` if given. */
  function equals(power?: bigint): boolean {
    mcl._mclBn_precomputedMillerLoop2(right, sumX, key.gamma, sumC, key.delta)
    mcl._mclBnGT_mul(left, left, right)
    mcl._mclBn_finalExp(left, left)
    if (power === undefined) return mcl._mclBnGT_isEqual(left, key.alphaBeta) === 1
    mcl.setFr(exponent, power)
    mcl._mclBnGT_pow(right, key.alphaBeta, exponent)
    return mcl._mclBnGT_isEqual(left, right) === 1
  }

  /** left = product of the Miller loops of (r_i A_i, B_i); whole groups are kept for the next call. */
  function setLeft(from: number, to: number): void {
    mcl._mclBnGT_setInt32(left, 1)
    for (let slot = from; slot < to; slot += GROUP_SIZE) {
      const group = slot / GROUP_SIZE
      const size = Math.min(GROUP_SIZE, to - slot)
      const whole = slot % GROUP_SIZE === 0 && Math.min(GROUP_SIZE, coefficients.length - slot) === size
      const at = whole ? table.groups + group * SIZE.gt : right
      if (!whole || !knownGroups.has(group)) {
        mcl._mclBn_millerLoopVec(at, table.scaledA + slot * SIZE.g1, table.b + slot * SIZE.g2, size)
      }
      if (whole) knownGroups.add(group)
      mcl._mclBnGT_mul(left, left, at)
    }
  }

  return {
    load(slot, proof, signals) {
      if (proof.byteLength !== PROOF_BYTES || !areCanonicalSignals(signals)) return false
      signalsOf[slot] = signals
      return points.setProof(
        table.a + slot * SIZE.g1,
        table.b + slot * SIZE.g2,
        table.c + slot * SIZE.g1,
        proof,
      )
    },
    holds(slot) {
      setSumX([1n, ...(signalsOf[slot] ?? [])])
      mcl._mclBnG1_neg(sumC, table.c + slot * SIZE.g1)
      mcl._mclBn_millerLoopVec(left, table.a + slot * SIZE.g1, table.b + slot * SIZE.g2, 1)
      return equals()
    },
    randomize(count) {
      knownGroups.clear()
      coefficients.length = 0
      for (let slot = 0; slot < count; slot++) {
        const coefficient = randomCoefficient()
        const [to, scalar] = [table.scaledA + slot * SIZE.g1, table.scalars + slot * SIZE.fr]
        coefficients.push(coefficient)
        mcl.setFr(scalar, coefficient)
        mcl._mclBnG1_mul(to, table.a + slot * SIZE.g1, scalar)
        mcl._mclBnG1_normalize(to, to)
      }
    },
    allHold(from, to) {
      const weights = new Array<bigint>(PUBLIC_SIGNALS + 1).fill(0n)
      for (let slot = from; slot < to; slot++) {
        const r = coefficients[slot] ?? 0n
        for (const [j, signal] of [1n, ...(signalsOf[slot] ?? [])].entries()) {
          weights[j] = (weights[j] ?? 0n) + r * signal
        }
      }
      const reduced = weights.map((weight) => weight % SCALAR_MODULUS)
      setSumX(reduced)
      mcl._mclBnG1_mulVec(sumC, table.c + from * SIZE.g1, table.scalars + from * SIZE.fr, to - from)
      mcl._mclBnG1_neg(sumC, sumC)
      setLeft(from, to)
      return equals(reduced[0])
    },
  }
}

function createTable(mcl: Mcl) {
  const rows = (size: number, count = TABLE_SIZE) => mcl._malloc(size * count)
  return {
    a: rows(SIZE.g1),
    b: rows(SIZE.g2),
    c: rows(SIZE.g1),
    scaledA: rows(SIZE.g1),
    scalars: rows(SIZE.fr),
    groups: rows(SIZE.gt, TABLE_SIZE / GROUP_SIZE),
    weights: rows(SIZE.fr, PUBLIC_SIGNALS + 1),
    exponent: rows(SIZE.fr, 1),
    sumX: rows(SIZE.g1, 1),
    sumC: rows(SIZE.g1, 1),
    left: rows(SIZE.gt, 1),
    right: rows(SIZE.gt, 1),
  }
}

function randomCoefficient(): bigint {
  return crypto
    .getRandomValues(new Uint8Array(COEFFICIENT_BYTES))
    .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
