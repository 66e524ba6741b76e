import { keccak_256 } from '@noble/hashes/sha3.js'
import { PostriderError } from '../errors/index.ts'
import { bigIntToBytes, bytesToBigInt, bytesToHex, equalBytes, type Hex, hexToBytes } from '../wire/index.ts'
import { CHANGE_BYTES, MAX_MESSAGE_LIMIT, TREE_CAPACITY } from './constants.ts'
import { isFieldElement } from './field.ts'
import { assertMember, rateCommitment } from './identity.ts'
import { PACKED_BYTES, pack, poseidonPairs, unpack } from './poseidon.ts'

/** One change of the member list, as the contract emits it. Commitment 0 and limit 0 erase the leaf. */
export type MembershipChange = { index: number; commitment: bigint; limit: number }

/** The running hash before the first change. */
export const EMPTY_ACCUMULATOR: Hex = `0x${'00'.repeat(32)}`

/**
 * The contract's running hash after one more change:
 * keccak256(abi.encode(bytes32 accumulator, uint256 index, uint256 commitment, uint256 limit)).
 */
export function accumulate(accumulator: Hex, change: MembershipChange): Hex {
  return foldChanges(accumulator, encodeChanges([change])).accumulator
}

/**
 * The running hash after encoded changes, or as soon as it is `until`.
 *
 * @returns the hash, and after how many changes
 */
export function foldChanges(
  accumulator: Hex,
  changes: Uint8Array,
  until?: Hex,
): { accumulator: Hex; count: number } {
  const end = until === undefined ? undefined : hexToBytes(until, 32)
  const words = new Uint8Array(4 * WORD_BYTES)
  let hash: Uint8Array = hexToBytes(accumulator, 32)
  let count = 0
  while (count * CHANGE_BYTES < changes.length && !(end && equalBytes(hash, end))) {
    const change = changes.subarray(count * CHANGE_BYTES, ++count * CHANGE_BYTES)
    words.set(hash)
    words.set(change.subarray(0, INDEX_BYTES), 2 * WORD_BYTES - INDEX_BYTES)
    words.set(change.subarray(INDEX_BYTES, -LIMIT_BYTES), 2 * WORD_BYTES)
    words.set(change.subarray(-LIMIT_BYTES), 4 * WORD_BYTES - LIMIT_BYTES)
    hash = keccak_256(words)
  }
  return { accumulator: bytesToHex(hash), count }
}

const WORD_BYTES = 32
const INDEX_BYTES = 4
const LIMIT_BYTES = 2

/**
 * Changes as bytes, 38 each, big-endian: index 4, commitment 32, limit 2.
 * @throws RLN_CHANGES_INVALID for changes that cannot come from the contract.
 */
export function encodeChanges(changes: readonly MembershipChange[]): Uint8Array {
  const bytes = new Uint8Array(changes.length * CHANGE_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [i, change] of changes.entries()) {
    assertPossible(change, i)
    const { index, commitment, limit } = change
    const at = i * CHANGE_BYTES
    view.setUint32(at, index)
    bytes.set(bigIntToBytes(commitment, WORD_BYTES), at + INDEX_BYTES)
    view.setUint16(at + INDEX_BYTES + WORD_BYTES, limit)
  }
  return bytes
}

/** @throws RLN_CHANGES_INVALID for bytes that cannot come from the contract. */
export function decodeChanges(bytes: Uint8Array): MembershipChange[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length % CHANGE_BYTES !== 0) throw new PostriderError('RLN_CHANGES_INVALID')
  return Array.from({ length: bytes.length / CHANGE_BYTES }, (_, i) => {
    const at = i * CHANGE_BYTES
    const commitmentAt = at + INDEX_BYTES
    const change = {
      index: view.getUint32(at),
      commitment: bytesToBigInt(bytes.subarray(commitmentAt, commitmentAt + WORD_BYTES)),
      limit: view.getUint16(commitmentAt + WORD_BYTES),
    }
    assertPossible(change, i)
    return change
  })
}

function assertPossible({ index, commitment, limit }: MembershipChange, position: number): void {
  const fits = isBelow(index, TREE_CAPACITY) && isBelow(limit, MAX_MESSAGE_LIMIT + 1)
  if (fits && isFieldElement(commitment) && (commitment === 0n) === (limit === 0)) return
  throw new PostriderError('RLN_CHANGES_INVALID', { data: { position } })
}

const isBelow = (value: number, end: number): boolean => Number.isInteger(value) && value >= 0 && value < end

/** The leaf that a change puts into the tree: Poseidon(commitment, limit), or 0 when it erases. */
export function leafOfChange(change: MembershipChange): bigint {
  return change.commitment === 0n ? 0n : rateCommitment(change.commitment, change.limit)
}

/** The leaves of many changes, hashed in bulk; throws as `leafOfChange`. */
export function leavesOfChanges(changes: readonly MembershipChange[]): { index: number; leaf: bigint }[] {
  const members = changes.filter(({ commitment }) => commitment !== 0n)
  const pairs = new Uint8Array(2 * PACKED_BYTES * members.length)
  for (const [i, { commitment, limit }] of members.entries()) {
    assertMember(commitment, limit)
    pack(commitment, pairs, 2 * i)
    pack(BigInt(limit), pairs, 2 * i + 1)
  }
  const hashes = new Uint8Array(PACKED_BYTES * members.length)
  poseidonPairs(pairs, hashes)
  let next = 0
  return changes.map(({ index, commitment }) => ({
    index,
    leaf: commitment === 0n ? 0n : unpack(hashes, next++),
  }))
}
