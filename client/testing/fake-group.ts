import { accumulate, EMPTY_ACCUMULATOR, type MembershipChange } from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import type { ChainReader } from '../chain/types.ts'

type Block = { changes: MembershipChange[]; accumulator: Hex; nextIndex: number }

/** A member list in blocks, as a chain would serve it; blocks can be taken back and events held back. */
export function createFakeGroup() {
  let blocks: Block[] = []
  let hide: (change: MembershipChange) => boolean = () => false
  const head = () => blocks.at(-1) ?? { changes: [], accumulator: EMPTY_ACCUMULATOR, nextIndex: 0 }
  const reader: Pick<ChainReader, 'membershipHead' | 'membershipChanges'> = {
    async membershipHead(depth) {
      const at = Math.max(0, blocks.length - depth)
      const { accumulator, nextIndex } = blocks[at - 1] ?? { accumulator: EMPTY_ACCUMULATOR, nextIndex: 0 }
      return { block: BigInt(at), accumulator, nextIndex }
    },
    async membershipChanges(from, to) {
      const range = blocks.slice(Number(from) - 1, Number(to))
      return range.flatMap(({ changes }) => changes).filter((change) => !hide(change))
    },
  }
  return {
    reader,
    /** Mines one block; commitment 0 erases. Block numbers start at 1. */
    mine(...changes: MembershipChange[]) {
      const accumulator = changes.reduce(accumulate, head().accumulator)
      const added = changes.filter(({ commitment }) => commitment !== 0n).length
      blocks.push({ changes, accumulator, nextIndex: head().nextIndex + added })
    },
    /** Takes the newest blocks back. */
    reorganise(count: number) {
      blocks = blocks.slice(0, -count)
    },
    /** Leaves events out of every answer. */
    hideChanges(predicate: (change: MembershipChange) => boolean) {
      hide = predicate
    },
  }
}
