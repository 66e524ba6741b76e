// Multi-scalar multiplication: the sum of k_i · P_i by Pippenger's buckets.
//
// Each scalar is split by the endomorphism and cut into signed windows. Per window, points are sorted by digit, and
// all buckets are added up pairwise at once: one inversion per round instead of one per addition.
import { chooseWindow, listPairs, signedDigits, sortIntoBuckets, splitScalars } from './buckets.ts'
import { SPLIT_BYTES } from './endomorphism.ts'
import type { Kernel } from './kernel.ts'

/** Points in one batch at most, in windows of few points: keeps a batch near the processor's caches. */
const BATCH_POINTS = 1 << 15

/** A round with fewer pairs costs more by its inversion than it saves: the rest is added one by one. */
const MIN_PAIRS = 24

export interface Multiplier {
  /**
   * Jacobian point at `to` = sum of scalars[i] · bases[i].
   *
   * @param bases addresses of bases (x, y, beta x); 0 stands for the point at infinity
   * @param scalars address of as many 32-byte little-endian scalars below r
   */
  multiply(to: number, bases: Int32Array, scalars: number): void
}

export function createMultiplier(kernel: Kernel, group: 'g1' | 'g2'): Multiplier {
  const { size, one } = kernel[group]
  const curve = kernel.functions(group)
  const field = kernel.functions(group === 'g1' ? 'fp' : 'fp2')
  const [pointBytes, affineBytes] = [3 * size, 2 * size]
  const running = kernel.reserve(size)
  const sum = kernel.reserve(pointBytes)
  const window = kernel.reserve(pointBytes)

  const clear = (point: number) => kernel.words().fill(0, point / 4, (point + pointBytes) / 4)

  /** Prepares a round: the running product of denominators. False when two opposite points meet. */
  function multiplyDenominators(list: number, end: number, points: number, products: number): boolean {
    field.copy(running, one)
    curve.denominators(list, end, points, products, running)
    if (field.isZero(running) === 0) return true
    // Equal points are rare (two wires with the same column in the key), opposite ones rarer still.
    field.copy(running, one)
    return curve.denominatorsWithCare(list, end, points, products, running) === 0
  }

  /** Halves the buckets while it pays; updates `counts` and returns where the remaining points are. */
  function reduceBuckets(buffers: Buffers, counts: Int32Array): number {
    const { list, products } = buffers
    let [from, to] = [buffers.points, buffers.spare]
    for (;;) {
      const { length, pairs } = listPairs(kernel.words().subarray(list / 4), counts)
      const end = list + 4 * length
      if (pairs < MIN_PAIRS || !multiplyDenominators(list, end, from, products)) return from
      field.inverse(running, running)
      curve.addPairs(end, list, from, products + pairs * size, running, to + length * affineBytes)
      for (let i = 0; i < counts.length; i++) counts[i] = ((counts[i] ?? 0) + 1) >> 1
      ;[from, to] = [to, from]
    }
  }

  /** window = sum of d · bucket d, by running sums from the highest bucket; returns the first point's address. */
  function sumWindow(end: number, counts: Int32Array): number {
    clear(window)
    clear(sum)
    let point = end
    for (let bucket = counts.length - 1; bucket >= 0; bucket--) {
      for (let left = counts[bucket] ?? 0; left > 0; left--) {
        point -= affineBytes
        curve.addAffine(sum, sum, point)
      }
      curve.add(window, window, sum)
    }
    return point
  }

  return {
    multiply(to, bases, scalars) {
      kernel.scoped((reserve) => {
        const halves = splitScalars(kernel, reserve(SPLIT_BYTES * bases.length), scalars, bases)
        const count = halves.bases.length
        const { bits, windows } = chooseWindow(count)
        const rows = signedDigits(halves.magnitudes, bits, windows)
        const buckets = 2 ** (bits - 1)
        const perBatch = Math.min(windows, Math.max(1, Math.floor(BATCH_POINTS / Math.max(1, count))))
        const buffers = reserveBuffers(reserve, perBatch * count, size)

        clear(to)
        for (let top = windows; top > 0; top -= perBatch) {
          const batch = rows.slice(Math.max(0, top - perBatch), top)
          const list = kernel.words().subarray(buffers.list / 4)
          const counts = sortIntoBuckets(list, batch, buckets, halves.bases)
          const gathered = total(counts)
          if (gathered > 0) curve.gather(buffers.points, buffers.list, buffers.list + 4 * gathered)
          let end = reduceBuckets(buffers, counts) + total(counts) * affineBytes
          for (let w = batch.length - 1; w >= 0; w--) {
            for (let i = 0; i < bits; i++) curve.double(to, to)
            end = sumWindow(end, counts.subarray(w * buckets, (w + 1) * buckets))
            curve.add(to, to, window)
          }
        }
      })
    },
  }
}

type Buffers = { points: number; spare: number; products: number; list: number }

function reserveBuffers(reserve: (bytes: number) => number, points: number, size: number): Buffers {
  return {
    points: reserve(2 * size * points),
    spare: reserve(2 * size * points),
    products: reserve(size * points),
    list: reserve(4 * points),
  }
}

function total(counts: Int32Array): number {
  return counts.reduce((all, count) => all + count, 0)
}
