import { describe, expect, it } from 'vitest'
import { fc } from '../testing/fc.ts'
import { createMembershipTree, FIELD_MODULUS, type MembershipTree, restoreMembershipTree } from './index.ts'

// For the tree's shape any mixing hash will do.
const hash = (left: bigint, right: bigint) => (left * 31n + right * 17n + 7n) ** 3n % FIELD_MODULUS
const corrupt = expect.objectContaining({ code: 'RLN_TREE_CORRUPT' })
const leaf = fc.bigInt({ min: 0n, max: FIELD_MODULUS - 1n })
const entries = fc
  .array(fc.tuple(fc.nat(255), leaf), { maxLength: 40 })
  .map((list) => list.map(([index, value]) => ({ index, leaf: value })))

function sameTree(left: MembershipTree, right: MembershipTree): void {
  expect([left.root(), left.size()]).toEqual([right.root(), right.size()])
  for (let index = 0; index < left.size(); index++) expect(left.path(index)).toEqual(right.path(index))
}

describe('a stored tree', () => {
  it('comes back without a hash, and goes on like the original', () => {
    fc.assert(
      fc.property(entries, entries, (before, after) => {
        const original = createMembershipTree({ depth: 8, hash })
        original.setMany(before)
        let hashes = 0
        const counted = (left: bigint, right: bigint) => {
          hashes++
          return hash(left, right)
        }
        const copy = restoreMembershipTree(original.serialize(), { depth: 8, hash: counted })
        // The empty nodes and one path.
        expect(hashes).toBeLessThanOrEqual(16)
        sameTree(copy, original)
        for (const tree of [original, copy]) tree.setMany(after)
        sameTree(copy, original)
        expect(copy.serialize()).toEqual(original.serialize())
      }),
      { numRuns: 50 },
    )
  })

  it('is its own: the original may change', () => {
    const original = createMembershipTree({ depth: 4, hash })
    original.set(2, 5n)
    const bytes = original.serialize()
    const copy = restoreMembershipTree(bytes, { depth: 4, hash })
    original.set(2, 6n)
    bytes.fill(0)
    expect(copy.leaf(2)).toBe(5n)
  })

  it('works with Poseidon at full depth', () => {
    const original = createMembershipTree()
    original.setMany(Array.from({ length: 300 }, (_, index) => ({ index, leaf: BigInt(index * index + 1) })))
    const bytes = original.serialize()
    expect(bytes.length).toBeLessThan(300 * 64 + 20 * 32 + 64)
    sameTree(restoreMembershipTree(bytes), original)
  })

  it('is refused when anything about it is wrong', () => {
    const tree = createMembershipTree({ depth: 4, hash })
    tree.setMany([0, 1, 2].map((index) => ({ index, leaf: 9n })))
    const bytes = tree.serialize()
    const refuse = (
      damaged: Uint8Array,
      options: { depth?: number; hash?: typeof hash } = { depth: 4, hash },
    ) => expect(() => restoreMembershipTree(damaged, options)).toThrow(corrupt)
    for (let at = 0; at < bytes.length; at++) refuse(bytes.with(at, (bytes[at] ?? 0) ^ 1))
    for (let length = 0; length < bytes.length; length++) refuse(bytes.subarray(0, length))
    refuse(Uint8Array.of(...bytes, 0))
    refuse(bytes, { depth: 5, hash })
    refuse(bytes, { depth: 4 })
  })
})
