import {
  EMPTY_ACCUMULATOR,
  leafOfChange,
  type MembershipChange,
  type MembershipTree,
} from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'

export type Member = { index: number; limit: number }

/** A change with the contract's running hash after it, and its block. */
export type TimedChange = MembershipChange & { accumulator: Hex; blockNumber: number; timestamp: number }

/** Who is in the group, and the tree over it; changed by folding the contract's changes in order. */
export type MemberGroup = {
  readonly tree: MembershipTree
  /** Takes newer changes; each inner node above them is hashed once. */
  take(changes: readonly TimedChange[]): void
  /** Becomes the group after exactly these changes; only leaves that differ from before are hashed again. */
  become(changes: readonly TimedChange[]): void
  member(commitment: bigint): Member | undefined
  accumulator(): Hex
  /** Members now. */
  members(): number
  /** Indexes given out so far. */
  size(): number
}

export function createMemberGroup(tree: MembershipTree): MemberGroup {
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

  const hash = (changed: Iterable<MembershipChange>): void => {
    tree.setMany([...changed].map((change) => ({ index: change.index, leaf: leafOfChange(change) })))
  }

  const fold = (changes: readonly TimedChange[]): void => {
    for (const change of changes) put(change)
    accumulator = changes.at(-1)?.accumulator ?? accumulator
  }

  return {
    tree,
    take(changes) {
      fold(changes)
      const touched = new Set(changes.map(({ index }) => index))
      hash([...touched].flatMap((index) => slots[index] ?? []))
    },
    become(changes) {
      const before = slots
      slots = []
      byCommitment = new Map()
      accumulator = EMPTY_ACCUMULATOR
      fold(changes)
      const gone = before.slice(slots.length).map(({ index }) => ({ index, commitment: 0n, limit: 0 }))
      hash([...slots, ...gone].filter((slot) => !sameSlot(slot, before[slot.index])))
    },
    member: (commitment) => byCommitment.get(commitment),
    accumulator: () => accumulator,
    members: () => byCommitment.size,
    size: () => slots.length,
  }
}

function sameSlot(slot: MembershipChange, before: MembershipChange | undefined): boolean {
  return slot.commitment === (before?.commitment ?? 0n) && slot.limit === (before?.limit ?? 0)
}
