import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fc } from '../../testing/fc.ts'
import { FIELD_MODULUS } from '../constants.ts'
import { hashPairsWithBigints, pack, poseidon, poseidonPairs, unpack } from '../poseidon.ts'
import { createPairHasher } from './kernel.ts'
import { poseidonParameters } from './parameters.ts'
import { type Schedule, scheduleOf } from './schedule.ts'
import { hashWithBigints } from './with-bigints.ts'

const EDGES = [
  0n,
  1n,
  2n,
  FIELD_MODULUS - 1n,
  FIELD_MODULUS - 2n,
  FIELD_MODULUS >> 1n,
  (1n << 232n) - 1n,
  1n << 253n,
]
const element = fc.oneof(
  { weight: 3, arbitrary: fc.bigInt({ min: 0n, max: FIELD_MODULUS - 1n }) },
  fc.constantFrom(...EDGES),
  fc.bigInt({ min: 0n, max: (1n << 29n) - 1n }),
)
const pairsOfEdges = EDGES.flatMap((left) => EDGES.map((right) => [left, right] as const))

const packed = (values: readonly bigint[]) => {
  const bytes = new Uint8Array(32 * values.length)
  values.forEach((value, i) => {
    pack(value, bytes, i)
  })
  return bytes
}
const hashesOf = (
  hash: (pairs: Uint8Array, to: Uint8Array) => void,
  pairs: readonly (readonly [bigint, bigint])[],
) => {
  const to = new Uint8Array(32 * pairs.length)
  hash(packed(pairs.flat()), to)
  return pairs.map((_, i) => unpack(to, i))
}

describe('parameters', () => {
  it('are those of circomlib', () => {
    const { constants, matrix, partialRounds } = poseidonParameters(3)
    expect([constants.length, partialRounds]).toEqual([65, 57])
    expect(constants[0]?.[0]).toBe(0x0ee9a592ba9a9518d05986d656f40c2114c4993c11bb29938d21d47304cd8e6en)
    expect(matrix[0]?.[0]).toBe(0x109b7f411ba0e4c9b2b70caf5c36a7b194be7c11ad24378bfedb68592ba8118bn)
  })
})

describe('both engines agree with poseidon-lite', () => {
  const engines = [
    ['WebAssembly', poseidonPairs],
    ['bigints', hashPairsWithBigints],
  ] as const

  it.each(engines)('%s: pairs at the edges of the field', (_, hash) => {
    expect(hashesOf(hash, pairsOfEdges)).toEqual(pairsOfEdges.map((pair) => poseidon2([...pair])))
  })

  it.each(engines)('%s: any pairs', (_, hash) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(element, element), { minLength: 1, maxLength: 8 }), (pairs) => {
        expect(hashesOf(hash, pairs)).toEqual(pairs.map((pair) => poseidon2(pair)))
      }),
      { numRuns: 60 },
    )
  })

  it('one, two and three inputs', () => {
    for (const value of EDGES) {
      expect(poseidon([value])).toBe(poseidon1([value]))
      expect(poseidon([value, 7n])).toBe(poseidon2([value, 7n]))
      expect(poseidon([value, 0n, value])).toBe(poseidon3([value, 0n, value]))
    }
    fc.assert(
      fc.property(element, element, element, (a, b, c) => {
        expect(poseidon([a])).toBe(poseidon1([a]))
        expect(poseidon([a, b])).toBe(poseidon2([a, b]))
        expect(poseidon([a, b, c])).toBe(poseidon3([a, b, c]))
      }),
      { numRuns: 40 },
    )
  })
})

describe('in bulk', () => {
  it('gives the same whatever the number of pairs', () => {
    const pairs = Array.from(
      { length: 600 },
      (_, i) => [BigInt(i), BigInt(i) ** 25n % FIELD_MODULUS] as const,
    )
    const all = hashesOf(poseidonPairs, pairs)
    for (const at of [0, 1, 255, 256, 257, 511, 512, 599]) {
      expect(all[at]).toBe(poseidon2([...(pairs[at] ?? [])]))
    }
    expect(hashesOf(poseidonPairs, pairs.slice(0, 257))).toEqual(all.slice(0, 257))
    expect(hashesOf(poseidonPairs, [])).toEqual([])
  })

  it('reads and writes parts of larger buffers', () => {
    const bytes = new Uint8Array(32 * 4)
    pack(3n, bytes, 1)
    pack(4n, bytes, 2)
    poseidonPairs(bytes.subarray(32, 96), bytes.subarray(96))
    expect(unpack(bytes, 3)).toBe(poseidon2([3n, 4n]))
  })
})

describe('packing', () => {
  it('keeps every element, little-endian', () => {
    fc.assert(
      fc.property(element, (value) => {
        expect(unpack(packed([5n, value, 6n]), 1)).toBe(value)
      }),
    )
    expect(packed([0x0102n]).slice(0, 3)).toEqual(Uint8Array.of(2, 1, 0))
  })
})

describe('the schedule', () => {
  it('computes less than the definition', () => {
    const { partial, opening, closing } = scheduleOf(poseidonParameters(3))
    const products = [...opening, ...closing].reduce((sum, { matrix }) => sum + matrix.flat().length, 0)
    expect(products + partial.length * 4).toBeLessThan(0.55 * 65 * 9)
  })

  it('is right for every width', () => {
    for (const [width, hash] of [
      [2, poseidon1],
      [3, poseidon2],
      [4, poseidon3],
    ] as const) {
      const inputs = EDGES.slice(3, 2 + width)
      expect(hashWithBigints(scheduleOf(poseidonParameters(width)), inputs)).toBe(hash(inputs))
    }
  })
})

describe('without WebAssembly', () => {
  afterEach(() => vi.unstubAllGlobals())
  const schedule: Schedule = scheduleOf(poseidonParameters(3))

  it('is not the case here', () => {
    expect(createPairHasher(schedule)).toBeDefined()
  })

  it('there is no hasher, and nothing throws', () => {
    vi.stubGlobal('WebAssembly', undefined)
    expect(createPairHasher(schedule)).toBeUndefined()
  })

  it('nor where code may not be compiled', () => {
    const Memory = function refuse() {
      throw new EvalError('content security policy')
    }
    vi.stubGlobal('WebAssembly', { Memory })
    expect(createPairHasher(schedule)).toBeUndefined()
  })
})
