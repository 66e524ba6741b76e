import { PostriderError } from '../errors/index.ts'
import { TREE_DEPTH } from './constants.ts'
import { assertFieldElement } from './field.ts'
import { poseidon } from './poseidon.ts'

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
  const { depth = TREE_DEPTH, hash = poseidonPair } = options
  const empty = emptyNodes(depth, hash)
  const levels: bigint[][] = Array.from({ length: depth + 1 }, () => [])

  const node = (level: number, position: number): bigint => levels[level]?.[position] ?? empty[level] ?? 0n

  function assign(level: number, position: number, value: bigint): void {
    const nodes = levels[level]
    if (nodes !== undefined) nodes[position] = value
  }

  function assertIndex(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= 2 ** depth) {
      throw new PostriderError('RLN_TREE_FULL', { data: { index } })
    }
  }

  function setMany(entries: Iterable<{ index: number; leaf: bigint }>): void {
    const checked = [...entries]
    for (const { index, leaf } of checked) {
      assertIndex(index)
      assertFieldElement(leaf, 'leaf')
    }
    for (const { index, leaf } of checked) assign(0, index, leaf)
    let dirty = new Set(checked.map(({ index }) => index))
    for (let level = 1; level <= depth; level++) {
      dirty = new Set([...dirty].map((position) => Math.floor(position / 2)))
      for (const position of dirty) {
        assign(level, position, hash(node(level - 1, 2 * position), node(level - 1, 2 * position + 1)))
      }
    }
  }

  return {
    root: () => node(depth, 0),
    size: () => levels[0]?.length ?? 0,
    leaf(index) {
      assertIndex(index)
      return node(0, index)
    },
    set: (index, leaf) => setMany([{ index, leaf }]),
    setMany,
    path(index) {
      assertIndex(index)
      const indices = Array.from({ length: depth }, (_, level) => Math.floor(index / 2 ** level) % 2)
      const siblings = indices.map((right, level) => {
        const position = Math.floor(index / 2 ** level)
        return node(level, right === 1 ? position - 1 : position + 1)
      })
      return { siblings, indices }
    },
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

function emptyNodes(depth: number, hash: (left: bigint, right: bigint) => bigint): bigint[] {
  const nodes = [0n]
  for (let level = 0; level < depth; level++) {
    const below = nodes[level] ?? 0n
    nodes.push(hash(below, below))
  }
  return nodes
}
