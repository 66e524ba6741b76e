// Operations on pairing values that are rare enough to be driven from outside the generated code.
import { CURVE_PARAMETER } from '../constants.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { FIELD_BYTES } from '../kernel/prime-field.ts'
import { QUADRATIC_BYTES } from '../kernel/quadratic-field.ts'
import { SEXTIC_BYTES, TOWER_BYTES } from '../kernel/tower.ts'
import { frobeniusFactor } from './frobenius.ts'
import { nonAdjacentForm } from './signed-digits.ts'

export interface TowerValues {
  setOne(to: number): void
  copy(to: number, from: number): void
  equal(left: number, right: number): boolean
  inverse(to: number, from: number): void
  /** The q^k-power map; `to` may be `from`. */
  frobenius(k: 1 | 2 | 3, to: number, from: number): void
  /** value to the power of (q^12 - 1) / r, in place. */
  finalExponentiation(value: number): void
  /** to = base^exponent for a base in the cyclotomic subgroup. */
  power(to: number, base: number, exponent: bigint): void
}

/** Coefficient of w^i among the six of an element: even powers in the first half. */
const positionOf = (i: number) => (i % 2) * 3 + (i >> 1)

export function createTowerValues(kernel: Kernel): TowerValues {
  const [fp2, fp6, fp12] = [kernel.functions('fp2'), kernel.functions('fp6'), kernel.functions('fp12')]
  const reserveQuadratic = () => kernel.reserve(QUADRATIC_BYTES)
  const reserveTower = () => kernel.reserve(TOWER_BYTES)
  const factors = createFactors(kernel)
  const difference = reserveQuadratic()
  const coefficient = (base: number, index: number) => base + index * QUADRATIC_BYTES
  const each = (run: (offset: number) => void) => {
    for (let index = 0; index < 6; index++) run(index * QUADRATIC_BYTES)
  }
  const copy = (to: number, from: number) => void kernel.bytes().copyWithin(to, from, from + TOWER_BYTES)

  function setOne(to: number): void {
    kernel.bytes().fill(0, to, to + TOWER_BYTES)
    kernel.setField('fp', to, 1n)
  }

  function frobenius(k: 1 | 2 | 3, to: number, from: number): void {
    for (let i = 0; i < 6; i++) {
      const [target, source] = [coefficient(to, positionOf(i)), coefficient(from, positionOf(i))]
      fp2.copy(target, source)
      if (k % 2 === 1) kernel.functions('fp').negate(target + FIELD_BYTES, target + FIELD_BYTES)
      fp2.mul(target, target, factors(k, i))
    }
  }

  /** Squares and multiplies by digits 1, 0, -1; the inverse in the cyclotomic subgroup is the conjugate. */
  const [inverted, squared] = [reserveTower(), reserveTower()]
  function powerByDigits(to: number, base: number, digits: readonly number[]): void {
    fp12.conjugate(inverted, base)
    copy(to, base)
    for (const digit of digits) {
      fp12.sqrCyclotomic(squared, to)
      if (digit === 0) copy(to, squared)
      else fp12.mul(to, squared, digit === 1 ? base : inverted)
    }
  }

  const invert = createInversion(kernel)
  const parameter = nonAdjacentForm(CURVE_PARAMETER)
  const y = Array.from({ length: 8 }, reserveTower) as Eight

  /** Fuentes-Castañeda, Knapp, Rodríguez-Henríquez, "Faster hashing to G2": a multiple of the exponent, prime to r. */
  function hardPart(value: number): void {
    const [y0, y1, y3, y4, y6, y8, y9, spare] = y
    const powerOfMinusX = (to: number, base: number) => {
      powerByDigits(to, base, parameter)
      fp12.conjugate(to, to)
    }
    powerOfMinusX(y0, value)
    fp12.sqrCyclotomic(y1, y0)
    fp12.sqrCyclotomic(spare, y1)
    fp12.mul(y3, spare, y1)
    powerOfMinusX(y4, y3)
    fp12.sqrCyclotomic(spare, y4)
    powerOfMinusX(y6, spare)
    fp12.conjugate(y3, y3)
    fp12.conjugate(y6, y6)
    fp12.mul(y6, y6, y4)
    fp12.mul(y8, y6, y3)
    fp12.mul(y9, y8, y1)
    fp12.mul(y4, y8, y4)
    fp12.mul(y4, y4, value)
    frobenius(1, spare, y9)
    fp12.mul(y4, spare, y4)
    frobenius(2, y8, y8)
    fp12.mul(y4, y8, y4)
    fp12.conjugate(value, value)
    fp12.mul(y9, value, y9)
    frobenius(3, y9, y9)
    fp12.mul(value, y9, y4)
  }

  return {
    setOne,
    copy,
    equal(left, right) {
      let same = true
      each((offset) => {
        fp2.sub(difference, left + offset, right + offset)
        same &&= fp2.isZero(difference) === 1
      })
      return same
    },
    inverse: invert,
    frobenius,
    finalExponentiation(value) {
      const [, , , , , , inverse, spare] = y
      // To the power of q^6 - 1, then of q² + 1.
      invert(inverse, value)
      fp12.conjugate(value, value)
      fp12.mul(value, value, inverse)
      frobenius(2, spare, value)
      fp12.mul(value, spare, value)
      hardPart(value)
    },
    power(to, base, exponent) {
      if (exponent === 0n) setOne(to)
      else powerByDigits(to, base, nonAdjacentForm(exponent))
    },
  }

  function createFactors({ setField, reserve }: Kernel): (k: 1 | 2 | 3, i: number) => number {
    const at = reserve(3 * 6 * QUADRATIC_BYTES)
    const address = (k: number, i: number) => at + ((k - 1) * 6 + i) * QUADRATIC_BYTES
    for (const k of [1, 2, 3] as const) {
      for (let i = 0; i < 6; i++) {
        for (const [part, value] of frobeniusFactor(k, i).entries()) {
          setField('fp', address(k, i) + part * FIELD_BYTES, value)
        }
      }
    }
    return address
  }

  /** 1 / (a + bw) = (a - bw) / (a² - v b²), and the same once more below. */
  function createInversion({ reserve }: Kernel): (to: number, from: number) => void {
    const [square, norm, zero] = [reserve(SEXTIC_BYTES), reserve(SEXTIC_BYTES), reserve(SEXTIC_BYTES)]
    const invertSextic = createSexticInversion()
    return (to, from) => {
      const [a, b] = [from, from + SEXTIC_BYTES]
      fp6.mul(square, b, b)
      fp6.addShifted(norm, zero, square)
      fp6.mul(square, a, a)
      fp6.sub(norm, square, norm)
      invertSextic(norm, norm)
      fp6.mul(to, a, norm)
      fp6.mul(to + SEXTIC_BYTES, b, norm)
      fp6.negate(to + SEXTIC_BYTES, to + SEXTIC_BYTES)
    }
  }

  function createSexticInversion(): (to: number, from: number) => void {
    const extended = kernel.functions('fp2')
    const [a, b, c, t, norm] = Array.from({ length: 5 }, reserveQuadratic) as Five
    const [tA, tB, tC] = [reserveQuadratic(), reserveQuadratic(), reserveQuadratic()]
    return (to, from) => {
      for (const [i, copyOf] of [a, b, c].entries()) fp2.copy(copyOf, coefficient(from, i))
      // A = a² - xi bc, B = xi c² - ab, C = b² - ac
      fp2.mul(t, b, c)
      fp2.sqr(norm, a)
      extended.subXi(tA, norm, t)
      fp2.sqr(t, c)
      fp2.mul(norm, a, b)
      fp2.negate(norm, norm)
      extended.addXi(tB, norm, t)
      fp2.sqr(t, b)
      fp2.mul(norm, a, c)
      fp2.sub(tC, t, norm)
      // norm = aA + xi (cB + bC)
      fp2.mul(t, c, tB)
      fp2.mul(norm, b, tC)
      fp2.add(t, t, norm)
      fp2.mul(a, a, tA)
      extended.addXi(norm, a, t)
      fp2.inverse(norm, norm)
      for (const [i, value] of [tA, tB, tC].entries()) fp2.mul(coefficient(to, i), value, norm)
    }
  }
}

type Five = [number, number, number, number, number]
type Eight = [number, number, number, number, number, number, number, number]
