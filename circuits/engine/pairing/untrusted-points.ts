// Points on their way into the kernel's memory, with every check that an untrusted point needs.
import { BASE_MODULUS, CURVE_PARAMETER, ELEMENT_BYTES, PROOF_BYTES } from '../constants.ts'
import { TWIST_B } from '../field.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { FIELD_BYTES, MONTGOMERY_BITS } from '../kernel/prime-field.ts'
import { QUADRATIC_BYTES } from '../kernel/quadratic-field.ts'
import type { Points } from '../prover/points.ts'
import { frobeniusFactor } from './frobenius.ts'
import { nonAdjacentForm } from './signed-digits.ts'

export interface UntrustedPoints {
  /** Writes an affine point of 2 big-endian coordinates; false when it is not on the curve. (0, 0) is not. */
  setG1(to: number, bytes: Uint8Array): boolean
  /** Writes an affine point of 4, imaginary parts first; false when it is not on the twist or not in G2. */
  setG2(to: number, bytes: Uint8Array): boolean
  /** The points of a proof at three addresses; false when the bytes are not a canonical proof. */
  setProof(a: number, b: number, c: number, proof: Uint8Array): boolean
}

const G1_BYTES = 2 * ELEMENT_BYTES
const G2_BYTES = 4 * ELEMENT_BYTES

export function createUntrustedPoints(kernel: Kernel, points: Points): UntrustedPoints {
  const [fp, fp2] = [kernel.functions('fp'), kernel.functions('fp2')]
  const importElement = createElementImport(kernel)
  const isInG2 = createG2Check(kernel, points)
  const [left, right] = [kernel.reserve(QUADRATIC_BYTES), kernel.reserve(QUADRATIC_BYTES)]
  const curveB = kernel.reserve(FIELD_BYTES)
  kernel.setField('fp', curveB, 3n)
  const twistB = setQuadratic(kernel, TWIST_B)

  /** y² = x³ + b */
  function satisfies(field: typeof fp | typeof fp2, point: number, size: number, b: number): boolean {
    field.sqr(left, point + size)
    field.sqr(right, point)
    field.mul(right, right, point)
    field.add(right, right, b)
    field.sub(left, left, right)
    return field.isZero(left) === 1
  }

  function setG1(to: number, bytes: Uint8Array): boolean {
    const [x, y] = [bytes.subarray(0, ELEMENT_BYTES), bytes.subarray(ELEMENT_BYTES)]
    return (
      importElement(to, x) && importElement(to + FIELD_BYTES, y) && satisfies(fp, to, FIELD_BYTES, curveB)
    )
  }

  function setG2(to: number, bytes: Uint8Array): boolean {
    // Imaginary parts come first on the wire, second in memory.
    for (const [i, position] of [1, 0, 3, 2].entries()) {
      const element = bytes.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES)
      if (!importElement(to + position * FIELD_BYTES, element)) return false
    }
    return satisfies(fp2, to, QUADRATIC_BYTES, twistB) && isInG2(to)
  }

  return {
    setG1,
    setG2,
    setProof(a, b, c, proof) {
      if (proof.byteLength !== PROOF_BYTES) return false
      const [ofA, ofB, ofC] = [
        proof.subarray(0, G1_BYTES),
        proof.subarray(G1_BYTES, G1_BYTES + G2_BYTES),
        proof.subarray(G1_BYTES + G2_BYTES),
      ]
      // The costly check last.
      return setG1(a, ofA) && setG1(c, ofC) && setG2(b, ofB)
    },
  }
}

/** Writes 32 big-endian bytes as an element; false when they are not below q. */
function createElementImport(kernel: Kernel): (to: number, bytes: Uint8Array) => boolean {
  const { import: toMontgomery } = kernel.functions('fp')
  const [scratch, factor] = [kernel.reserve(ELEMENT_BYTES), kernel.reserve(FIELD_BYTES)]
  kernel.setField('fp', factor, 1n << BigInt(MONTGOMERY_BITS))
  return (to, bytes) => {
    if (!isBelow(bytes, MODULUS_BYTES)) return false
    kernel.bytes().set(bytes.toReversed(), scratch)
    toMontgomery(to, scratch, factor, to + FIELD_BYTES)
    return true
  }
}

