// Multi-scalar products and transforms against plain arithmetic, with the cases that batches could get wrong.
import { bn254 } from '@noble/curves/bn254.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomScalar, seededRandom } from '../../testing/corrupt.ts'
import { SCALAR_MODULUS } from '../constants.ts'
import { createPoints, type Points } from '../prover/points.ts'
import { setScalar } from '../prover/scalars.ts'
import { baseBytes } from './gather.ts'
import { createKernel, type Kernel } from './kernel.ts'
import { createMultiplier, type Multiplier } from './multiply.ts'
import { FIELD_BYTES } from './prime-field.ts'
import { createTransform } from './transform.ts'

let kernel: Kernel
let points: Points
let multipliers: { g1: Multiplier; g2: Multiplier }
beforeAll(async () => {
  kernel = await createKernel()
  points = createPoints(kernel)
  multipliers = { g1: createMultiplier(kernel, 'g1'), g2: createMultiplier(kernel, 'g2') }
})

const { Point: G1 } = bn254.G1
const { Point: G2 } = bn254.G2

describe.each(['g1', 'g2'] as const)('multi-scalar multiplication in %s', (group) => {
  /** Sum of scalars[i] · (multiples[i] · generator); a multiple of 0 stands for infinity. */
  function multiply(multiples: readonly bigint[], scalars: readonly bigint[]): unknown {
    return kernel.scoped((reserve) => {
      const { size } = kernel[group]
      const bases = multiples.map((multiple) => {
        if (multiple === 0n) return 0
        const jacobian = reserve(3 * size)
        const base = reserve(baseBytes(size))
        setPoint(jacobian, multiple)
        points.toBase(group, base, jacobian)
        return base
      })
      const scalarsAt = reserve(32 * scalars.length)
      for (const [i, scalar] of scalars.entries()) setScalar(kernel, scalarsAt + 32 * i, scalar)
      const to = reserve(3 * size)
      multipliers[group].multiply(to, Int32Array.from(bases), scalarsAt)
      if (points.isInfinite(group, to)) return 0n
      points.toAffine(group, to, to)
      return group === 'g1' ? points.readG1(to) : points.readG2(to)
    })
  }

  function setPoint(to: number, multiple: bigint): void {
    const { size } = kernel[group]
    kernel.bytes().fill(0, to, to + 3 * size)
    kernel.setField('fp', to + 2 * size, 1n)
    if (group === 'g1') {
      const { x, y } = G1.BASE.multiply(multiple).toAffine()
      for (const [i, value] of [x, y].entries()) kernel.setField('fp', to + i * FIELD_BYTES, value)
    } else {
      const { x, y } = G2.BASE.multiply(multiple).toAffine()
      for (const [i, value] of [x.c0, x.c1, y.c0, y.c1].entries()) {
        kernel.setField('fp', to + i * FIELD_BYTES, value)
      }
    }
  }

  function expected(multiples: readonly bigint[], scalars: readonly bigint[]): unknown {
    const sum = multiples.reduce(
      (all, multiple, i) => (all + multiple * (scalars[i] ?? 0n)) % SCALAR_MODULUS,
      0n,
    )
    if (sum === 0n) return 0n
    if (group === 'g1') return G1.BASE.multiply(sum).toAffine()
    const { x, y } = G2.BASE.multiply(sum).toAffine()
    return { x: [x.c0, x.c1], y: [y.c0, y.c1] }
  }

  const random = seededRandom(7)
  const scalars = (count: number) => Array.from({ length: count }, () => randomScalar(random))
  const minus = (value: bigint) => SCALAR_MODULUS - value

  it.each<[string, bigint[], bigint[]]>([
    ['nothing', [], []],
    ['one term', [5n], scalars(1)],
    ['zero scalars', [5n, 6n], [0n, 0n]],
    ['small and largest scalars', [5n, 6n, 7n, 8n], [1n, 2n, minus(1n), minus(2n)]],
    ['points at infinity', [0n, 5n, 0n], scalars(3)],
    ['only infinity', [0n], scalars(1)],
    ['terms that cancel', [5n, 5n], [9n, minus(9n)]],
    ['opposite points', [5n, minus(5n)], [9n, 9n]],
  ])('%s', (_, multiples, ks) => {
    expect(multiply(multiples, ks)).toEqual(expected(multiples, ks))
  })

  it.each([2, 30, 300])('%i random terms', (count) => {
    const multiples = Array.from({ length: count }, (_, i) => BigInt(i + 1))
    const ks = scalars(count)
    expect(multiply(multiples, ks)).toEqual(expected(multiples, ks))
  })

  it('many equal points with equal scalars: every sum of a batch is a doubling', () => {
    const [multiples, ks] = [new Array<bigint>(200).fill(5n), new Array<bigint>(200).fill(scalars(1)[0]!)]
    expect(multiply(multiples, ks)).toEqual(expected(multiples, ks))
  })

  it('equal points among others', () => {
    const multiples = Array.from({ length: 200 }, (_, i) => BigInt((i % 3) + 1))
    const ks = Array.from({ length: 200 }, (_, i) => BigInt((i % 5) + 1) ** 30n)
    expect(multiply(multiples, ks)).toEqual(expected(multiples, ks))
  })

  it('opposite points in one bucket: no batch can add them', () => {
    const multiples = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 5n : minus(5n)))
    const ks = new Array<bigint>(200).fill(scalars(1)[0]!)
    expect(multiply(multiples, ks)).toEqual(0n)
    expect(multiply([...multiples, 9n], [...ks, 3n])).toEqual(expected([9n], [3n]))
  })
})

describe('transform', () => {
  it('takes values on the roots of unity to values on the odd coset', () => {
    const power = 4
    const size = 2 ** power
    const root = (order: number) => exponentiate(5n, (SCALAR_MODULUS - 1n) / BigInt(order))
    const random = seededRandom(8)
    const coefficients = Array.from({ length: size }, () => randomScalar(random))
    const evaluate = (x: bigint) => coefficients.reduceRight((sum, c) => (sum * x + c) % SCALAR_MODULUS, 0n)
    const [omega, shift] = [root(size), root(2 * size)]
    const transform = createTransform(kernel, power)
    const at = kernel.reserve(size * FIELD_BYTES)
    for (let i = 0; i < size; i++) {
      kernel.setField('fr', at + i * FIELD_BYTES, evaluate(exponentiate(omega, BigInt(i))))
    }
    transform.toOddCoset(at, at)
    for (let i = 0; i < size; i++) {
      const x = (shift * exponentiate(omega, BigInt(i))) % SCALAR_MODULUS
      expect(kernel.getField('fr', at + i * FIELD_BYTES)).toBe(evaluate(x))
    }
  })
})

function exponentiate(base: bigint, exponent: bigint): bigint {
  return bn254.fields.Fr.pow(base, exponent)
}
