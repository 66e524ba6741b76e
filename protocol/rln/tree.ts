import { PostriderError } from '../errors/index.ts'
import { TREE_DEPTH } from './constants.ts'
import { assertFieldElement } from './field.ts'
import { PACKED_BYTES, pack, poseidon, poseidonPairs, unpack } from './poseidon.ts'
import { createNodes, type Nodes, type PairHash } from './tree-nodes.ts'
import { decodeTree, encodeTree, treeCorrupt } from './tree-snapshot.ts'

/** What the circuit needs to show membership: from the leaf up, the sibling and 1 where we are the right child. */
export type MerklePath = { siblings: bigint[]; indices: number[] }

export type MembershipTree = {
  root(): bigint
  /** One more than the highest index that was ever set. */
  size(): number
  /** 0 for an index that was never set. */
  leaf(index: number): bigint
  /** Sets one leaf: one hash a level. */
  set(index: number, leaf: bigint): void
  /** Sets many leaves and hashes each inner node above them once. */
  setMany(entries: Iterable<{ index: number; leaf: bigint }>): void
  path(index: number): MerklePath
  /** All nodes, for `restoreMembershipTree`: about 64 bytes a leaf. */
  serialize(): Uint8Array
}

export type MembershipTreeOptions = {
  /** Levels below the root; 20 fits the circuit. */
  depth?: number
  /** Hash of two children; Poseidon fits the circuit. */
  hash?: (left: bigint, right: bigint) => bigint
}

const poseidonPair = (left: bigint, right: bigint) => poseidon([left, right])

/**
 * The membership tree: binary, of fixed depth, empty leaves 0. Only what lies above set leaves is stored.
 * Methods throw RLN_TREE_FULL for an index outside and RLN_VALUE_INVALID for a leaf outside the field.
 */
export function createMembershipTree(options: MembershipTreeOptions = {}): MembershipTree {
  const { depth = TREE_DEPTH, hash } = options
  return treeOver(depth, createNodes(depth, pairHash(hash)))
}

/**
 * The tree that was serialised, without hashing it again. The bytes are checked by their SHA-256 and by one path, so
 * that damage, a cut and another hash function are found; whoever can write the bytes is trusted.
 *
 * @throws RLN_TREE_CORRUPT
 */
export function restoreMembershipTree(
  bytes: Uint8Array,
  options: MembershipTreeOptions = {},
): MembershipTree {
  const { depth = TREE_DEPTH, hash } = options
  const tree = treeOver(depth, createNodes(depth, pairHash(hash), decodeTree(bytes, depth)))
  const newest = Math.max(0, tree.size() - 1)
  if (rootOfPath(tree.leaf(newest), tree.path(newest), hash) !== tree.root()) {
    throw treeCorrupt('a node is not the hash of its children')
  }
  return tree
}

function treeOver(depth: number, nodes: Nodes): MembershipTree {
  const assertIndex = (index: number): void => {
    if (Number.isInteger(index) && index >= 0 && index < 2 ** depth) return
    throw new PostriderError('RLN_TREE_FULL', { data: { index } })
  }
  const setMany = (entries: Iterable<{ index: number; leaf: bigint }>): void => {
    const checked = [...entries]
    for (const { index, leaf } of checked) {
      assertIndex(index)
      assertFieldElement(leaf, 'leaf')
    }
    nodes.setLeaves(checked)
  }
  return {
    root: () => nodes.at(depth, 0),
    size: nodes.size,
    leaf(index) {
      assertIndex(index)
      return nodes.at(0, index)
    },
    set: (index, leaf) => setMany([{ index, leaf }]),
    setMany,
    path(index) {
      assertIndex(index)
      const positions = Array.from({ length: depth }, (_, level) => index >>> level)
      return {
        siblings: positions.map((position, level) => nodes.at(level, position ^ 1)),
        indices: positions.map((position) => position & 1),
      }
    },
    serialize: () => encodeTree(depth, nodes.levels()),
  }
}

/** The root to which a leaf leads along a path. */
export function rootOfPath(leaf: bigint, path: MerklePath, hash = poseidonPair): bigint {
  return path.siblings.reduce(
    (current, sibling, level) =>
      path.indices[level] === 1 ? hash(sibling, current) : hash(current, sibling),
    leaf,
  )
}

function pairHash(hash: MembershipTreeOptions['hash']): PairHash {
  if (hash === undefined) return poseidonPairs
  return (pairs, to) => {
    for (let i = 0; i < pairs.length / (2 * PACKED_BYTES); i++) {
      pack(hash(unpack(pairs, 2 * i), unpack(pairs, 2 * i + 1)), to, i)
    }
  }
}
