// The pairing against an independent library's, and by what defines it.
import { bn254 } from '@noble/curves/bn254.js'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { randomScalar, seededRandom } from '../../testing/corrupt.ts'
import { SCALAR_MODULUS } from '../constants.ts'
import { createKernel, type Kernel } from '../kernel/kernel.ts'
import { FIELD_BYTES } from '../kernel/prime-field.ts'
import { TOWER_BYTES } from '../kernel/tower.ts'
import { createPoints } from '../prover/points.ts'
import { createCoefficients } from './coefficients.ts'
import { createMiller, type Miller } from './miller.ts'
import { createTowerValues, type TowerValues } from './tower-values.ts'

let kernel: Kernel
let tower: TowerValues
let miller: Miller
beforeAll(async () => {
  kernel = await createKernel()
  tower = createTowerValues(kernel)
  miller = createMiller(kernel, tower)
})

const { Point: G1 } = bn254.G1
const { Point: G2 } = bn254.G2
const { Fp12 } = bn254.fields
type Value = ReturnType<typeof Fp12.fromBigTwelve>

function setG1(k: bigint): number {
  const at = kernel.reserve(2 * FIELD_BYTES)
  const { x, y } = G1.BASE.multiply(k).toAffine()
  for (const [i, value] of [x, y].entries()) kernel.setField('fp', at + i * FIELD_BYTES, value)
  return at
}
function setG2(k: bigint): number {
  const at = kernel.reserve(4 * FIELD_BYTES)
  const { x, y } = G2.BASE.multiply(k).toAffine()
  for (const [i, value] of [x.c0, x.c1, y.c0, y.c1].entries())
    kernel.setField('fp', at + i * FIELD_BYTES, value)
  return at
}
/** The twelve coefficients in our order, which is the library's. */
const read = (at: number): bigint[] =>
  Array.from({ length: 12 }, (_, i) => kernel.getField('fp', at + i * FIELD_BYTES))
const write = (at: number, value: Value) => {
  const { c0, c1 } = value
  const parts = [c0.c0, c0.c1, c0.c2, c1.c0, c1.c1, c1.c2].flatMap(({ c0, c1 }) => [c0, c1])
  for (const [i, part] of parts.entries()) kernel.setField('fp', at + i * FIELD_BYTES, part)
}
const toValue = (coefficients: readonly bigint[]): Value =>
  Fp12.fromBigTwelve(coefficients as Parameters<typeof Fp12.fromBigTwelve>[0])
const randomValue = (random: ReturnType<typeof seededRandom>) =>
  toValue(Array.from({ length: 12 }, () => randomScalar(random)))

describe('coefficients of a batch', () => {
  const maxWord = 2 ** 32 - 1
  it.each([
    ['the smallest', [1, 0, 0, 0]],
    ['one without a first half', [0, 0, 0, 1]],
    ['the largest', [maxWord, maxWord, maxWord, maxWord]],
    ['one like any other', [0x12345678, 0x9abcdef0, 0xfedcba98, 0x76543210]],
  ])('multiply a point as their scalar does: %s', (_, words) => {
    const points = createPoints(kernel)
    const coefficients = createCoefficients(kernel)
    const draws = [[0, 0, 0, 0], words]
    const spy = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      ;(array as unknown as Uint32Array).set(draws.shift() ?? [])
      return array
    })
    onTestFinished(() => spy.mockRestore())
    coefficients.draw(1)
    // The first was 0, and is drawn again.
    expect(draws).toEqual([])
    const [base, product] = [kernel.reserve(3 * FIELD_BYTES), kernel.reserve(3 * FIELD_BYTES)]
    const point = setG1(5n)
    kernel.bytes().copyWithin(base, point, point + 2 * FIELD_BYTES)
    points.completeBase('g1', base)
    coefficients.multiply(product, base, 0)
    points.toAffine('g1', product, product)
    expect(points.readG1(product)).toEqual(G1.BASE.multiply(5n).multiply(coefficients.scalar(0)).toAffine())
  })
})

