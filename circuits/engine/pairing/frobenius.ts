import { BASE_MODULUS } from '../constants.ts'
import { type Fp2, mul2, pow2 } from '../field.ts'

/** u² = -1 and v³ = xi. */
export const XI: Fp2 = [9n, 1n]

const conjugate = ([real, imaginary]: Fp2): Fp2 => [real, (BASE_MODULUS - imaginary) % BASE_MODULUS]

const GAMMA = pow2(XI, (BASE_MODULUS - 1n) / 6n)
const GAMMAS: readonly Fp2[] = [
  GAMMA,
  mul2(GAMMA, conjugate(GAMMA)),
  mul2(mul2(GAMMA, conjugate(GAMMA)), GAMMA),
]

/**
 * xi^(i (q^k - 1) / 6) for k = 1, 2, 3: what the q^k-power Frobenius map multiplies the coefficient of w^i by, after
 * conjugating it k times.
 */
export function frobeniusFactor(k: 1 | 2 | 3, i: number): Fp2 {
  let factor: Fp2 = [1n, 0n]
  for (let n = 0; n < i; n++) factor = mul2(factor, GAMMAS[k - 1] as Fp2)
  return factor
}
