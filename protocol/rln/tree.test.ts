import { IMT } from '@zk-kit/imt'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { describe, expect, it } from 'vitest'
import { fc } from '../testing/fc.ts'
import { createMembershipTree, FIELD_MODULUS, rootOfPath, TREE_CAPACITY } from './index.ts'

// Poseidon costs 0.2 ms; for the tree's shape any mixing hash will do.
const cheapHash = (left: bigint, right: bigint) => (left * 31n + right * 17n + 7n) ** 3n % FIELD_MODULUS

const leaf = fc.bigInt({ min: 0n, max: FIELD_MODULUS - 1n })

describe('membership tree', () => {
  it('agrees with @zk-kit/imt on Poseidon, depth 20: roots and paths', () => {
    const ours = createMembershipTree()
    const theirs = new IMT(poseidon2 as never, 20, 0n, 2)
    expect(ours.root()).toBe(theirs.root)
    for (const value of [1n, 2n, FIELD_MODULUS - 1n, 4n, 5n]) {
      ours.set(ours.size(), value)
      theirs.insert(value)
      expect(ours.root()).toBe(theirs.root)
    }
    theirs.update(1, 0n)
    ours.set(1, 0n)
    expect(ours.root()).toBe(theirs.root)
    const proof = theirs.createProof(2)
    expect(ours.path(2)).toEqual({
      siblings: proof.siblings.map(([sibling]: bigint[]) => sibling),
      indices: proof.pathIndices,
    })
  })

  it('agrees with @zk-kit/imt for any updates', () => {
    fc.assert(
      fc.property(
        fc.array(leaf, { minLength: 1, maxLength: 24 }),
        fc.array(fc.tuple(fc.nat(), leaf), { maxLength: 8 }),
        (leaves, updates) => {
          const ours = createMembershipTree({ depth: 6, hash: cheapHash })
          const theirs = new IMT(
            ((inputs: bigint[]) => cheapHash(inputs[0]!, inputs[1]!)) as never,
            6,
            0n,
            2,
            leaves,
          )
          ours.setMany(leaves.map((value, index) => ({ index, leaf: value })))
          for (const [at, value] of updates) {
            ours.set(at % leaves.length, value)
            theirs.update(at % leaves.length, value)
          }
          expect(ours.root()).toBe(theirs.root)
        },
      ),
    )
  })

  it('has one root for one set of leaves, however they came in, and paths that lead to it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(255), leaf), { minLength: 1, maxLength: 30 }), (entries) => {
        const oneByOne = createMembershipTree({ depth: 8, hash: cheapHash })
        for (const [index, value] of entries) oneByOne.set(index, value)
        const bulk = createMembershipTree({ depth: 8, hash: cheapHash })
        bulk.setMany([...new Map(entries)].reverse().map(([index, value]) => ({ index, leaf: value })))
        expect(bulk.root()).toBe(oneByOne.root())
        expect(bulk.size()).toBe(oneByOne.size())
        for (const [index] of entries) {
          expect(rootOfPath(bulk.leaf(index), bulk.path(index), cheapHash)).toBe(bulk.root())
        }
      }),
    )
  })

  it('lets the last of many entries for one index win', () => {
    const tree = createMembershipTree({ depth: 4, hash: cheapHash })
    tree.setMany([
      { index: 1, leaf: 5n },
      { index: 1, leaf: 6n },
    ])
    expect(tree.leaf(1)).toBe(6n)
  })

  it('goes back to the empty root when every leaf is erased', () => {
    const tree = createMembershipTree({ depth: 8, hash: cheapHash })
    const empty = tree.root()
    tree.set(200, 9n)
    expect(tree.root()).not.toBe(empty)
    tree.set(200, 0n)
    expect(tree.root()).toBe(empty)
    expect(tree.size()).toBe(201)
  })

  it('hashes each inner node once in bulk', () => {
    let hashes = 0
    const counted = (left: bigint, right: bigint) => {
      hashes++
      return cheapHash(left, right)
    }
    const tree = createMembershipTree({ depth: 10, hash: counted })
    hashes = 0
    tree.setMany(Array.from({ length: 1024 }, (_, index) => ({ index, leaf: 1n })))
    expect(hashes).toBe(1023)
  })

  it.each([-1, 0.5, TREE_CAPACITY, Number.NaN])('refuses index %s', (index) => {
    const tree = createMembershipTree({ hash: cheapHash })
    const full = expect.objectContaining({ code: 'RLN_TREE_FULL' })
    expect(() => tree.set(index, 1n)).toThrow(full)
    expect(() => tree.leaf(index)).toThrow(full)
    expect(() => tree.path(index)).toThrow(full)
  })

  it('refuses a leaf outside the field and changes nothing', () => {
    const tree = createMembershipTree({ depth: 4, hash: cheapHash })
    const before = tree.root()
    expect(() =>
      tree.setMany([
        { index: 0, leaf: 1n },
        { index: 1, leaf: FIELD_MODULUS },
      ]),
    ).toThrow(expect.objectContaining({ code: 'RLN_VALUE_INVALID' }))
    expect(tree.root()).toBe(before)
    expect(tree.size()).toBe(0)
  })

  it('holds the last of 2^20 leaves', () => {
    const tree = createMembershipTree({ hash: cheapHash })
    tree.set(TREE_CAPACITY - 1, 5n)
    expect(rootOfPath(5n, tree.path(TREE_CAPACITY - 1), cheapHash)).toBe(tree.root())
  })
})
