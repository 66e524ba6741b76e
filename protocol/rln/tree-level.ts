import { PACKED_BYTES } from './poseidon.ts'

/** First room of a level, nodes; doubles when it is full. */
const INITIAL_ROOM = 16

/** The nodes of one level up to the last one above a set leaf, packed; beyond are empty nodes only. */
export type Level = {
  count(): number
  /** All nodes in order; valid until the level grows. */
  bytes(): Uint8Array
  /** Makes the level at least so long, with empty nodes. */
  grow(count: number): void
}

/** @param empty the node above empty leaves only, packed; @param content nodes to begin with */
export function createLevel(empty: Uint8Array, content: Uint8Array = new Uint8Array(0)): Level {
  let store = content.slice()
  let count = content.length / PACKED_BYTES
  const isZero = empty.every((byte) => byte === 0)

  const makeRoom = (nodes: number): void => {
    if (nodes * PACKED_BYTES <= store.length) return
    const larger = new Uint8Array(Math.max(nodes, 2 * count, INITIAL_ROOM) * PACKED_BYTES)
    larger.set(store)
    store = larger
  }

  return {
    count: () => count,
    bytes: () => store.subarray(0, count * PACKED_BYTES),
    grow(nodes) {
      if (nodes <= count) return
      makeRoom(nodes)
      if (!isZero) for (let at = count; at < nodes; at++) store.set(empty, at * PACKED_BYTES)
      count = nodes
    },
  }
}
