// Sums of multiples of points that never change: tables of their multiples, one addition per six bits of a scalar.

import { PAIR } from '../kernel/batch-addition.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Points } from '../prover/points.ts'

/** Bits of a digit: 43 digits of a 254-bit scalar and a carry; 99 KB of table per point. */
const WINDOW_BITS = 6
const WINDOWS = Math.ceil(255 / WINDOW_BITS)
/** Multiples 1 .. 32: digits are signed. */
const MULTIPLES = 2 ** (WINDOW_BITS - 1)

export interface FixedBases {
  /** Jacobian to = sum of scalars[i] · bases[i], for scalars below r. */
  sum(to: number, scalars: readonly bigint[]): void
}

/** @param bases addresses of affine points of G1 */
export function createFixedBases(kernel: Kernel, points: Points, bases: readonly number[]): FixedBases {
  const { g1, fp } = { g1: kernel.functions('g1'), fp: kernel.functions('fp') }
  const { size } = kernel.g1
  const affineBytes = 2 * size
  const table = buildTable(kernel, points, bases)
  const negated = kernel.reserve(affineBytes)
  const entry = (base: number, window: number, digit: number) =>
    table + ((Math.abs(digit) - 1) * bases.length * WINDOWS + base * WINDOWS + window) * affineBytes

  return {
    sum(to, scalars) {
      kernel.bytes().fill(0, to, to + 3 * size)
      for (const [base, scalar] of scalars.entries()) {
        for (const [window, digit] of signedDigits(scalar).entries()) {
          if (digit === 0) continue
          const at = entry(base, window, digit)
          if (digit > 0) g1.addAffine(to, to, at)
          else {
            fp.copy(negated, at)
            fp.negate(negated + size, at + size)
            g1.addAffine(to, to, negated)
          }
        }
      }
    },
  }
}

function signedDigits(scalar: bigint): number[] {
  const digits: number[] = []
  let rest = scalar
  while (rest > 0n) {
    const low = Number(rest & BigInt(2 * MULTIPLES - 1))
    const digit = low > MULTIPLES ? low - 2 * MULTIPLES : low
    digits.push(digit)
    rest = (rest - BigInt(digit)) >> BigInt(WINDOW_BITS)
  }
  return digits
}

/** Row d - 1 of the table: d times every base times every power of 2^6. Each row is the last one plus the first. */
function buildTable(kernel: Kernel, points: Points, bases: readonly number[]): number {
  const { size } = kernel.g1
  const [fp, g1] = [kernel.functions('fp'), kernel.functions('g1')]
  const count = bases.length * WINDOWS
  const affineBytes = 2 * size
  const table = kernel.reserve(MULTIPLES * count * affineBytes)
  writeFirstRow(kernel, points, bases, table)

  kernel.scoped((reserve) => {
    const [pairs, products] = [reserve(2 * count * affineBytes), reserve(count * size)]
    const [list, running] = [reserve(4 * count), reserve(size)]
    const end = list + 4 * count
    for (let multiple = 2; multiple <= MULTIPLES; multiple++) {
      const [row, last] = [
        table + (multiple - 1) * count * affineBytes,
        table + (multiple - 2) * count * affineBytes,
      ]
      const bytes = kernel.bytes()
      for (let i = 0; i < count; i++) {
        const from = i * affineBytes
        bytes.copyWithin(pairs + 2 * from, last + from, last + from + affineBytes)
        bytes.copyWithin(pairs + 2 * from + affineBytes, table + from, table + from + affineBytes)
        kernel.words()[list / 4 + i] = ((2 * i) << 2) | PAIR
      }
      fp.copy(running, kernel.g1.one)
      // The second row doubles the first.
      g1.denominatorsWithCare(list, end, pairs, products, running)
      fp.inverse(running, running)
      g1.addPairs(end, list, pairs, products + count * size, running, row + count * affineBytes)
    }
  })
  return table
}

function writeFirstRow(kernel: Kernel, points: Points, bases: readonly number[], row: number): void {
  const { size, one } = kernel.g1
  kernel.scoped((reserve) => {
    const power = reserve(3 * size)
    for (const [i, base] of bases.entries()) {
      kernel.bytes().copyWithin(power, base, base + 2 * size)
      kernel.functions('fp').copy(power + 2 * size, one)
      for (let window = 0; window < WINDOWS; window++) {
        points.toAffine('g1', row + (i * WINDOWS + window) * 2 * size, power)
        for (let bit = 0; bit < WINDOW_BITS; bit++) kernel.functions('g1').double(power, power)
      }
    }
  })
}
