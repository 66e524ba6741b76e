import { describe, expect, it } from 'vitest'
import { bytes } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import {
  accumulate,
  CHANGE_BYTES,
  decodeChanges,
  EMPTY_ACCUMULATOR,
  encodeChanges,
  FIELD_MODULUS,
  foldChanges,
  leafOfChange,
  leavesOfChanges,
  type MembershipChange,
  rateCommitment,
  TREE_CAPACITY,
} from './index.ts'

const index = fc.nat(TREE_CAPACITY - 1)
const change: fc.Arbitrary<MembershipChange> = fc.oneof(
  fc.record({
    index,
    commitment: fc.bigInt({ min: 1n, max: FIELD_MODULUS - 1n }),
    limit: fc.integer({ min: 1, max: 65_535 }),
  }),
  fc.record({ index, commitment: fc.constant(0n), limit: fc.constant(0) }),
)
const changes = fc.array(change, { maxLength: 12 })
const invalid = expect.objectContaining({ code: 'RLN_CHANGES_INVALID' })

describe('the running hash', () => {
  it("is the contract's", () => {
    const first = accumulate(EMPTY_ACCUMULATOR, { index: 0, commitment: 2n, limit: 20 })
    // keccak256 of four words, computed with viem.
    expect(first).toBe('0x7ef6b9a84163693054227f0fd12f591cc7d513d91865e5cd9830503f6fe872a4')
    expect(accumulate(first, { index: 0, commitment: 0n, limit: 0 })).not.toBe(first)
  })

  it('is the same one by one and over encoded changes, and stops where it is told', () => {
    fc.assert(
      fc.property(changes, fc.nat(12), (list, at) => {
        const steps = [EMPTY_ACCUMULATOR]
        for (const next of list) steps.push(accumulate(steps.at(-1) ?? '0x', next))
        const encoded = encodeChanges(list)
        expect(foldChanges(EMPTY_ACCUMULATOR, encoded)).toEqual({
          accumulator: steps.at(-1),
          count: list.length,
        })
        const count = Math.min(at, list.length)
        const until = steps[count] ?? EMPTY_ACCUMULATOR
        expect(foldChanges(EMPTY_ACCUMULATOR, encoded, until)).toEqual({ accumulator: until, count })
      }),
    )
  })

  it('differs when a change is left out, doubled, moved or altered', () => {
    const list = [1, 2, 3, 4].map((at) => ({ index: at, commitment: BigInt(at), limit: at }))
    const [a, b, c, d] = list as [MembershipChange, MembershipChange, MembershipChange, MembershipChange]
    const fold = (each: MembershipChange[]) => foldChanges(EMPTY_ACCUMULATOR, encodeChanges(each)).accumulator
    const others = [
      [a, b, d],
      [a, b, c],
      [a, b, b, c, d],
      [a, c, b, d],
      [a, b, { ...c, limit: 9 }, d],
      [a, b, { ...c, index: 9 }, d],
    ]
    expect(new Set([list, ...others].map(fold)).size).toBe(others.length + 1)
  })
})

describe('encoded changes', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const encoded = encodeChanges(list)
        expect(encoded.length).toBe(list.length * CHANGE_BYTES)
        expect(decodeChanges(encoded)).toEqual(list)
      }),
    )
  })

  it('are big-endian: index, commitment, limit', () => {
    const encoded = encodeChanges([{ index: 0x010203, commitment: 0x0405n, limit: 0x0607 }])
    expect([...encoded]).toEqual([0, 1, 2, 3, ...new Array(30).fill(0), 4, 5, 6, 7])
  })

  it.each([
    { index: TREE_CAPACITY, commitment: 1n, limit: 1 },
    { index: -1, commitment: 1n, limit: 1 },
    { index: 2 ** 32, commitment: 1n, limit: 1 },
    { index: 0, commitment: FIELD_MODULUS, limit: 1 },
    { index: 0, commitment: -1n, limit: 1 },
    { index: 0, commitment: 1n, limit: 0 },
    { index: 0, commitment: 0n, limit: 1 },
    { index: 0, commitment: 1n, limit: 65_536 },
    { index: 0.5, commitment: 1n, limit: 1 },
  ])('refuse what the contract never emits: %o', (impossible) => {
    expect(() => encodeChanges([impossible])).toThrow(invalid)
    expect(() => accumulate(EMPTY_ACCUMULATOR, impossible)).toThrow(invalid)
  })

  it('decode to changes that the contract could emit, or throw', () => {
    fc.assert(
      fc.property(bytes(4 * CHANGE_BYTES), (any) => {
        let list: MembershipChange[] = []
        try {
          list = decodeChanges(any)
        } catch (error) {
          expect(error).toEqual(invalid)
          return
        }
        expect(encodeChanges(list)).toEqual(any)
      }),
    )
    expect(() => decodeChanges(new Uint8Array(CHANGE_BYTES - 1))).toThrow(invalid)
  })
})

describe('leaves', () => {
  it('are made of commitment and limit; an erased one is 0', () => {
    expect(leafOfChange({ index: 0, commitment: 2n, limit: 20 })).toBe(rateCommitment(2n, 20))
    expect(leafOfChange({ index: 0, commitment: 0n, limit: 0 })).toBe(0n)
  })

  it('are the same in bulk', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const leaves = list.map((one) => ({ index: one.index, leaf: leafOfChange(one) }))
        expect(leavesOfChanges(list)).toEqual(leaves)
      }),
    )
    expect(() => leavesOfChanges([{ index: 0, commitment: 1n, limit: 0 }])).toThrow(
      expect.objectContaining({ code: 'RLN_VALUE_INVALID' }),
    )
  })
})
