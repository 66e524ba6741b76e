import { MAX_SLASH_TURNS, SLASH_TURN_WINDOW_BLOCKS } from '@postrider/protocol/rln'
import { describe, expect, it } from 'vitest'
import { createSlashings } from './slashings.ts'
import type { ChainEvent } from './types.ts'

const account = (number: number) => `0x${number.toString(16).padStart(40, '0')}` as const
const hash = (number: number) => `0x${number.toString(16).padStart(64, '0')}` as const
const us = account(0xabc)

const promise = (slasher: `0x${string}`, commitHash: `0x${string}`, blockNumber: number): ChainEvent => ({
  ...{ blockNumber, logIndex: 0, blockHash: hash(blockNumber), timestamp: blockNumber, txHash: hash(1) },
  contract: 'rlnMembership',
  name: 'SlashCommitted',
  args: { slasher, commitHash },
})

/** Our turn after the promises of others at these blocks, when ours is at block 100. */
function turnAfter(others: readonly [slasher: number, block: number][]): number | undefined {
  const { view, projection } = createSlashings()
  const events = others.map(([slasher, block], i) => promise(account(slasher), hash(i), block))
  projection.reset([...events, promise(us, hash(999), 100), promise(account(77), hash(998), 100)], undefined)
  return view.turn(us, hash(999))
}

describe('the turn of a promise', () => {
  it('comes after those who promised before it, each once', () => {
    expect(turnAfter([])).toBe(0)
    expect(
      turnAfter([
        [1, 98],
        [2, 99],
        [1, 100],
      ]),
    ).toBe(2)
  })

  it('does not wait for what is long past, nor for too many', () => {
    expect(
      turnAfter([
        [1, 99 - SLASH_TURN_WINDOW_BLOCKS],
        [2, 100 - SLASH_TURN_WINDOW_BLOCKS],
      ]),
    ).toBe(1)
    const crowd = Array.from({ length: 50 }, (_, i): [number, number] => [i + 1, 99])
    expect(turnAfter(crowd)).toBe(MAX_SLASH_TURNS)
  })

  it('is not known before the promise is', () => {
    const { view } = createSlashings()
    expect(view.turn(us, hash(1))).toBeUndefined()
  })
})
