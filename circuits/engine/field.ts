// alt_bn128's field and twist in bigints: what the codec needs, written for clarity. The verifier does the same
// checks in WebAssembly; this is the definition that its tests compare it with.
import { BASE_MODULUS as Q, SCALAR_MODULUS } from './constants.ts'
import type { PointG1, PointG2 } from './types.ts'

/** An element of F_q[u] / (u² + 1), [real, imaginary]. */
export type Fp2 = readonly [bigint, bigint]

const mod = (a: bigint): bigint => {
  const r = a % Q
  return r < 0n ? r + Q : r
}

export const add2 = (a: Fp2, b: Fp2): Fp2 => [mod(a[0] + b[0]), mod(a[1] + b[1])]
export const sub2 = (a: Fp2, b: Fp2): Fp2 => [mod(a[0] - b[0]), mod(a[1] - b[1])]
export const mul2 = (a: Fp2, b: Fp2): Fp2 => [mod(a[0] * b[0] - a[1] * b[1]), mod(a[0] * b[1] + a[1] * b[0])]
export function pow2(base: Fp2, exponent: bigint): Fp2 {
  let result: Fp2 = [1n, 0n]
  for (const bit of exponent.toString(2)) {
    result = mul2(result, result)
    if (bit === '1') result = mul2(result, base)
  }
  return result
}

const equal2 = (a: Fp2, b: Fp2): boolean => a[0] === b[0] && a[1] === b[1]
const isZero2 = (a: Fp2): boolean => a[0] === 0n && a[1] === 0n

/** G1: y² = x³ + 3. */
const B1 = 3n
/** The twist: y² = x³ + 3 / (9 + u). */
export const TWIST_B: Fp2 = [
  19485874751759354771024239261021720505790618469301721065564631296452457478373n,
  266929791119991161246907387137283842545076965332900288569378510910307636690n,
]

/** G1 has prime order, so every point of the curve is in the group. */
export function isOnCurveG1({ x, y }: PointG1): boolean {
  return mod(y * y) === mod(x * x * x + B1)
}

export function isOnTwist({ x, y }: PointG2): boolean {
  return equal2(mul2(y, y), add2(mul2(mul2(x, x), x), TWIST_B))
}

type Jacobian = { x: Fp2; y: Fp2; z: Fp2 }

function double({ x, y, z }: Jacobian): Jacobian {
  const a = mul2(x, x)
  const b = mul2(y, y)
  const c = mul2(b, b)
  const t = sub2(sub2(mul2(add2(x, b), add2(x, b)), a), c)
  const d = add2(t, t)
  const e = add2(add2(a, a), a)
  const x3 = sub2(mul2(e, e), add2(d, d))
  const c8 = mul2(c, [8n, 0n])
  const yz = mul2(y, z)
  return { x: x3, y: sub2(mul2(e, sub2(d, x3)), c8), z: add2(yz, yz) }
}

function addAffine(p: Jacobian, q: PointG2): Jacobian {
  if (isZero2(p.z)) return { x: q.x, y: q.y, z: [1n, 0n] }
  const zz = mul2(p.z, p.z)
  const h = sub2(mul2(q.x, zz), p.x)
  const r = sub2(mul2(q.y, mul2(p.z, zz)), p.y)
  if (isZero2(h)) return isZero2(r) ? double(p) : { x: [1n, 0n], y: [1n, 0n], z: [0n, 0n] }
  const hh = mul2(h, h)
  const hhh = mul2(h, hh)
  const v = mul2(p.x, hh)
  const x = sub2(sub2(mul2(r, r), hhh), add2(v, v))
  return { x, y: sub2(mul2(r, sub2(v, x)), mul2(p.y, hhh)), z: mul2(p.z, h) }
}

/**
 * Whether a point of the twist is in G2, by definition: r times the point is the identity. The twist has points of
 * other orders, with which a pairing equation proves nothing. About 10 ms.
 */
export function isInG2(point: PointG2): boolean {
  let sum: Jacobian = { x: [1n, 0n], y: [1n, 0n], z: [0n, 0n] }
  for (const bit of SCALAR_MODULUS.toString(2)) {
    sum = double(sum)
    if (bit === '1') sum = addAffine(sum, point)
  }
  return isZero2(sum.z)
}
