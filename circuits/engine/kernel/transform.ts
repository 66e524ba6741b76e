// Polynomials over the scalar field by their values on the 2^power-th roots of unity.
import { PostriderError } from '@postrider/protocol/errors'
import { SCALAR_MODULUS } from '../constants.ts'
import type { Kernel } from './kernel.ts'
import { FIELD_BYTES } from './prime-field.ts'

/** r - 1 = 2^28 · odd, and 5 is its smallest non-residue: the root of unity that all of snarkjs' keys assume. */
const TWO_ADICITY = 28
const NON_RESIDUE = 5n

export interface Transform {
  readonly size: number
  /**
   * Values on the roots of unity → values of the same polynomial on the odd coset, the roots times a primitive
   * 2^(power + 1)-th root. `to` and `from` are arrays of elements and may be the same; values come out below 28p.
   */
  toOddCoset(to: number, from: number): void
}

export function createTransform(kernel: Kernel, power: number): Transform {
  if (power < 2 || power >= TWO_ADICITY)
    throw new PostriderError('CIRCUITS_KEY_INVALID', { detail: 'domain size' })
  const run = kernel.functions('fr')
  const size = 1 << power
  const bytes = size * FIELD_BYTES
  const root = rootOfUnity(power)
  const forward = powers(kernel, root, size / 2)
  const backward = powers(kernel, inverse(root), size / 2)
  const order = kernel.reserve(4 * size)
  const reversed = Array.from({ length: size }, (_, i) => reverseBits(i, power))
  kernel.words().set(
    reversed.map((i) => i * FIELD_BYTES),
    order / 4,
  )
  // Coefficients go to the second transform in bit-reversed order, shifted to the coset and divided by the size.
  const shift = powers(kernel, rootOfUnity(power + 1), size, inverse(BigInt(size)))
  const factors = kernel.reserve(bytes)
  run.permute(factors, shift, order, 0, factors + bytes)
  const spare = kernel.reserve(bytes)

  /** Decimation in time on bit-reversed input. */
  function butterflies(data: number, twiddles: number): void {
    run.butterfliesOfOne(data, data + bytes)
    for (let half = 2; half < size; half *= 2) {
      run.butterflies(data, data + bytes, half * FIELD_BYTES, twiddles, (size / 2 / half) * FIELD_BYTES)
    }
  }

  return {
    size,
    toOddCoset(to, from) {
      run.permute(spare, from, order, 0, spare + bytes)
      butterflies(spare, backward)
      run.permute(to, spare, order, factors, to + bytes)
      butterflies(to, forward)
    },
  }
}

/** first · base^i for i < count, in Montgomery form. */
function powers(kernel: Kernel, base: bigint, count: number, first = 1n): number {
  const at = kernel.reserve(count * FIELD_BYTES)
  const step = kernel.reserve(FIELD_BYTES)
  kernel.setField('fr', step, base)
  kernel.setField('fr', at, first)
  const { mul } = kernel.functions('fr')
  for (let i = 1; i < count; i++) {
    mul(at + i * FIELD_BYTES, at + (i - 1) * FIELD_BYTES, step)
  }
  return at
}

function rootOfUnity(power: number): bigint {
  return exponentiate(NON_RESIDUE, (SCALAR_MODULUS - 1n) >> BigInt(power))
}

function inverse(value: bigint): bigint {
  return exponentiate(value, SCALAR_MODULUS - 2n)
}

function exponentiate(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % SCALAR_MODULUS
    if (bit === '1') result = (result * base) % SCALAR_MODULUS
  }
  return result
}

function reverseBits(value: number, bits: number): number {
  let result = 0
  for (let i = 0; i < bits; i++) result |= ((value >> i) & 1) << (bits - 1 - i)
  return result
}
