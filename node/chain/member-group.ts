import {
  EMPTY_ACCUMULATOR,
  leavesOfChanges,
  type MembershipChange,
  type MembershipTree,
  type MerklePath,
} from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import { createChangeLog } from './change-log.ts'

export type Member = { index: number; limit: number }

/** A change with the contract's running hash after it, and its block. */
export type TimedChange = MembershipChange & { accumulator: Hex; blockNumber: number; timestamp: number }

/** Who is in the group, and the tree over it; changed by folding the contract's changes in order. */
export type MemberGroup = {
  /** Takes newer changes; each inner node above them is hashed once. */
  take(changes: readonly TimedChange[]): void
  /** Becomes the group after exactly these changes; only leaves that differ from before are hashed again. */
  become(changes: readonly TimedChange[]): void
  /** Becomes the group after these changes, with a tree that was built from exactly them: nothing is hashed. */
  adopt(changes: readonly TimedChange[], tree: MembershipTree): void
  root(): bigint
  path(index: number): MerklePath
  tree(): MembershipTree
  member(commitment: bigint): Member | undefined
  accumulator(): Hex
  /** Members now. */
  members(): number
  /** Indexes given out so far. */
  size(): number
  /** Changes so far. */
  changes(): number
  /** Encoded changes from the `from`-th on, at most `limit`. */
  readChanges(from: number, limit: number): Uint8Array
}

export function createMemberGroup(emptyTree: MembershipTree): MemberGroup {
  const log = createChangeLog()
  let tree = emptyTree
  /** By index; an erased one has commitment 0. */
  let slots: MembershipChange[] = []
  let byCommitment = new Map<bigint, Member>()
  let accumulator = EMPTY_ACCUMULATOR

  const put = ({ index, commitment, limit }: MembershipChange): void => {
    const before = slots[index]
    if (before && before.commitment !== 0n) byCommitment.delete(before.commitment)
    if (commitment !== 0n) byCommitment.set(commitment, { index, limit })
    slots[index] = { index, commitment, limit }
  }
  const fold = (changes: readonly TimedChange[]): void => {
    for (const change of changes) put(change)
    log.append(changes)
    accumulator = changes.at(-1)?.accumulator ?? accumulator
  }
  const clear = (): void => {
    slots = []
    byCommitment = new Map()
    accumulator = EMPTY_ACCUMULATOR
    log.clear()
  }

  return {
    take(changes) {
      fold(changes)
      const touched = new Set(changes.map(({ index }) => index))
      tree.setMany(leavesOfChanges([...touched].flatMap((index) => slots[index] ?? [])))
    },
    become(changes) {
      const before = slots
      clear()
      fold(changes)
      const gone = before.slice(slots.length).map(({ index }) => ({ index, commitment: 0n, limit: 0 }))
      const changed = [...slots, ...gone].filter((slot) => !sameSlot(slot, before[slot.index]))
      tree.setMany(leavesOfChanges(changed))
    },
    adopt(changes, built) {
      clear()
      fold(changes)
      tree = built
    },
    root: () => tree.root(),
    path: (index) => tree.path(index),
    tree: () => tree,
    member: (commitment) => byCommitment.get(commitment),
    accumulator: () => accumulator,
    members: () => byCommitment.size,
    size: () => slots.length,
    changes: log.count,
    readChanges: log.read,
  }
}

function sameSlot(slot: MembershipChange, before: MembershipChange | undefined): boolean {
  return slot.commitment === (before?.commitment ?? 0n) && slot.limit === (before?.limit ?? 0)
}
