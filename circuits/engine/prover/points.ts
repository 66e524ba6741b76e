// Single points: out of Jacobian form, and out of the kernel.
import { BETA_G1, BETA_G2 } from '../kernel/endomorphism.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { FIELD_BYTES } from '../kernel/prime-field.ts'
import type { PointG1, PointG2 } from '../types.ts'

type Group = 'g1' | 'g2'

export interface Points {
  /** Affine coordinates at `to` of the Jacobian point at `from`, which is not at infinity. */
  toAffine(group: Group, to: number, from: number): void
  /** The same with what makes a base of it. */
  toBase(group: Group, to: number, from: number): void
  /** Adds to an affine point what makes a base of it. */
  completeBase(group: Group, base: number): void
  /** Jacobian point of an affine one. */
  fromAffine(group: Group, to: number, affine: number): void
  /** Makes Jacobian points affine where they are, none of them at infinity: one inversion for all. */
  allToAffine(group: Group, at: readonly number[]): void
  isInfinite(group: Group, point: number): boolean
  /** Jacobian to = left - right. */
  subtract(group: Group, to: number, left: number, right: number): void
  readG1(affine: number): PointG1
  readG2(affine: number): PointG2
}

export function createPoints(kernel: Kernel): Points {
  const [inverse, power] = [kernel.reserve(kernel.g2.size), kernel.reserve(kernel.g2.size)]
  const negated = kernel.reserve(3 * kernel.g2.size)
  const beta = { g1: kernel.reserve(FIELD_BYTES), g2: kernel.reserve(FIELD_BYTES) }
  kernel.setField('fp', beta.g1, BETA_G1)
  kernel.setField('fp', beta.g2, BETA_G2)
  const fieldOf = (group: Group) => kernel.functions(group === 'g1' ? 'fp' : 'fp2')

  function toAffine(group: Group, to: number, from: number): void {
    const { size } = kernel[group]
    fieldOf(group).inverse(inverse, from + 2 * size)
    divide(group, to, from)
  }

  function completeBase(group: Group, base: number): void {
    const { size } = kernel[group]
    for (let part = 0; part < size; part += FIELD_BYTES) {
      kernel.functions('fp').mul(base + 2 * size + part, base + part, beta[group])
    }
  }

  /** Affine coordinates from those of a Jacobian point and the inverse of its z. */
  function divide(group: Group, to: number, from: number): void {
    const { size } = kernel[group]
    const field = fieldOf(group)
    field.sqr(power, inverse)
    field.mul(to, from, power)
    field.mul(power, power, inverse)
    field.mul(to + size, from + size, power)
  }

  /** Montgomery's trick: products of the z up to each point, one inversion, and back. */
  function allToAffine(group: Group, at: readonly number[]): void {
    const { size, one } = kernel[group]
    const field = fieldOf(group)
    kernel.scoped((reserve) => {
      const products = reserve(at.length * size)
      const running = reserve(size)
      field.copy(running, one)
      for (const [i, point] of at.entries()) {
        field.copy(products + i * size, running)
        field.mul(running, running, point + 2 * size)
      }
      field.inverse(running, running)
      for (let i = at.length - 1; i >= 0; i--) {
        const point = at[i] as number
        field.mul(inverse, running, products + i * size)
        field.mul(running, running, point + 2 * size)
        divide(group, point, point)
      }
    })
  }

  const read = (at: number) => kernel.getField('fp', at)
  const readPair = (at: number) => [read(at), read(at + FIELD_BYTES)] as const

  return {
    toAffine,
    toBase(group, to, from) {
      toAffine(group, to, from)
      completeBase(group, to)
    },
    completeBase,
    fromAffine(group, to, affine) {
      const { size, one } = kernel[group]
      kernel.bytes().copyWithin(to, affine, affine + 2 * size)
      fieldOf(group).copy(to + 2 * size, one)
    },
    allToAffine,
    isInfinite: (group, point) => fieldOf(group).isZero(point + 2 * kernel[group].size) === 1,
    subtract(group, to, left, right) {
      const { size } = kernel[group]
      kernel.bytes().copyWithin(negated, right, right + 3 * size)
      fieldOf(group).negate(negated + size, negated + size)
      kernel.functions(group).add(to, left, negated)
    },
    readG1: (at) => ({ x: read(at), y: read(at + FIELD_BYTES) }),
    readG2: (at) => ({ x: readPair(at), y: readPair(at + 2 * FIELD_BYTES) }),
  }
}
