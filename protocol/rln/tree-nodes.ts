import { concatBytes } from '../wire/index.ts'
import { PACKED_BYTES, pack, unpack } from './poseidon.ts'
import { createLevel, type Level } from './tree-level.ts'

/** Nodes that are hashed in one go. */
const BATCH_NODES = 256

const PAIR_BYTES = 2 * PACKED_BYTES

/** Hashes pairs of packed nodes. */
export type PairHash = (pairs: Uint8Array, to: Uint8Array) => void

/** The nodes of a binary tree of fixed depth, packed; what lies above empty leaves only is not stored. */
export type Nodes = {
  /** One more than the highest leaf that was ever set. */
  size(): number
  at(level: number, position: number): bigint
  /** Sets leaves and hashes each node above them once. Indexes and values are the caller's to check. */
  setLeaves(entries: readonly { index: number; leaf: bigint }[]): void
  /** Level by level from the leaves up; valid until leaves are set. */
  levels(): Uint8Array[]
}

/** @param levels what `levels()` gave before; absent: no leaf is set */
export function createNodes(depth: number, hash: PairHash, levels: readonly Uint8Array[] = []): Nodes {
  const empty = emptyNodes(depth, hash)
  const stored = empty.map((node, level) => createLevel(node, levels[level]))
  const levelAt = (level: number) => stored[level] as Level
  const emptyAt = (level: number) => empty[level] as Uint8Array

  /** Hashes the nodes at these positions from the level below. */
  const rehash = (level: number, positions: Uint32Array): void => {
    const below = levelAt(level - 1).bytes()
    const nodes = levelAt(level).bytes()
    const pairs = new Uint8Array(PAIR_BYTES * Math.min(positions.length, BATCH_NODES))
    const hashes = new Uint8Array(pairs.length / 2)
    for (let first = 0; first < positions.length; first += BATCH_NODES) {
      const batch = positions.subarray(first, first + BATCH_NODES)
      for (const [i, position] of batch.entries()) {
        const children = below.subarray(PAIR_BYTES * position, PAIR_BYTES * (position + 1))
        pairs.set(children, PAIR_BYTES * i)
        if (children.length < PAIR_BYTES) pairs.set(emptyAt(level - 1), PAIR_BYTES * i + PACKED_BYTES)
      }
      hash(pairs.subarray(0, PAIR_BYTES * batch.length), hashes)
      for (const [i, position] of batch.entries()) {
        nodes.set(hashes.subarray(PACKED_BYTES * i, PACKED_BYTES * (i + 1)), PACKED_BYTES * position)
      }
    }
  }
  const size = () => levelAt(0).count()

  return {
    size,
    at(level, position) {
      const { count, bytes } = levelAt(level)
      return position < count() ? unpack(bytes(), position) : unpack(emptyAt(level), 0)
    },
    setLeaves(entries) {
      const next = entries.reduce((most, { index }) => Math.max(most, index + 1), size())
      for (const [level, { grow }] of stored.entries()) grow(nodesAbove(level, next))
      const leaves = levelAt(0).bytes()
      for (const { index, leaf } of entries) pack(leaf, leaves, index)
      let changed = Uint32Array.from(entries, ({ index }) => index).sort()
      for (let level = 1; level <= depth; level++) {
        changed = parentsOf(changed)
        rehash(level, changed)
      }
    },
    levels: () => stored.map(({ bytes }) => bytes()),
  }
}

/** How many nodes of a level lie above the first `size` leaves. */
export const nodesAbove = (level: number, size: number): number => Math.ceil(size / 2 ** level)

/** By level, from the leaves up: the node above empty leaves only. */
function emptyNodes(depth: number, hash: PairHash): Uint8Array[] {
  const nodes = [new Uint8Array(PACKED_BYTES)]
  for (const below of nodes) {
    if (nodes.length > depth) break
    const node = new Uint8Array(PACKED_BYTES)
    hash(concatBytes(below, below), node)
    nodes.push(node)
  }
  return nodes
}

/** Positions one level up, ascending, each once. */
function parentsOf(positions: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const parents = positions.map((position) => position >>> 1)
  return parents.filter((position, i) => i === 0 || position !== parents[i - 1])
}
