// Every operation of the generated code against bigint arithmetic and an independent curve library.
import { bn254 } from '@noble/curves/bn254.js'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { BASE_MODULUS, SCALAR_MODULUS } from '../constants.ts'
import { LAMBDA, SPLIT_BYTES } from './endomorphism.ts'
import { createKernel, type Kernel } from './kernel.ts'
import { FIELD_BYTES, LIMBS, toLimbs } from './prime-field.ts'

let kernel: Kernel
let at: number[]
beforeAll(async () => {
  kernel = await createKernel()
  at = Array.from({ length: 8 }, () => kernel.reserve(6 * FIELD_BYTES))
})

const primes = [
  ['fp', BASE_MODULUS],
  ['fr', SCALAR_MODULUS],
] as const

/** Elements anywhere within ±2p, edges included. */
const element = (p: bigint) =>
  fc.oneof(
    fc.bigInt({ min: 1n - 2n * p, max: 2n * p - 1n }),
    fc.constantFrom(0n, 1n, -1n, p - 1n, p, -p, p + 1n, 2n * p - 1n, 1n - 2n * p),
    // All limbs at their largest, positive and negative.
    fc.constantFrom(LARGE, -LARGE),
    fc.bigInt({ min: 0n, max: (1n << 29n) - 1n }),
  )
const LARGE = Array.from({ length: 8 }, (_, i) => 1n << BigInt(29 * i + 28)).reduce(
  (sum, limb) => sum + limb,
  0n,
)
const mod = (value: bigint, p: bigint) => ((value % p) + p) % p
const setRaw = (to: number, value: bigint) => kernel.words().set(toLimbs(value).map(Number), to / 4)
const getRaw = (from: number) => {
  const limbs = [...kernel.words().subarray(from / 4, from / 4 + LIMBS)]
  expect(limbs.slice(0, -1).every((limb) => Math.abs(limb) <= 2 ** 28)).toBe(true)
  return limbs.reduceRight((sum, limb) => (sum << 29n) + BigInt(limb), 0n)
}
/** Limbs that need not be normal. */
const rawWords = (from: number) =>
  [...kernel.words().subarray(from / 4, from / 4 + LIMBS)].reduceRight(
    (sum, limb) => (sum << 29n) + BigInt(limb),
    0n,
  )
const R = 1n << 261n

