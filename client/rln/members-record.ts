// The member list as it is stored: version u8, block u64, running hash 32, changes u32, members u32, roots u32; each
// member (commitment 32, limit u16; all zero: none); the known roots, 32 bytes each, oldest first; the tree. Big-endian.
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { restoreMembershipTree } from '@postrider/protocol/rln'
import { bigIntToBytes, bytesToBigInt, bytesToHex, concatBytes, hexToBytes } from '@postrider/protocol/wire'
import { SAVED_MEMBER_BYTES } from './constants.ts'
import type { Entry, MembersState } from './members.ts'

type Saved = MembersState & { block: bigint }

const VERSION = 2
const HASH_AT = 9
const COUNTS_AT = HASH_AT + 32
const HEAD_BYTES = COUNTS_AT + 3 * 4
const ROOT_BYTES = 32

export function encodeMembers({ block, accumulator, changes, entries, roots, tree }: Saved): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES)
  const view = new DataView(head.buffer)
  view.setUint8(0, VERSION)
  view.setBigUint64(1, block)
  head.set(hexToBytes(accumulator), HASH_AT)
  for (const [i, count] of [changes, entries.length, roots.length].entries()) {
    view.setUint32(COUNTS_AT + 4 * i, count)
  }
  const members = new Uint8Array(entries.length * SAVED_MEMBER_BYTES)
  for (const [index, entry] of entries.entries()) {
    if (!entry) continue
    members.set(bigIntToBytes(entry.commitment, 32), index * SAVED_MEMBER_BYTES)
    members.set(bigIntToBytes(BigInt(entry.limit), 2), index * SAVED_MEMBER_BYTES + 32)
  }
  return concatBytes(head, members, ...roots.map((root) => bigIntToBytes(root, ROOT_BYTES)), tree.serialize())
}

/** @throws PostriderError `CLIENT_STORAGE_CORRUPT` */
export function decodeMembers(bytes: Uint8Array): Saved {
  try {
    return decode(bytes)
  } catch (cause) {
    if (cause instanceof RangeError || isPostriderError(cause)) throw corrupt(cause)
    throw cause
  }
}

function decode(bytes: Uint8Array): Saved {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint8(0) !== VERSION) throw corrupt()
  const [changes = 0, members = 0, known = 0] = [0, 1, 2].map((i) => view.getUint32(COUNTS_AT + 4 * i))
  const rootsAt = HEAD_BYTES + members * SAVED_MEMBER_BYTES
  const treeAt = rootsAt + known * ROOT_BYTES
  if (treeAt > bytes.length) throw corrupt()
  return {
    block: view.getBigUint64(1),
    accumulator: bytesToHex(bytes.subarray(HASH_AT, COUNTS_AT)),
    changes,
    entries: slices(bytes.subarray(HEAD_BYTES, rootsAt), SAVED_MEMBER_BYTES).map(readEntry),
    roots: slices(bytes.subarray(rootsAt, treeAt), ROOT_BYTES).map(bytesToBigInt),
    tree: restoreMembershipTree(bytes.subarray(treeAt)),
  }
}

function readEntry(bytes: Uint8Array): Entry {
  const commitment = bytesToBigInt(bytes.subarray(0, 32))
  return commitment === 0n ? undefined : { commitment, limit: Number(bytesToBigInt(bytes.subarray(32))) }
}

function slices(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

function corrupt(cause?: unknown): PostriderError {
  return new PostriderError('CLIENT_STORAGE_CORRUPT', { detail: 'the saved member list', cause })
}