describe('tower', () => {
  it('multiplies, squares, inverts, conjugates and maps as the library does', () => {
    const random = seededRandom(11)
    const [a, b, c] = [0, 1, 2].map(() => kernel.reserve(TOWER_BYTES)) as [number, number, number]
    const fp12 = kernel.functions('fp12')
    for (let round = 0; round < 20; round++) {
      const [x, y] = [randomValue(random), randomValue(random)]
      write(a, x)
      write(b, y)
      fp12.mul(c, a, b)
      expect(toValue(read(c))).toEqual(Fp12.mul(x, y))
      fp12.sqr(c, a)
      expect(toValue(read(c))).toEqual(Fp12.sqr(x))
      fp12.mul(a, a, b)
      fp12.sqr(b, b)
      expect(toValue(read(a))).toEqual(Fp12.mul(x, y))
      expect(toValue(read(b))).toEqual(Fp12.sqr(y))
      write(a, x)
      tower.inverse(c, a)
      expect(toValue(read(c))).toEqual(Fp12.inv(x))
      fp12.conjugate(c, a)
      expect(toValue(read(c))).toEqual(Fp12.conjugate(x))
      for (const k of [1, 2, 3] as const) {
        tower.frobenius(k, c, a)
        expect(toValue(read(c))).toEqual(Fp12.frobeniusMap(x, k))
      }
    }
  })

  it('knows equal values and one', () => {
    const [a, b] = [kernel.reserve(TOWER_BYTES), kernel.reserve(TOWER_BYTES)]
    tower.setOne(a)
    expect(toValue(read(a))).toEqual(Fp12.ONE)
    tower.copy(b, a)
    expect(tower.equal(a, b)).toBe(true)
    kernel.setField('fp', b + 11 * FIELD_BYTES, 1n)
    expect(tower.equal(a, b)).toBe(false)
  })
})

describe('pairing', () => {
  function pair(p: number, q: number): number {
    const at = kernel.reserve(TOWER_BYTES)
    miller.loop(at, [{ p, q }], [])
    tower.finalExponentiation(at)
    return at
  }

  it("is the library's", () => {
    for (const [i, j] of [
      [1n, 1n],
      [5n, 7n],
      [SCALAR_MODULUS - 3n, 11n],
    ] as const) {
      const expected = bn254.pairing(G1.BASE.multiply(i), G2.BASE.multiply(j))
      expect(toValue(read(pair(setG1(i), setG2(j))))).toEqual(expected)
    }
  })

  it('is bilinear, and powers agree with it', () => {
    const random = seededRandom(12)
    const [i, j] = [randomScalar(random), randomScalar(random)]
    const [base, power] = [pair(setG1(1n), setG2(1n)), kernel.reserve(TOWER_BYTES)]
    tower.power(power, base, (i * j) % SCALAR_MODULUS)
    expect(tower.equal(pair(setG1(i), setG2(j)), power)).toBe(true)
    tower.power(power, base, SCALAR_MODULUS)
    tower.setOne(base)
    expect(tower.equal(power, base)).toBe(true)
  })

  it('multiplies several pairs, prepared or not, into one value', () => {
    const pairs = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n].map((k) => ({ p: setG1(k), q: setG2(k + 9n) }))
    const separate = kernel.reserve(TOWER_BYTES)
    const together = kernel.reserve(TOWER_BYTES)
    tower.setOne(separate)
    for (const { p, q } of pairs) kernel.functions('fp12').mul(separate, separate, pair(p, q))
    const prepared = pairs.slice(5).map(({ p, q }) => ({ p, lines: miller.prepare(q) }))
    miller.loop(together, pairs.slice(0, 5), prepared)
    tower.finalExponentiation(together)
    expect(tower.equal(separate, together)).toBe(true)
    miller.loop(together, pairs, [])
    tower.finalExponentiation(together)
    expect(tower.equal(separate, together)).toBe(true)
  })
})
