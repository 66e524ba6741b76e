import type { Hex } from '@postrider/protocol/wire'
import { expect, it } from 'vitest'
import { createChannels } from './channels.ts'
import type { ChainEvent } from './types.ts'

const word = (value: number, bytes = 32) => `0x${value.toString(16).padStart(2 * bytes, '0')}` as Hex

function event(channel: number, name: string, args: Record<string, string>): ChainEvent {
  const place = { blockNumber: channel, logIndex: 0, blockHash: word(channel), timestamp: 1, txHash: word(1) }
  return { ...place, contract: 'paymentChannels', name, args: { channelId: word(channel), ...args } }
}
const opened = (channel: number) =>
  event(channel, 'ChannelOpened', {
    payer: word(1, 20),
    payee: word(2, 20),
    signer: word(3, 20),
    salt: word(channel),
    deposit: '5',
  })
const leaving = (channel: number) => event(channel, 'CloseRequested', { closeAt: '9' })

it('tells of a request to close when it is seen and when another branch takes it back, and of no other channel', () => {
  const { view, projection } = createChannels()
  projection.reset([opened(1), opened(2), opened(3)], undefined)
  const all = view.all()
  const told: [Hex, string | undefined][] = []
  view.subscribe((id) => told.push([id, view.channel(id)?.status]))
  const look = (...events: ChainEvent[]) => {
    told.length = 0
    projection.peek?.(events)
    return told
  }
  expect(look()).toEqual([])
  expect(look(leaving(2))).toEqual([[word(2), 'closing']])
  expect(look(leaving(2))).toEqual([])
  expect(look(leaving(3))).toEqual([
    [word(2), 'open'],
    [word(3), 'closing'],
  ])
  expect(look()).toEqual([[word(3), 'open']])
  expect(view.all()).toBe(all)
  // What is not confirmed opens nothing.
  expect(look(opened(4), leaving(4))).toEqual([])
  expect(view.channel(word(4))).toBeUndefined()
})