describe.each(primes)('prime field %s', (prime, p) => {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => () => at[i]!) as [
    () => number,
    () => number,
    () => number,
    () => number,
  ]
  const invariant = (value: bigint) => {
    expect(value > -2n * p && value < 2n * p).toBe(true)
    return mod(value, p)
  }

  it('multiplies and squares', () => {
    fc.assert(
      fc.property(element(p), element(p), (x, y) => {
        setRaw(a(), x)
        setRaw(b(), y)
        kernel.functions(prime).mul(c(), a(), b())
        expect((invariant(getRaw(c())) * R) % p).toBe(mod(x * y, p))
        kernel.functions(prime).sqr(c(), a())
        expect((invariant(getRaw(c())) * R) % p).toBe(mod(x * x, p))
      }),
      { numRuns: 2000 },
    )
  })

  it('multiplies lazy sums up to 128 p²', () => {
    const wide = fc.bigInt({ min: -11n * p, max: 11n * p })
    fc.assert(
      fc.property(wide, wide, (x, y) => {
        setRaw(a(), x)
        setRaw(b(), y)
        kernel.functions(prime).mul(c(), a(), b())
        expect((invariant(getRaw(c())) * R) % p).toBe(mod(x * y, p))
      }),
    )
  })

  it('multiplies and squares raw sums of two', () => {
    fc.assert(
      fc.property(element(p), element(p), element(p), (x, y, z) => {
        for (const [i, value] of [x, y, z].entries()) setRaw(at[i]!, value)
        kernel.functions(prime).addRaw(at[3]!, a(), b())
        kernel.functions(prime).subRaw(at[4]!, b(), c())
        expect(rawWords(at[3]!)).toBe(x + y)
        expect(rawWords(at[4]!)).toBe(y - z)
        kernel.functions(prime).mul(at[5]!, at[3]!, at[4]!)
        expect((invariant(getRaw(at[5]!)) * R) % p).toBe(mod((x + y) * (y - z), p))
        kernel.functions(prime).sqr(at[5]!, at[3]!)
        expect((invariant(getRaw(at[5]!)) * R) % p).toBe(mod((x + y) ** 2n, p))
      }),
      { numRuns: 1000 },
    )
  })

  it('adds, subtracts and their relatives, reduced and lazy', () => {
    const sums = {
      add: (x: bigint, y: bigint) => x + y,
      sub: (x: bigint, y: bigint) => x - y,
      double: (x: bigint) => 2n * x,
      triple: (x: bigint) => 3n * x,
      negate: (x: bigint) => -x,
      subEight: (x: bigint, y: bigint) => x - 8n * y,
      subBothTwice: (x: bigint, y: bigint, z: bigint) => x - y - 2n * z,
      subTwice: (x: bigint, y: bigint) => x - 2n * y,
      subBoth: (x: bigint, y: bigint, z: bigint) => x - y - z,
    }
    const run = kernel.functions(prime) as unknown as Record<string, (...args: number[]) => void>
    fc.assert(
      fc.property(element(p), element(p), element(p), (x, y, z) => {
        for (const [name, expected] of Object.entries(sums)) {
          setRaw(a(), x)
          setRaw(b(), y)
          setRaw(c(), z)
          const operands = [a(), b(), c()].slice(0, expected.length)
          const want = mod(expected(x, y, z), p)
          run[name]?.(d(), ...operands)
          expect(invariant(getRaw(d())), name).toBe(want)
          if (run[`${name}Lazy`] === undefined) continue
          run[`${name}Lazy`]?.(d(), ...operands)
          expect(mod(getRaw(d()), p), name).toBe(want)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('knows zero, inverts, and reads and writes bytes', () => {
    fc.assert(
      fc.property(element(p), (x) => {
        setRaw(a(), x)
        expect(kernel.functions(prime).isZero(a())).toBe(mod(x, p) === 0n ? 1 : 0)
        kernel.functions(prime).inverse(b(), a())
        const inverse = (invariant(getRaw(b())) * kernelR(p)) % p
        expect(mod(inverse * x * kernelR(p), p)).toBe(mod(x, p) === 0n ? 0n : 1n)
        kernel.functions(prime).toBytes(c(), a())
        const bytes = kernel.bytes().slice(c(), c() + 32)
        expect(BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`)).toBe(mod(x, p))
        kernel.functions(prime).fromBytes(d(), c())
        expect(rawWords(d())).toBe(mod(x, p))
      }),
      { numRuns: 300 },
    )
  })

  it('converts to Montgomery form and back', () => {
    for (const value of [0n, 1n, p - 1n, 12345n]) {
      kernel.setField(prime, a(), value)
      expect(kernel.getField(prime, a())).toBe(value)
    }
  })
})

/** R^-1 modulo p. */
function kernelR(p: bigint): bigint {
  const { Fp, Fr } = bn254.fields
  return (p === BASE_MODULUS ? Fp : Fr).inv(R % p)
}

describe('scalar splitting', () => {
  it('gives two short halves that recompose', () => {
    const [from, to] = [at[0]!, at[1]!]
    fc.assert(
      fc.property(
        fc.oneof(
          fc.bigInt({ min: 0n, max: SCALAR_MODULUS - 1n }),
          fc.constantFrom(0n, 1n, SCALAR_MODULUS - 1n, LAMBDA, SCALAR_MODULUS - LAMBDA, 1n << 253n),
        ),
        (k) => {
          const bytes = kernel.bytes()
          for (let i = 0; i < 32; i++) bytes[from + i] = Number((k >> BigInt(8 * i)) & 0xffn)
          kernel.split(to, from, from + 32)
          const view = new DataView(bytes.buffer, to, SPLIT_BYTES)
          const half = (i: number) => {
            const size = view.getBigUint64(16 * i, true) + (view.getBigUint64(16 * i + 8, true) << 64n)
            expect(size < 1n << 127n).toBe(true)
            return view.getUint32(32 + 4 * i, true) === 1 ? -size : size
          }
          const sum = (half(0) + half(1) * LAMBDA) % SCALAR_MODULUS
          expect((sum + SCALAR_MODULUS) % SCALAR_MODULUS).toBe(k)
        },
      ),
      { numRuns: 3000 },
    )
  })
})

const { Point: G1 } = bn254.G1
const { Point: G2 } = bn254.G2
type AnyPoint = { toAffine(): { x: unknown; y: unknown }; is0(): boolean }

const setCoordinate = (to: number, value: unknown) => {
  if (typeof value === 'bigint') return kernel.setField('fp', to, value)
  const { c0, c1 } = value as { c0: bigint; c1: bigint }
  kernel.setField('fp', to, c0)
  kernel.setField('fp', to + FIELD_BYTES, c1)
}

describe.each([
  ['g1', G1.BASE],
  ['g2', G2.BASE],
] as const)('curve %s', (group, base) => {
  const point = (k: bigint) => (base as typeof G1.BASE).multiply(k) as AnyPoint
  const size = () => kernel[group].size

  function setAffine(to: number, value: AnyPoint): void {
    const { x, y } = value.toAffine()
    setCoordinate(to, x)
    setCoordinate(to + size(), y)
  }
  /** Jacobian with z = 1, or infinity. */
  function setPoint(to: number, k: bigint): void {
    kernel.words().fill(0, to / 4, (to + 3 * size()) / 4)
    if (k === 0n) return
    setAffine(to, point(k))
    kernel.setField('fp', to + 2 * size(), 1n)
  }
  /** The same point with another z. */
  function stretch(to: number): void {
    const [twice, minus] = [at[6]!, at[7]!]
    kernel.functions(group).double(twice, to)
    kernel.words().copyWithin(minus / 4, to / 4, (to + 3 * size()) / 4)
    kernel.functions(group === 'g1' ? 'fp' : 'fp2').negate(minus + size(), minus + size())
    kernel.functions(group).add(to, twice, minus)
  }
  function expectPoint(from: number, k: bigint): void {
    const isZero = kernel.functions(group === 'g1' ? 'fp' : 'fp2').isZero(from + 2 * size()) === 1
    const order = ((k % SCALAR_MODULUS) + SCALAR_MODULUS) % SCALAR_MODULUS
    expect(isZero).toBe(order === 0n)
    if (order === 0n) return
    const field = group === 'g1' ? 'fp' : 'fp2'
    const [z, zz, want] = [at[5]!, at[6]!, at[7]!]
    setAffine(want, point(order))
    kernel.functions(field).sqr(zz, from + 2 * size())
    kernel.functions(field).mul(z, zz, from + 2 * size())
    kernel.functions(field).mul(want, want, zz)
    kernel.functions(field).mul(want + size(), want + size(), z)
    for (const offset of [0, size()]) {
      kernel.functions(field).sub(zz, want + offset, from + offset)
      expect(kernel.functions(field).isZero(zz)).toBe(1)
    }
  }

  it('adds and doubles, whatever the operands are', () => {
    const [a, b, c] = [at[0]!, at[1]!, at[2]!]
    for (const i of [0n, 1n, 5n, SCALAR_MODULUS - 5n]) {
      for (const j of [0n, 1n, 5n, 7n, SCALAR_MODULUS - 1n]) {
        setPoint(a, i)
        setPoint(b, j)
        if (i !== 0n) stretch(a)
        if (j !== 0n) stretch(b)
        kernel.functions(group).add(c, a, b)
        expectPoint(c, i + j)
        kernel.functions(group).add(b, a, b)
        expectPoint(b, i + j)
        kernel.functions(group).double(c, a)
        expectPoint(c, 2n * i)
        if (j === 0n) continue
        setAffine(b, point(j))
        kernel.functions(group).addAffine(a, a, b)
        expectPoint(a, i + j)
      }
    }
  })
})
