// Random coefficients of a batch, in the shape a + b · lambda with a and b of 64 bits: the curve's endomorphism makes
// the product with a point cost 64 doublings instead of 128. Other pairs are other scalars modulo r: the shortest pair
// but (0, 0) with a + b · lambda = 0 has one number of 127 bits.
import { SCALAR_MODULUS } from '../constants.ts'
import { LAMBDA } from '../kernel/endomorphism.ts'
import type { Kernel } from '../kernel/kernel.ts'

/** Words of one coefficient: a's, low first, then b's. */
const WORDS = 4

export interface Coefficients {
  /** Fresh ones: 128 random bits each, but never 0, which would leave its proof out of the batch. */
  draw(count: number): void
  /** As a scalar below r. */
  scalar(index: number): bigint
  /** Jacobian to = coefficient · base (x, y, beta x). */
  multiply(to: number, base: number, index: number): void
}

export function createCoefficients(kernel: Kernel): Coefficients {
  const g1 = kernel.functions('g1')
  const { size } = kernel.g1
  const image = kernel.reserve(2 * size)
  let words = new Uint32Array(0)
  const half = (index: number, at: 0 | 2) =>
    BigInt(words[WORDS * index + at] ?? 0) + (BigInt(words[WORDS * index + at + 1] ?? 0) << 32n)

  return {
    draw(count) {
      words = crypto.getRandomValues(new Uint32Array(WORDS * count))
      for (let i = 0; i < count; i++) {
        const own = words.subarray(WORDS * i, WORDS * (i + 1))
        while (own.every((word) => word === 0)) crypto.getRandomValues(own)
      }
    },
    scalar: (index) => (half(index, 0) + half(index, 2) * LAMBDA) % SCALAR_MODULUS,
    multiply(to, base, index) {
      kernel.bytes().fill(0, to, to + 3 * size)
      kernel.bytes().copyWithin(image, base + 2 * size, base + 3 * size)
      kernel.bytes().copyWithin(image + size, base + size, base + 2 * size)
      for (let bit = 63; bit >= 0; bit--) {
        const at = WORDS * index + (bit >> 5)
        g1.double(to, to)
        if (((words[at] ?? 0) >>> (bit & 31)) & 1) g1.addAffine(to, to, base)
        if (((words[at + 2] ?? 0) >>> (bit & 31)) & 1) g1.addAffine(to, to, image)
      }
    },
  }
}
