// Groth16's verification equation over a table of loaded proofs.
//
//   one:   e(A, B) = e(alpha, beta) · e(X, gamma) · e(C, delta)      X = IC_0 + sum_j signal_j · IC_j
//   many:  prod e(r_i A_i, B_i) = e(alpha, beta)^(sum r_i) · e(sum r_i X_i, gamma) · e(sum r_i C_i, delta)
//
// The r_i are secret, 128 random bits each, drawn after the proofs are fixed: if any single equation is wrong, the
// combined one holds with probability 1 / (2^128 - 1) at most. That needs every point to be in its group of order r, which
// loading checks.
import { PostriderError } from '@postrider/protocol/errors'
import { areCanonicalSignals } from '../codec.ts'
import { ELEMENT_BYTES, PUBLIC_SIGNALS, SCALAR_MODULUS } from '../constants.ts'
import { baseBytes } from '../kernel/gather.ts'
import { createKernel, type Kernel } from '../kernel/kernel.ts'
import { createMultiplier } from '../kernel/multiply.ts'
import { TOWER_BYTES } from '../kernel/tower.ts'
import { createPoints } from '../prover/points.ts'
import { setScalar } from '../prover/scalars.ts'
import type { PublicSignals, VerificationKey } from '../types.ts'
import { createCoefficients } from './coefficients.ts'
import { loadKey } from './key.ts'
import { createMiller, MAX_PAIRS } from './miller.ts'
import { createTowerValues } from './tower-values.ts'
import { createUntrustedPoints } from './untrusted-points.ts'

/** Proofs that fit the table: the largest batch. */
export const TABLE_SIZE = 64

/**
 * Proofs whose Miller loops are kept as one product. Smaller groups make the search for a bad proof cheaper, larger
 * ones share more squarings; past 8 there is little left to share.
 */
export const GROUP_SIZE = MAX_PAIRS

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
  const kernel = await createKernel()
  const points = createPoints(kernel)
  const tower = createTowerValues(kernel)
  const miller = createMiller(kernel, tower)
  const untrusted = createUntrustedPoints(kernel, points)
  const key = loadKey({ kernel, points, untrusted, miller, tower }, verificationKey)
  const coefficients = createCoefficients(kernel)
  const multiplier = createMultiplier(kernel, 'g1')
  const { slot, left, right, sumX, sumC } = createTable(kernel)
  const { mul } = kernel.functions('fp12')
  const signalsOf: PublicSignals[] = []
  const knownGroups = new Set<number>()
  let randomized = 0

  /** The pairs (-X, gamma) and (-C, delta), less what is at infinity and has the value 1. */
  function rightSide() {
    const pairs = [
      { p: sumX, lines: key.gamma },
      { p: sumC, lines: key.delta },
    ].filter(({ p }) => !points.isInfinite('g1', p))
    for (const { p } of pairs) {
      points.toAffine('g1', p, p)
      kernel.functions('fp').negate(p + kernel.g1.size, p + kernel.g1.size)
    }
    return pairs
  }

  /** sumC = sum of r_i C_i */
  function setSumC(from: number, to: number): void {
    kernel.scoped((reserve) => {
      const scalars = reserve((to - from) * ELEMENT_BYTES)
      const bases = Int32Array.from({ length: to - from }, (_, i) => slot(from + i).c)
      for (let i = from; i < to; i++)
        setScalar(kernel, scalars + (i - from) * ELEMENT_BYTES, coefficients.scalar(i))
      multiplier.multiply(sumC, bases, scalars)
    })
  }

  /** left = product of the Miller loops of (r_i A_i, B_i); whole groups are kept for the next call. */
  function setLeft(from: number, to: number): void {
    tower.setOne(left)
    for (let first = from; first < to; first += GROUP_SIZE) {
      const last = Math.min(first + GROUP_SIZE, to)
      const group = first / GROUP_SIZE
      const whole = first % GROUP_SIZE === 0 && last === Math.min(first + GROUP_SIZE, randomized)
      const at = whole ? slot(first).group : right
      if (!whole || !knownGroups.has(group)) {
        const pairs = Array.from({ length: last - first }, (_, i) => {
          const { scaledA, b } = slot(first + i)
          return { p: scaledA, q: b }
        })
        miller.loop(at, pairs, [])
      }
      if (whole) knownGroups.add(group)
      mul(left, left, at)
    }
  }

  return {
    load(index, proof, signals) {
      if (!areCanonicalSignals(signals)) return false
      const { a, b, c } = slot(index)
      signalsOf[index] = signals
      if (!untrusted.setProof(a, b, c, proof)) return false
      points.completeBase('g1', a)
      points.completeBase('g1', c)
      return true
    },
    holds(index) {
      const { a, b, c } = slot(index)
      key.ic.sum(sumX, [1n, ...(signalsOf[index] ?? [])])
      points.fromAffine('g1', sumC, c)
      miller.loop(left, [{ p: a, q: b }], rightSide())
      tower.finalExponentiation(left)
      return tower.equal(left, key.alphaBeta)
    },
    randomize(count) {
      knownGroups.clear()
      randomized = count
      coefficients.draw(count)
      const scaled: number[] = []
      for (let i = 0; i < count; i++) {
        const { a, scaledA } = slot(i)
        coefficients.multiply(scaledA, a, i)
        scaled.push(scaledA)
      }
      points.allToAffine('g1', scaled)
    },
    allHold(from, to) {
      const weights = new Array<bigint>(PUBLIC_SIGNALS + 1).fill(0n)
      for (let i = from; i < to; i++) {
        const r = coefficients.scalar(i)
        for (const [j, signal] of [1n, ...(signalsOf[i] ?? [])].entries()) {
          weights[j] = (weights[j] ?? 0n) + r * signal
        }
      }
      const reduced = weights.map((weight) => weight % SCALAR_MODULUS)
      key.ic.sum(sumX, reduced)
      setSumC(from, to)
      setLeft(from, to)
      miller.loop(right, [], rightSide())
      mul(left, left, right)
      tower.finalExponentiation(left)
      tower.power(right, key.alphaBeta, reduced[0] ?? 0n)
      return tower.equal(left, right)
    },
  }
}

function createTable(kernel: Kernel) {
  const [ofG1, ofG2] = [baseBytes(kernel.g1.size), 2 * kernel.g2.size]
  const rows = Array.from({ length: TABLE_SIZE }, () => ({
    a: kernel.reserve(ofG1),
    b: kernel.reserve(ofG2),
    c: kernel.reserve(ofG1),
    scaledA: kernel.reserve(3 * kernel.g1.size),
  }))
  const groups = Array.from({ length: TABLE_SIZE / GROUP_SIZE }, () => kernel.reserve(TOWER_BYTES))
  return {
    slot(index: number) {
      const [row, group] = [rows[index], groups[Math.floor(index / GROUP_SIZE)]]
      if (row === undefined || group === undefined) {
        throw new PostriderError('CIRCUITS_ENGINE_FAILED', { detail: `no slot ${index}` })
      }
      return { ...row, group }
    },
    left: kernel.reserve(TOWER_BYTES),
    right: kernel.reserve(TOWER_BYTES),
    sumX: kernel.reserve(3 * kernel.g1.size),
    sumC: kernel.reserve(3 * kernel.g1.size),
  }
}
