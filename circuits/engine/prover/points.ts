// Single points: out of Jacobian form, and out of the kernel.

import { BETA_G1 } from '../kernel/endomorphism.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { FIELD_BYTES } from '../kernel/prime-field.ts'
import type { PointG1, PointG2 } from '../types.ts'

export interface Points {
  /** Affine coordinates at `to` of the Jacobian point at `from`, which is not at infinity. */
  toAffine(group: 'g1' | 'g2', to: number, from: number): void
  /** The same with what makes a base of it: G1 only. */
  toBase(to: number, from: number): void
  readG1(affine: number): PointG1
  readG2(affine: number): PointG2
}

export function createPoints(kernel: Kernel): Points {
  const [inverse, power] = [kernel.reserve(kernel.g2.size), kernel.reserve(kernel.g2.size)]
  const beta = kernel.reserve(FIELD_BYTES)
  kernel.setField('fp', beta, BETA_G1)

  function toAffine(group: 'g1' | 'g2', to: number, from: number): void {
    const { size } = kernel[group]
    const field = kernel.functions(group === 'g1' ? 'fp' : 'fp2')
    field.inverse(inverse, from + 2 * size)
    field.sqr(power, inverse)
    field.mul(to, from, power)
    field.mul(power, power, inverse)
    field.mul(to + size, from + size, power)
  }
  const read = (at: number) => kernel.getField('fp', at)
  const readPair = (at: number) => [read(at), read(at + FIELD_BYTES)] as const

  return {
    toAffine,
    toBase(to, from) {
      toAffine('g1', to, from)
      kernel.functions('fp').mul(to + 2 * FIELD_BYTES, to, beta)
    },
    readG1: (at) => ({ x: read(at), y: read(at + FIELD_BYTES) }),
    readG2: (at) => ({ x: readPair(at), y: readPair(at + 2 * FIELD_BYTES) }),
  }
}
