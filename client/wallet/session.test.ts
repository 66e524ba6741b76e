import type { NodePaymentFrame, Terms } from '@postrider/protocol/payment'
import { expect, it } from 'vitest'
import { createEmitter } from '../core/emitter.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { createManualClock, settle } from '../testing/clock.ts'
import { openChannelBook } from './book.ts'
import { createChannelKeys } from './keys.ts'
import { NOTHING_PROMISED } from './promised.ts'
import { createSession } from './session.ts'
import type { ChannelRecord, WalletEvents } from './types.ts'

const HEX = (byte: string) => `0x${byte.repeat(32)}` as const
const ADDRESS = `0x${'22'.repeat(20)}` as const
const PEER = '12D3KooWGMYMmN1RGUYjWaSV6P3XtnBjwnosnJGNMnttfVCRnd6g'
const domain = { chainId: 1, contract: ADDRESS, token: ADDRESS }
const terms: Terms = {
  nonce: HEX('07'),
  ...{ chainId: 1, contract: ADDRESS, payee: ADDRESS },
  prices: { publish: 10n, query: 20n, push: 1n },
  ...{ unpaidLimit: 0n, maxTicks: 64, freeRequests: 0 },
}
const record: ChannelRecord = {
  channelId: HEX('11'),
  operator: ADDRESS,
  number: 0,
  descriptor: { payer: ADDRESS, payee: ADDRESS, signer: ADDRESS, salt: HEX('33') },
  status: 'open',
  ...{ deposit: 100n, settled: 0n, closeAt: 0, known: true, promised: NOTHING_PROMISED, spent: 0n },
}
const account: NodePaymentFrame = {
  type: 'account',
  account: {
    channelId: record.channelId,
    ...{ deposit: 100n, paid: 0n, spent: 0n, cumulative: 0n, tickValue: 0n, ticks: 0 },
    ...{ tickAnchor: HEX('00'), tickPreimage: HEX('00') },
  },
}

it('takes one turn for all that a node asks for while the last one lasts', async () => {
  const book = await openChannelBook(createMemoryStorage())
  await book.add(record)
  const waiting: ((frame: NodePaymentFrame) => void)[] = []
  const topUp = Promise.withResolvers<ChannelRecord>()
  let turns = 0
  const session = createSession(
    {
      stream: {
        terms,
        send: async () => undefined,
        read: () => new Promise((resolve) => waiting.push(resolve)),
        close: async () => undefined,
      },
      channels: { raise: () => topUp.promise, replenish: () => void turns++ },
      book,
      keys: createChannelKeys({ secret: new Uint8Array(32) }),
      clock: createManualClock(),
      events: createEmitter<WalletEvents>(),
      tallies: new Map(),
    },
    { domain, clientPeerId: PEER, nodePeerId: PEER },
  )
  const say = async (frame: NodePaymentFrame) => {
    waiting.shift()?.(frame)
    await settle()
  }
  const bound = session.bind(record)
  await say(account)
  await bound
  const ready = session.ready(1_000n)
  for (let at = 0; at < 50; at++) await say({ type: 'paymentRequired', requestId: '', total: 0n })
  expect(turns).toBe(0)
  topUp.reject(new TypeError('no top-up'))
  await expect(ready).rejects.toThrow('no top-up')
  await settle()
  expect(turns).toBe(1)
})
