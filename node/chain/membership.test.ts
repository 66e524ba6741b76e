import { accumulate, decodeChanges, EMPTY_ACCUMULATOR, type MembershipChange } from '@postrider/protocol/rln'
import { describe, expect, it } from 'vitest'
import { createMembership } from './membership.ts'
import type { ChainEvent } from './types.ts'

const tip = { number: 1, hash: '0x01', timestamp: 12 } as const

function eventOf(change: MembershipChange, accumulator: string): ChainEvent {
  const args = { ...change, commitment: String(change.commitment), accumulator }
  return {
    ...{ blockNumber: 1, logIndex: change.index, blockHash: '0x01', timestamp: 12, txHash: '0x02' },
    contract: 'rlnMembership',
    name: 'MembershipChanged',
    args,
  }
}

describe('changes of members', () => {
  it('that the contract cannot emit are a contradiction of the endpoint', () => {
    const { projection } = createMembership()
    for (const impossible of [
      { index: 0, commitment: 5n, limit: 0 },
      { index: 2 ** 20, commitment: 5n, limit: 1 },
      { index: 0, commitment: 5n, limit: 70_000 },
    ]) {
      expect(() => projection.check?.([eventOf(impossible, EMPTY_ACCUMULATOR)])).toThrow(
        expect.objectContaining({ code: 'CHAIN_LOGS_INCONSISTENT' }),
      )
    }
  })

  it('can be read in pages, in order, from any one on', () => {
    const { projection, view } = createMembership()
    expect(view.changes.head()).toEqual({ count: 0, block: undefined })
    const changes = Array.from({ length: 100 }, (_, index) => ({
      index,
      commitment: BigInt(index + 1),
      limit: 3,
    }))
    let accumulator = EMPTY_ACCUMULATOR
    const events = changes.map((change) => {
      accumulator = accumulate(accumulator, change)
      return eventOf(change, accumulator)
    })
    projection.apply(events, tip)
    const { head, read } = view.changes
    expect(head()).toEqual({ count: 100, block: 1 })
    expect([...decodeChanges(read(0, 70)), ...decodeChanges(read(70, 70))]).toEqual(changes)
    expect([read(100, 1).length, read(1_000, 1).length, read(5, 0).length]).toEqual([0, 0, 0])
    projection.reset(events.slice(0, 4), tip)
    expect(decodeChanges(view.changes.read(0, 100))).toEqual(changes.slice(0, 4))
  })
})
