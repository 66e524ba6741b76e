import type { Address, Hex } from '@postrider/protocol/wire'
import { wordOf } from '../chain/movements.ts'
import type { BlockRef, ChannelState, Movement } from '../chain/types.ts'

type Told = Pick<Movement, 'kind' | 'amount' | 'channelId' | 'operator' | 'commitment'>

/** Blocks with movements of one wallet's money, as a chain would serve them. */
export function createFakeHistory(nowMs: () => number) {
  const blocks: Movement[][] = []
  const ref = (number: number): BlockRef => ({
    number: BigInt(number),
    hash: wordOf(BigInt(number)),
    atMs: nowMs(),
  })
  return {
    head: () => ref(blocks.length),
    block: (number: bigint) => (number <= blocks.length ? ref(Number(number)) : undefined),
    movements: (from: bigint, to: bigint) => blocks.slice(Number(from) - 1, Number(to)).flat(),
    /** Mines one block; numbers start at 1. */
    mine(told: readonly Told[]) {
      const block = BigInt(blocks.length + 1)
      const place = { block, blockHash: wordOf(block), transaction: wordOf(block), log: 0 }
      blocks.push(told.map((movement, part) => ({ ...place, part, ...movement })))
    },
    /** What a channel's events say between two states. */
    between(channelId: Hex, operator: Address, before: ChannelState, after: ChannelState): Told[] {
      const at = { channelId, operator }
      const found: [boolean, Told][] = [
        [after.deposit > before.deposit, { kind: 'topUp', amount: after.deposit - before.deposit, ...at }],
        [after.settled > before.settled, { kind: 'settled', amount: after.settled - before.settled, ...at }],
        [
          after.status === 'closing' && before.status !== 'closing',
          { kind: 'closeRequested', amount: 0n, ...at },
        ],
        [
          after.status === 'closed' && before.status !== 'closed',
          { kind: 'withdrawn', amount: after.deposit - after.settled, ...at },
        ],
      ]
      return found.flatMap(([happened, told]) => (happened ? [told] : []))
    },
  }
}