const MODULUS_BYTES = Uint8Array.from({ length: ELEMENT_BYTES }, (_, i) =>
  Number((BASE_MODULUS >> BigInt(8 * (ELEMENT_BYTES - 1 - i))) & 0xffn),
)

function isBelow(bytes: Uint8Array, bound: Uint8Array): boolean {
  const at = bytes.findIndex((byte, i) => byte !== bound[i])
  return at >= 0 && (bytes[at] ?? 0) < (bound[at] ?? 0)
}

/**
 * Whether a point of the twist has order r, by the endomorphism psi that the Frobenius map of the big curve
 * induces: for curves of this family Q is in G2 exactly when
 *
 *     [x + 1] Q + psi([x] Q) + psi²([x] Q) = psi³([2x] Q)
 *
 * with the curve's 63-bit parameter x (El Housni, Guillevic, Piellard, "Co-factor clearing and subgroup membership
 * testing on pairing-friendly curves", section 5). The additions are complete: the point may have any order.
 */
function createG2Check(kernel: Kernel, points: Points): (affine: number) => boolean {
  const [fp2, g2] = [kernel.functions('fp2'), kernel.functions('g2')]
  const pointBytes = 3 * kernel.g2.size
  const [xq, psi1, psi2, psi3, sum] = Array.from({ length: 5 }, () => kernel.reserve(pointBytes)) as Five
  const negated = kernel.reserve(2 * kernel.g2.size)
  const psi = createPsi(kernel)
  const digits = nonAdjacentForm(CURVE_PARAMETER)

  return (point) => {
    fp2.copy(negated, point)
    fp2.negate(negated + QUADRATIC_BYTES, point + QUADRATIC_BYTES)
    kernel.bytes().copyWithin(xq, point, point + 2 * QUADRATIC_BYTES)
    fp2.copy(xq + 2 * QUADRATIC_BYTES, kernel.g2.one)
    for (const digit of digits) {
      g2.double(xq, xq)
      if (digit !== 0) g2.addAffine(xq, xq, digit === 1 ? point : negated)
    }
    psi(psi1, xq)
    psi(psi2, psi1)
    psi(psi3, psi2)
    g2.double(psi3, psi3)
    g2.addAffine(sum, xq, point)
    g2.add(sum, sum, psi1)
    g2.add(sum, sum, psi2)
    points.subtract('g2', sum, sum, psi3)
    return points.isInfinite('g2', sum)
  }
}

/** psi(x, y) = (x̄ · xi^((q-1)/3), ȳ · xi^((q-1)/2)), on Jacobian coordinates with z̄ beside. */
function createPsi(kernel: Kernel): (to: number, from: number) => void {
  const [fp, fp2] = [kernel.functions('fp'), kernel.functions('fp2')]
  const factors = [setQuadratic(kernel, frobeniusFactor(1, 2)), setQuadratic(kernel, frobeniusFactor(1, 3))]
  return (to, from) => {
    for (let coordinate = 0; coordinate < 3; coordinate++) {
      const at = to + coordinate * QUADRATIC_BYTES
      fp2.copy(at, from + coordinate * QUADRATIC_BYTES)
      fp.negate(at + FIELD_BYTES, at + FIELD_BYTES)
      const factor = factors[coordinate]
      if (factor !== undefined) fp2.mul(at, at, factor)
    }
  }
}

function setQuadratic(kernel: Kernel, [real, imaginary]: readonly [bigint, bigint]): number {
  const at = kernel.reserve(QUADRATIC_BYTES)
  kernel.setField('fp', at, real)
  kernel.setField('fp', at + FIELD_BYTES, imaginary)
  return at
}

type Five = [number, number, number, number, number]
