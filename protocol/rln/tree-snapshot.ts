// A tree as bytes: version u8, depth u8, size u32 big-endian; the nodes, 32 bytes little-endian each, level by level from
// the leaves up; SHA-256 of all that.
import { sha256 } from '@noble/hashes/sha2.js'
import { PostriderError } from '../errors/index.ts'
import { concatBytes, equalBytes } from '../wire/index.ts'
import { PACKED_BYTES } from './poseidon.ts'
import { nodesAbove } from './tree-nodes.ts'

const VERSION = 1
const HEADER_BYTES = 6
const CHECKSUM_BYTES = 32

/** Packed levels, from the leaves up, to bytes. */
export function encodeTree(depth: number, levels: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES)
  header.set([VERSION, depth])
  new DataView(header.buffer).setUint32(2, (levels[0]?.length ?? 0) / PACKED_BYTES)
  const body = concatBytes(header, ...levels)
  return concatBytes(body, sha256(body))
}

/** The levels in the bytes. @throws RLN_TREE_CORRUPT */
export function decodeTree(bytes: Uint8Array, depth: number): Uint8Array[] {
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES) throw treeCorrupt('it is cut short')
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  if (!equalBytes(sha256(body), bytes.subarray(-CHECKSUM_BYTES))) throw treeCorrupt('the checksum differs')
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  if (header.getUint8(0) !== VERSION || header.getUint8(1) !== depth) {
    throw treeCorrupt('it has another version or depth')
  }
  const size = header.getUint32(2)
  let at = HEADER_BYTES
  const levels = Array.from({ length: depth + 1 }, (_, level) => {
    const from = at
    at += nodesAbove(level, size) * PACKED_BYTES
    return body.subarray(from, at)
  })
  if (size > 2 ** depth || at !== body.length) throw treeCorrupt('its length is not that of its nodes')
  return levels
}

export function treeCorrupt(detail: string): PostriderError {
  return new PostriderError('RLN_TREE_CORRUPT', { detail })
}
