import type { Address, Hex } from '@postrider/protocol/wire'
import { wordOf } from '../chain/movements.ts'
import type { BlockRef, ChannelState, Movement } from '../chain/types.ts'

type Told = Pick<Movement, 'kind' | 'amount' | 'channelId' | 'operator' | 'commitment'>

/** Blocks with movements of one wallet's money, as a chain would serve them. */
export function createFakeHistory(nowMs: () => number) {
  let blocks: { hash: Hex; movements: Movement[] }[] = []
  let mined = 0
  const genesis = wordOf(0n)
  const ref = (number: number): BlockRef => ({
    number: BigInt(number),
    hash: blocks[number - 1]?.hash ?? genesis,
    atMs: nowMs(),
  })
  const mine = (told: readonly Told[]) => {
    const hash = wordOf(BigInt(++mined))
    const place = { block: BigInt(blocks.length + 1), blockHash: hash, transaction: hash, log: 0 }
    blocks.push({ hash, movements: told.map((movement, part) => ({ ...place, part, ...movement })) })
  }
  return {
    head: () => ref(blocks.length),
    block: (number: bigint) => (number <= blocks.length ? ref(Number(number)) : undefined),
    movements: (from: bigint, to: bigint) =>
      blocks.slice(Number(from) - 1, Number(to)).flatMap(({ movements }) => movements),
    height: () => blocks.length,
    /** Replaces the blocks above a height by as many empty ones. */
    cut(height: number) {
      const gone = blocks.length - height
      blocks = blocks.slice(0, height)
      for (let at = 0; at < gone; at++) mine([])
    },
    /** Mines one block; numbers start at 1. */
    mine,
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
