// What is kept of the members beside the log of events, so that a restart hashes nothing again: how many changes there
// were and their running hash, which names the list exactly, and the tree over it.
import { PostriderError } from '@postrider/protocol/errors'
import { type MembershipTree, restoreMembershipTree } from '@postrider/protocol/rln'
import { bytesToHex, concatBytes, type Hex, hexToBytes } from '@postrider/protocol/wire'

export type MembershipSnapshot = { count: number; accumulator: Hex; tree: MembershipTree }

const COUNT_BYTES = 4
const HASH_BYTES = 32
const HEADER_BYTES = COUNT_BYTES + HASH_BYTES

/** count u32 big-endian, running hash, tree. */
export function encodeSnapshot({ count, accumulator, tree }: MembershipSnapshot): Uint8Array {
  const counted = new Uint8Array(COUNT_BYTES)
  new DataView(counted.buffer).setUint32(0, count)
  return concatBytes(counted, hexToBytes(accumulator, HASH_BYTES), tree.serialize())
}

/** @throws PostriderError `RLN_TREE_CORRUPT` */
export function decodeSnapshot(bytes: Uint8Array, restoreTree = restoreMembershipTree): MembershipSnapshot {
  if (bytes.length < HEADER_BYTES) throw new PostriderError('RLN_TREE_CORRUPT', { detail: 'it is cut short' })
  return {
    count: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0),
    accumulator: bytesToHex(bytes.subarray(COUNT_BYTES, HEADER_BYTES)),
    tree: restoreTree(bytes.subarray(HEADER_BYTES)),
  }
}
