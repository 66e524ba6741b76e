// Points on their way into mcl's memory, with every check that an untrusted point needs.

import { readElement } from './codec.ts'
import { BASE_MODULUS, CURVE_PARAMETER, ELEMENT_BYTES } from './constants.ts'
import { type Fp2, pow2 } from './field.ts'
import { type Mcl, SIZE } from './mcl.ts'
import type { PointG1, PointG2 } from './types.ts'

export type PointReader = {
  /** Writes an affine point; false when it is not on the curve. (0, 0) is not. */
  setG1(to: number, point: PointG1): boolean
  /** Writes an affine point; false when it is not on the twist or not in G2. */
  setG2(to: number, point: PointG2): boolean
  /** The proof's points at three addresses; false when the bytes are not a canonical proof. */
  setProof(a: number, b: number, c: number, proof: Uint8Array): boolean
}

export function createPointReader(mcl: Mcl): PointReader {
  const isInG2 = createG2Check(mcl)

  function setG1(to: number, { x, y }: PointG1): boolean {
    mcl.setFp(to, x)
    mcl.setFp(to + SIZE.fp, y)
    mcl._mclBnFp_setInt32(to + 2 * SIZE.fp, 1)
    return mcl._mclBnG1_isValid(to) === 1
  }

  function setG2(to: number, { x, y }: PointG2): boolean {
    for (const [i, value] of [...x, ...y, 1n, 0n].entries()) mcl.setFp(to + i * SIZE.fp, value)
    return mcl._mclBnG2_isValid(to) === 1 && isInG2(to)
  }

  return {
    setG1,
    setG2,
    setProof(a, b, c, proof) {
      const at = Array.from({ length: 8 }, (_, i) => readElement(proof, i * ELEMENT_BYTES))
      if (at.some((value) => value >= BASE_MODULUS)) return false
      const [ax, ay, bxi, bxr, byi, byr, cx, cy] = at as [...Eight]
      return (
        setG1(a, { x: ax, y: ay }) && setG1(c, { x: cx, y: cy }) && setG2(b, { x: [bxr, bxi], y: [byr, byi] })
      )
    },
  }
}

type Eight = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint]

/**
 * Whether a point of the twist has order r, by the endomorphism psi that the Frobenius map of the big curve
 * induces: for curves of this family Q is in G2 exactly when
 *
 *     [x + 1] Q + psi([x] Q) + psi²([x] Q) = psi³([2x] Q)
 *
 * with the curve's 63-bit parameter x (El Housni, Guillevic, Piellard, "Co-factor clearing and subgroup
 * membership testing on pairing-friendly curves", section 5). Four times faster than multiplying by r. The
 * multiplication below is plain double-and-add: mcl's own assumes the order that is in question.
 */
function createG2Check(mcl: Mcl): (point: number) => boolean {
  const [xq, psi1, psi2, psi3, left] = Array.from({ length: 5 }, () => mcl._malloc(SIZE.g2)) as [
    ...[number, number, number, number, number],
  ]
  const psi = createPsi(mcl)
  const digits = nonAdjacentForm(CURVE_PARAMETER)
  return (point) => {
    mcl._mclBnG2_dbl(xq, point)
    for (const [i, digit] of digits.entries()) {
      if (i > 0) mcl._mclBnG2_dbl(xq, xq)
      if (digit === 1) mcl._mclBnG2_add(xq, xq, point)
      if (digit === -1) mcl._mclBnG2_sub(xq, xq, point)
    }
    psi(psi1, xq)
    psi(psi2, psi1)
    psi(psi3, psi2)
    mcl._mclBnG2_dbl(psi3, psi3)
    mcl._mclBnG2_add(left, xq, point)
    mcl._mclBnG2_add(left, left, psi1)
    mcl._mclBnG2_add(left, left, psi2)
    return mcl._mclBnG2_isEqual(left, psi3) === 1
  }
}

/** psi(x, y) = (x̄ · xi^((q-1)/3), ȳ · xi^((q-1)/2)) with xi = 9 + u; the same on Jacobian coordinates, z̄ beside. */
function createPsi(mcl: Mcl): (to: number, from: number) => void {
  const xi: Fp2 = [9n, 1n]
  const factor = (exponent: bigint): number => {
    const at = mcl._malloc(SIZE.fp2)
    const value = pow2(xi, exponent)
    mcl.setFp(at, value[0])
    mcl.setFp(at + SIZE.fp, value[1])
    return at
  }
  const xFactor = factor((BASE_MODULUS - 1n) / 3n)
  const yFactor = factor((BASE_MODULUS - 1n) / 2n)
  return (to, from) => {
    mcl.memory().copyWithin(to, from, from + SIZE.g2)
    for (const imaginary of [to + SIZE.fp, to + 3 * SIZE.fp, to + 5 * SIZE.fp]) {
      mcl._mclBnFp_neg(imaginary, imaginary)
    }
    mcl._mclBnFp2_mul(to, to, xFactor)
    mcl._mclBnFp2_mul(to + SIZE.fp2, to + SIZE.fp2, yFactor)
  }
}

/** Digits 1, 0, -1 of n below its leading one, highest first, no two neighbours both non-zero. */
function nonAdjacentForm(n: bigint): number[] {
  const digits: number[] = []
  for (let rest = n; rest > 0n; rest >>= 1n) {
    const digit = rest & 1n ? 2 - Number(rest & 3n) : 0
    digits.push(digit)
    rest -= BigInt(digit)
  }
  return digits.reverse().slice(1)
}
