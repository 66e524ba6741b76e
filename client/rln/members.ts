import {
  createMembershipTree,
  EMPTY_ACCUMULATOR,
  encodeChanges,
  foldChanges,
  leavesOfChanges,
  type MembershipChange,
  type MembershipTree,
  type MerklePath,
} from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import { MAX_KNOWN_ROOTS, ROOT_HISTORY } from './constants.ts'
import { decodeMembers, encodeMembers } from './members-record.ts'

/** The member list, its tree and its running hash; a fold over the contract's changes. */
export interface Members {
  /** The running hash over the changes so far. */
  accumulator(): Hex
  /** How many changes there were. */
  changes(): number
  root(): bigint
  /** True for a root that the tree had, as far back as it is remembered. */
  isKnownRoot(root: bigint): boolean
  /** Position and limit of a member that is in the group. */
  find(commitment: bigint): { index: number; limit: number } | undefined
  path(index: number): MerklePath
  /** Takes changes and remembers the roots between the newest ones. */
  apply(changes: readonly MembershipChange[]): void
  /** Takes changes at once: each inner node is hashed once, and no root between them is remembered. */
  absorb(changes: readonly MembershipChange[]): void
  /** How many members are in the group. */
  size(): number
  /** Bytes from which `restoreMembers` makes the same list without hashing; `block` is the newest block in it. */
  save(block: bigint): Uint8Array
}

/** A member by its position; undefined where one was erased. */
export type Entry = { commitment: bigint; limit: number } | undefined

export type MembersState = {
  accumulator: Hex
  changes: number
  entries: Entry[]
  /** Known ones, oldest first. */
  roots: readonly bigint[]
  tree: MembershipTree
}

/** The running hash after some more changes: costs no tree, so that a list is checked before it is built. */
export function foldAccumulator(accumulator: Hex, changes: readonly MembershipChange[]): Hex {
  return foldChanges(accumulator, encodeChanges(changes)).accumulator
}

/** The empty list. */
export function createMembers(): Members {
  const tree = createMembershipTree()
  return membersOf({ accumulator: EMPTY_ACCUMULATOR, changes: 0, entries: [], roots: [], tree })
}

/**
 * The list in the bytes and its newest block.
 *
 * @throws PostriderError `CLIENT_STORAGE_CORRUPT`
 */
export function restoreMembers(bytes: Uint8Array): { members: Members; block: bigint } {
  const { block, ...state } = decodeMembers(bytes)
  return { members: membersOf(state), block }
}

function membersOf({ tree, entries, roots, ...start }: MembersState): Members {
  const indexes = new Map<bigint, number>()
  const known = new Set(roots)
  let { accumulator, changes: count } = start
  for (const [index, entry] of entries.entries()) if (entry) indexes.set(entry.commitment, index)

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
  const absorb = (changes: readonly MembershipChange[]) => {
    accumulator = foldAccumulator(accumulator, changes)
    count += changes.length
    for (const change of changes) assign(change)
    tree.setMany(leavesOfChanges(changes))
    remember()
  }

  return {
    accumulator: () => accumulator,
    changes: () => count,
    root: () => tree.root(),
    isKnownRoot: (root) => known.has(root),
    find(commitment) {
      const index = indexes.get(commitment)
      const entry = index === undefined ? undefined : entries[index]
      return index === undefined || !entry ? undefined : { index, limit: entry.limit }
    },
    path: (index) => tree.path(index),
    apply(changes) {
      const bulk = Math.max(0, changes.length - ROOT_HISTORY)
      if (bulk > 0) absorb(changes.slice(0, bulk))
      for (const change of changes.slice(bulk)) absorb([change])
    },
    absorb,
    size: () => indexes.size,
    save: (block) => encodeMembers({ block, accumulator, changes: count, entries, roots: [...known], tree }),
  }
}
