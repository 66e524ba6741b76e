// Miller's loop of the optimal ate pairing: over 6x + 2, then two additions of Frobenius images. Several pairs share
// the squarings.
import { CURVE_PARAMETER } from '../constants.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { LINE_BYTES } from '../kernel/lines.ts'
import { FIELD_BYTES } from '../kernel/prime-field.ts'
import { QUADRATIC_BYTES } from '../kernel/quadratic-field.ts'
import { frobeniusFactor } from './frobenius.ts'
import { nonAdjacentForm } from './signed-digits.ts'
import type { TowerValues } from './tower-values.ts'

/** Affine points: P in G1, Q in G2. */
export type Pair = { p: number; q: number }
/** The same with Q's lines computed ahead. */
export type PreparedPair = { p: number; lines: number }

export interface Miller {
  /** to = product of the pairs' loops. */
  loop(to: number, pairs: readonly Pair[], prepared: readonly PreparedPair[]): void
  /** Address of the lines of an affine point of G2. */
  prepare(q: number): number
}

/** Pairs without prepared lines that one loop takes at most. */
export const MAX_PAIRS = 8

const DIGITS = nonAdjacentForm(6n * CURVE_PARAMETER + 2n)
/** Lines of one point: a doubling per digit, an addition per digit that is not 0, two in the end. */
const LINES = DIGITS.length + DIGITS.filter((digit) => digit !== 0).length + 2
const AFFINE_BYTES = 2 * QUADRATIC_BYTES

export function createMiller(kernel: Kernel, tower: TowerValues): Miller {
  const [fp2, fp12, line] = [kernel.functions('fp2'), kernel.functions('fp12'), kernel.functions('line')]
  const runs = Array.from({ length: MAX_PAIRS }, () => createRun())
  const scratch = kernel.reserve(LINE_BYTES)

  /** Memory of one point on its way through the loop. */
  function createRun() {
    return {
      t: kernel.reserve(3 * QUADRATIC_BYTES),
      minusQ: kernel.reserve(AFFINE_BYTES),
      firstImage: kernel.reserve(AFFINE_BYTES),
      minusSecondImage: kernel.reserve(AFFINE_BYTES),
    }
  }
  type Run = ReturnType<typeof createRun>

  /** The q-power map, taken back to the twist: conjugates times constants. */
  const [xFactor, yFactor] = [2, 3].map((power) => {
    const at = kernel.reserve(QUADRATIC_BYTES)
    for (const [part, value] of frobeniusFactor(1, power).entries()) {
      kernel.setField('fp', at + part * FIELD_BYTES, value)
    }
    return at
  }) as [number, number]
  function image(to: number, from: number): void {
    for (const [offset, factor] of [
      [0, xFactor],
      [QUADRATIC_BYTES, yFactor],
    ] as const) {
      fp2.copy(to + offset, from + offset)
      kernel.functions('fp').negate(to + offset + FIELD_BYTES, to + offset + FIELD_BYTES)
      fp2.mul(to + offset, to + offset, factor)
    }
  }

  function begin({ t, minusQ, firstImage, minusSecondImage }: Run, q: number): void {
    kernel.bytes().copyWithin(t, q, q + AFFINE_BYTES)
    fp2.copy(t + AFFINE_BYTES, kernel.g2.one)
    fp2.copy(minusQ, q)
    fp2.negate(minusQ + QUADRATIC_BYTES, q + QUADRATIC_BYTES)
    image(firstImage, q)
    image(minusSecondImage, firstImage)
    fp2.negate(minusSecondImage + QUADRATIC_BYTES, minusSecondImage + QUADRATIC_BYTES)
  }

  /** What is added after a digit's doubling. */
  const addend = (run: Run, q: number, digit: number) => (digit === 1 ? q : run.minusQ)
  const lastAddends = (run: Run) => [run.firstImage, run.minusSecondImage]

  return {
    loop(to, pairs, prepared) {
      tower.setOne(to)
      const active = pairs.map(({ p, q }, i) => {
        const run = runs[i] as Run
        begin(run, q)
        return { p, q, run }
      })
      let lineIndex = 0
      const applyPrepared = () => {
        for (const { p, lines } of prepared) line.multiply(to, lines + lineIndex * LINE_BYTES, p)
        lineIndex++
      }
      for (const [i, digit] of DIGITS.entries()) {
        if (i > 0) fp12.sqr(to, to)
        for (const { p, run } of active) {
          line.double(scratch, run.t)
          line.multiply(to, scratch, p)
        }
        applyPrepared()
        if (digit === 0) continue
        for (const { p, q, run } of active) {
          line.add(scratch, run.t, addend(run, q, digit))
          line.multiply(to, scratch, p)
        }
        applyPrepared()
      }
      for (const last of [0, 1]) {
        for (const { p, run } of active) {
          line.add(scratch, run.t, lastAddends(run)[last] as number)
          line.multiply(to, scratch, p)
        }
        applyPrepared()
      }
    },
    prepare(q) {
      const lines = kernel.reserve(LINES * LINE_BYTES)
      const run = runs[0] as Run
      begin(run, q)
      let next = lines
      const append = (write: (to: number) => void) => {
        write(next)
        next += LINE_BYTES
      }
      for (const digit of DIGITS) {
        append((to) => line.double(to, run.t))
        if (digit !== 0) append((to) => line.add(to, run.t, addend(run, q, digit)))
      }
      for (const last of lastAddends(run)) append((to) => line.add(to, run.t, last))
      return lines
    },
  }
}
