import { describe, expect, it } from 'vitest'
import { fc } from '../../testing/fc.ts'
import { createModuleBuilder } from '../../wasm/assembler.ts'
import { instantiate } from '../../wasm/instance.ts'
import { FIELD_MODULUS as P } from '../constants.ts'
import { defineFromBytes, defineSquare, defineSum, defineToBytes, LIMB_BYTES, toLimbs } from './arithmetic.ts'

const R = 1n << 261n

/** The largest value that the schedule lets an operand reach, and more. */
const LARGEST = 4n * P
const value = fc.oneof(
  fc.bigInt({ min: 0n, max: LARGEST - 1n }),
  fc.constantFrom(0n, 1n, P - 1n, P, P + 1n, 2n * P - 1n, LARGEST - 1n),
)

function setUp() {
  const m = createModuleBuilder()
  defineSum(m, 'one', [1], 0)
  defineSum(m, 'many', [1, 3], 2)
  defineSquare(m, 'square')
  defineFromBytes(m, 'fromBytes')
  defineToBytes(m, 'toBytes')
  const { functions: run, memory } = instantiate(m.bytes(), 65_536) ?? {}
  if (run === undefined || memory === undefined) throw new TypeError('no WebAssembly')
  const words = new Uint32Array(memory)
  const at = (index: number) => m.end() + LIMB_BYTES * index
  return {
    run,
    bytes: new Uint8Array(memory),
    at,
    set: (index: number, ...values: bigint[]) => words.set(values.flatMap(toLimbs), at(index) / 4),
    get(index: number) {
      const limbs = [...words.subarray(at(index) / 4, at(index) / 4 + 9)]
      expect(limbs.slice(0, -1).every((limb) => limb < 2 ** 29)).toBe(true)
      return limbs.reduceRight((sum, limb) => (sum << 29n) + BigInt(limb), 0n)
    },
  }
}

const { run, bytes, at, set, get } = setUp()

describe('sums of products', () => {
  it('one product is right and small again', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        set(0, a, b)
        run.one?.(at(2), at(0), at(1))
        expect((get(2) * R) % P).toBe((a * b) % P)
        expect(get(2)).toBeLessThanOrEqual((a * b) / R + P)
        run.square?.(at(2), at(0))
        expect((get(2) * R) % P).toBe((a * a) % P)
        run.square?.(at(0), at(0))
        expect(get(0)).toBe(get(2))
      }),
      { numRuns: 500 },
    )
  })

  it('four products and two addends fit, in place too', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 10, maxLength: 10 }), (values) => {
        const [a = 0n, b = 0n, ...rest] = values
        set(0, ...values)
        const vectors = [0, 1, 2].map((i) => (rest[i] ?? 0n) * (rest[i + 3] ?? 0n))
        const sum = vectors.reduce((all, one) => all + one, a * b)
        const expected = (sum + ((rest[6] ?? 0n) + (rest[7] ?? 0n)) * R) % P
        run.many?.(at(0), at(0), at(1), at(2), at(5), at(8), at(9))
        expect((get(0) * R) % P).toBe(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('no column overflows with all limbs at their largest', () => {
    const top = (1n << 29n) - 1n
    const full = Array.from({ length: 9 }, (_, i) => top << BigInt(29 * i)).reduce(
      (sum, limb) => sum + limb,
      0n,
    )
    set(0, ...new Array<bigint>(10).fill(full))
    run.many?.(at(10), at(0), at(1), at(2), at(5), at(8), at(9))
    expect((get(10) * R) % P).toBe((4n * full * full + 2n * full * R) % P)
  })
})

describe('bytes', () => {
  const littleEndian = (number: bigint) =>
    Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * i)) & 255n))

  it('are read as they are', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (number) => {
        bytes.set(littleEndian(number), at(4))
        run.fromBytes?.(at(0), at(4))
        expect(get(0)).toBe(number)
      }),
    )
  })

  it('are written below p', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.bigInt({ min: 0n, max: 2n * P - 1n }), fc.constantFrom(0n, P - 1n, P, P + 1n)),
        (number) => {
          set(0, number)
          run.toBytes?.(at(4), at(0))
          expect(bytes.slice(at(4), at(4) + 32)).toEqual(littleEndian(number % P))
        },
      ),
    )
  })
})
