import { PostriderError } from '@postrider/protocol/errors'
import {
  accumulate,
  createMembershipTree,
  EMPTY_ACCUMULATOR,
  leafOfChange,
  type MembershipChange,
  type MerklePath,
} from '@postrider/protocol/rln'
import { bigIntToBytes, bytesToBigInt, bytesToHex, type Hex, hexToBytes } from '@postrider/protocol/wire'
import { MAX_KNOWN_ROOTS, ROOT_HISTORY, SAVED_MEMBER_BYTES } from './constants.ts'

/** The member list, its tree and its running hash; a fold over the contract's changes. */
export interface Members {
  /** The running hash over the changes so far. */
  accumulator(): Hex
  root(): bigint
  /** True for a root that the tree had, as far back as it is remembered. */
  isKnownRoot(root: bigint): boolean
  /** Position and limit of a member that is in the group. */
  find(commitment: bigint): { index: number; limit: number } | undefined
  path(index: number): MerklePath
  apply(changes: readonly MembershipChange[]): void
  /** How many members are in the group. */
  size(): number
  /** Bytes from which `restoreMembers` makes the same list; `block` is the newest block in it. */
  save(block: bigint): Uint8Array
}

/** The running hash after some more changes: costs no tree, so that a list is checked before it is built. */
export function foldAccumulator(accumulator: Hex, changes: readonly MembershipChange[]): Hex {
  return changes.reduce(accumulate, accumulator)
}

/** The empty list, or one with the given leaves by index (an erased or skipped one is undefined). */
export function createMembers(): Members {
  return build(EMPTY_ACCUMULATOR, [], [])
}

type Entry = { commitment: bigint; limit: number }

function build(start: Hex, leaves: readonly (Entry | undefined)[], roots: readonly bigint[]): Members {
  const tree = createMembershipTree()
  const entries: (Entry | undefined)[] = []
  const indexes = new Map<bigint, number>()
  const known = new Set(roots)
  let accumulator = start

  const assign = ({ index, commitment, limit }: MembershipChange) => {
    const previous = entries[index]
    if (previous) indexes.delete(previous.commitment)
    while (entries.length < index) entries.push(undefined)
    entries[index] = commitment === 0n ? undefined : { commitment, limit }
    if (commitment !== 0n) indexes.set(commitment, index)
  }
  const remember = () => {
    const root = tree.root()
    known.delete(root)
    known.add(root)
    const [oldest] = known
    if (known.size > MAX_KNOWN_ROOTS && oldest !== undefined) known.delete(oldest)
  }
  const setLeaves = (changes: readonly MembershipChange[]) => {
    for (const change of changes) assign(change)
    tree.setMany(changes.map((change) => ({ index: change.index, leaf: leafOfChange(change) })))
    remember()
  }
  const initial = leaves.flatMap((entry, index) => (entry ? [{ index, ...entry }] : []))
  if (initial.length > 0) setLeaves(initial)

  return {
    accumulator: () => accumulator,
    root: () => tree.root(),
    isKnownRoot: (root) => known.has(root),
    find(commitment) {
      const index = indexes.get(commitment)
      const entry = index === undefined ? undefined : entries[index]
      return index === undefined || !entry ? undefined : { index, limit: entry.limit }
    },
    path: (index) => tree.path(index),
    apply(changes) {
      accumulator = foldAccumulator(accumulator, changes)
      const bulk = Math.max(0, changes.length - ROOT_HISTORY)
      if (bulk > 0) setLeaves(changes.slice(0, bulk))
      for (const change of changes.slice(bulk)) setLeaves([change])
    },
    size: () => indexes.size,
    save: (block) => encodeMembers({ block, accumulator, entries, roots: [...known] }),
  }
}

type Saved = {
  block: bigint
  accumulator: Hex
  entries: readonly (Entry | undefined)[]
  roots: readonly bigint[]
}

const VERSION = 1
const HEAD_BYTES = 1 + 8 + 32 + 4

// version u8, block u64, accumulator 32, members u32, then each member (commitment 32, limit u16; all zero: none),
// then the known roots, 32 bytes each, oldest first. Big-endian.
function encodeMembers({ block, accumulator, entries, roots }: Saved): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + entries.length * SAVED_MEMBER_BYTES + roots.length * 32)
  bytes[0] = VERSION
  bytes.set(bigIntToBytes(block, 8), 1)
  bytes.set(hexToBytes(accumulator), 9)
  bytes.set(bigIntToBytes(BigInt(entries.length), 4), 41)
  entries.forEach((entry, index) => {
    if (!entry) return
    const at = HEAD_BYTES + index * SAVED_MEMBER_BYTES
    bytes.set(bigIntToBytes(entry.commitment, 32), at)
    bytes.set(bigIntToBytes(BigInt(entry.limit), 2), at + 32)
  })
  const rootsAt = HEAD_BYTES + entries.length * SAVED_MEMBER_BYTES
  roots.forEach((root, at) => {
    bytes.set(bigIntToBytes(root, 32), rootsAt + at * 32)
  })
  return bytes
}

/**
 * The list in the bytes and its newest block.
 *
 * @throws PostriderError `CLIENT_STORAGE_CORRUPT`
 */
export function restoreMembers(bytes: Uint8Array): { members: Members; block: bigint } {
  const count = Number(bytesToBigInt(bytes.subarray(41, 45)))
  const rootsAt = HEAD_BYTES + count * SAVED_MEMBER_BYTES
  const rootBytes = bytes.length - rootsAt
  if (bytes[0] !== VERSION || rootBytes < 0 || rootBytes % 32 !== 0) {
    throw new PostriderError('CLIENT_STORAGE_CORRUPT', { detail: 'the saved member list' })
  }
  const entries = Array.from({ length: count }, (_, index) => {
    const at = HEAD_BYTES + index * SAVED_MEMBER_BYTES
    const commitment = bytesToBigInt(bytes.subarray(at, at + 32))
    const limit = Number(bytesToBigInt(bytes.subarray(at + 32, at + 34)))
    return commitment === 0n ? undefined : { commitment, limit }
  })
  const roots = Array.from({ length: rootBytes / 32 }, (_, at) =>
    bytesToBigInt(bytes.subarray(rootsAt + at * 32, rootsAt + at * 32 + 32)),
  )
  const block = bytesToBigInt(bytes.subarray(1, 9))
  return { members: build(bytesToHex(bytes.subarray(9, 41)), entries, roots), block }
}
