import { describe, expect, it } from 'vitest'
import { createSettlements } from './settlements.ts'
import type { ChainEvent } from './types.ts'

const CHANNEL = `0x${'0a'.repeat(32)}` as const
const TIP = { number: 9, hash: `0x${'00'.repeat(32)}` as const, timestamp: 900 }

function event(blockNumber: number, name: string, args: ChainEvent['args']): ChainEvent {
  const hash = `0x${String(blockNumber).padStart(64, '0')}` as const
  const place = { blockNumber, logIndex: 3, blockHash: hash, timestamp: blockNumber * 100, txHash: hash }
  return { ...place, contract: 'paymentChannels', name, args }
}

const settled = (block: number, amount: bigint, burnt: bigint) =>
  event(block, 'Settled', { channelId: CHANNEL, amount: `${amount}`, burnt: `${burnt}`, settled: '0' })

describe('settlements', () => {
  it('keeps every honoured claim in order, and another array after each change', () => {
    const { view, projection } = createSettlements()
    const before = view.all()
    projection.apply([event(1, 'ChannelOpened', {}), settled(2, 100n, 1n)], TIP)
    projection.apply([settled(4, 50n, 0n)], TIP)
    expect(view.all()).toMatchObject([
      { channelId: CHANNEL, amount: 100n, burnt: 1n, blockNumber: 2, logIndex: 3, timestamp: 200 },
      { amount: 50n, burnt: 0n, blockNumber: 4 },
    ])
    expect(view.all()).not.toBe(before)
    const same = view.all()
    projection.apply([event(5, 'CloseRequested', {})], TIP)
    expect(view.all()).toBe(same)
  })

  it('starts over when blocks were undone', () => {
    const { view, projection } = createSettlements()
    projection.apply([settled(2, 100n, 1n), settled(4, 50n, 0n)], TIP)
    projection.reset([settled(2, 100n, 1n)], TIP)
    expect(view.all().map(({ amount }) => amount)).toEqual([100n])
  })
})
