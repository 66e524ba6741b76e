// Bookkeeping of Pippenger's method: which point goes into which bucket, in plain integers.
import { PAIR } from './batch-addition.ts'
import { HALF_BITS, SPLIT_BYTES } from './endomorphism.ts'
import { ENDOMORPHISM, NEGATE } from './gather.ts'
import type { Kernel } from './kernel.ts'

/** Cost of one bucket's part in the running sums, in additions of a batch. */
const BUCKET_COST = 5

/** Half scalars beside the bases that they multiply, with the flags of `gather`. */
export type Halves = { bases: Int32Array; magnitudes: Uint32Array }

const HALF_WORDS = 4

/** Splits the scalars and leaves out infinite bases (address 0). */
export function splitScalars(kernel: Kernel, split: number, scalars: number, bases: Int32Array): Halves {
  const finite = bases.reduce((count, base) => (base === 0 ? count : count + 1), 0)
  const halves: Halves = {
    bases: new Int32Array(2 * finite),
    magnitudes: new Uint32Array(2 * finite * HALF_WORDS),
  }
  if (bases.length > 0) kernel.split(split, scalars, scalars + 32 * bases.length)
  const words = kernel.words()
  let at = 0
  for (const [i, base] of bases.entries()) {
    if (base === 0) continue
    const from = (split + i * SPLIT_BYTES) / 4
    for (const half of [0, 1]) {
      const sign = words[from + 2 * HALF_WORDS + half] === 1 ? NEGATE : 0
      halves.bases[at] = base | sign | (half === 1 ? ENDOMORPHISM : 0)
      const magnitude = words.subarray(from + half * HALF_WORDS, from + (half + 1) * HALF_WORDS)
      halves.magnitudes.set(magnitude, at * HALF_WORDS)
      at++
    }
  }
  return halves
}

/** Bits per window, and windows, that cost least for this many half scalars. */
export function chooseWindow(points: number): { bits: number; windows: number } {
  const cost = (bits: number) => countWindows(bits) * (points + BUCKET_COST * 2 ** (bits - 1))
  let best = 2
  for (let bits = 3; bits <= 15; bits++) if (cost(bits) < cost(best)) best = bits
  return { bits: best, windows: countWindows(best) }
}

/** One bit more than the magnitude has: the carry out of the last signed digit. */
const countWindows = (bits: number) => Math.ceil((HALF_BITS + 1) / bits)

/** The digits of every half scalar, one row per window from the lowest, each in -2^(bits-1) .. 2^(bits-1). */
export function signedDigits(magnitudes: Uint32Array, bits: number, windows: number): Int16Array[] {
  const count = magnitudes.length / HALF_WORDS
  const carries = new Uint8Array(count)
  const [mask, half] = [2 ** bits - 1, 2 ** (bits - 1)]
  return Array.from({ length: windows }, (_, window) => {
    const row = new Int16Array(count)
    const [word, shift] = [(window * bits) >> 5, (window * bits) & 31]
    for (let i = 0; i < count; i++) {
      const at = i * HALF_WORDS + word
      let digit = (magnitudes[at] ?? 0) >>> shift
      if (shift + bits > 32 && word + 1 < HALF_WORDS) digit |= (magnitudes[at + 1] ?? 0) << (32 - shift)
      digit = (digit & mask) + (carries[i] ?? 0)
      const carry = digit > half ? 1 : 0
      carries[i] = carry
      row[i] = digit - (carry << bits)
    }
    return row
  })
}

/**
 * Writes the bases of several windows to `list`, bucket by bucket, and returns how many each bucket got. Bucket
 * `w · buckets + d - 1` takes the bases whose digit in row w is d or -d.
 */
export function sortIntoBuckets(
  list: Int32Array,
  rows: readonly Int16Array[],
  buckets: number,
  bases: Int32Array,
): Int32Array {
  const counts = new Int32Array(rows.length * buckets)
  for (const [w, row] of rows.entries()) {
    for (let i = 0; i < row.length; i++) {
      const digit = row[i] ?? 0
      if (digit !== 0) {
        const bucket = w * buckets + Math.abs(digit) - 1
        counts[bucket] = (counts[bucket] ?? 0) + 1
      }
    }
  }
  const next = new Int32Array(counts.length)
  for (let bucket = 1; bucket < counts.length; bucket++) {
    next[bucket] = (next[bucket - 1] ?? 0) + (counts[bucket - 1] ?? 0)
  }
  for (const [w, row] of rows.entries()) {
    for (let i = 0; i < row.length; i++) {
      const digit = row[i] ?? 0
      if (digit === 0) continue
      const bucket = w * buckets + Math.abs(digit) - 1
      const to = next[bucket] ?? 0
      list[to] = digit < 0 ? (bases[i] ?? 0) ^ NEGATE : (bases[i] ?? 0)
      next[bucket] = to + 1
    }
  }
  return counts
}

/** Writes the entries of one round of pairwise additions; see batch-addition.ts. */
export function listPairs(entries: Int32Array, counts: Int32Array): { length: number; pairs: number } {
  let [length, pairs, point] = [0, 0, 0]
  for (const count of counts) {
    const end = point + count
    for (; point + 1 < end; point += 2) {
      entries[length++] = (point << 2) | PAIR
      pairs++
    }
    if (point < end) entries[length++] = point++ << 2
  }
  return { length, pairs }
}
