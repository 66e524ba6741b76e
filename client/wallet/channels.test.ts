import { expect, it } from 'vitest'
import { createEmitter } from '../core/emitter.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { createManualClock } from '../testing/clock.ts'
import { createFakeChain } from '../testing/fake-chain.ts'
import { TEST_NETWORK, testKeys, testWallet } from '../testing/fake-network.ts'
import { openChannelBook } from './book.ts'
import { createChannels } from './channels.ts'
import { openSpending } from './spending.ts'
import type { WalletEvents } from './types.ts'

const payer = testWallet(1).account.address
const operator = testWallet(2).account.address
const budget = { deposit: 100n, maxDeposit: 10_000n, daily: 10_000n, maxFeePerGas: 1n }

async function setUp(tokens: bigint) {
  const chain = createFakeChain(TEST_NETWORK)
  chain.mint(payer, tokens)
  const clock = createManualClock()
  const storage = createMemoryStorage()
  const writer = chain.writerFor(payer)
  const base = { reader: chain.reader, writer, clock, storage }
  const events = createEmitter<WalletEvents>()
  const heard: string[] = []
  for (const name of ['opened', 'toppedUp', 'empty', 'failed'] as const)
    events.on(name, () => heard.push(name))
  const book = await openChannelBook(storage)
  const spending = await openSpending(base, budget.daily)
  const channels = createChannels(
    { ...base, keys: testKeys(1), book, spending, events },
    { domain: chain.domain, budget },
  )
  const record = await channels.ensure(operator)
  /** As after a payment that leaves too little. */
  const pay = async () => {
    const { channelId, deposit } = book.get(record.channelId)!
    await book.update(channelId, { promised: { cumulative: deposit - 1n, tickValue: 0n, ticks: 0 } })
    channels.replenish(record)
    await channels.idle()
  }
  const topUps = () => chain.calls.filter((call) => call === 'topUp').length
  return { chain, clock, heard, pay, topUps, record, channels, spending }
}

it('tries a top-up that failed again after 2 s, then later each time, and at once after one that did not', async () => {
  const { chain, clock, pay, topUps } = await setUp(10_000n)
  chain.faults.refuse = 'SomeError'
  const triedAt: number[] = []
  for (let second = 0; second < 700; second++) {
    const before = topUps()
    await pay()
    if (topUps() > before) triedAt.push(second)
    await clock.advance(1_000)
  }
  expect(triedAt).toEqual([0, 2, 6, 14, 30, 62, 126, 254, 510])
  chain.faults.refuse = ''
  await clock.advance(300_000)
  const failed = topUps()
  await pay()
  await pay()
  expect(topUps() - failed).toBe(2)
})

it('sends nothing from an empty wallet, and says so once until money moves again', async () => {
  const { chain, clock, heard, pay, topUps } = await setUp(100n)
  for (let at = 0; at < 5; at++) {
    await pay()
    await clock.advance(300_000)
  }
  expect([heard, topUps()]).toEqual([['opened', 'empty'], 0])
  chain.mint(payer, 100n)
  await pay()
  await clock.advance(300_000)
  await pay()
  expect(heard).toEqual(['opened', 'empty', 'toppedUp', 'empty'])
})

it('is topped up once, however many ask together', async () => {
  const { channels, record, topUps, spending } = await setUp(10_000n)
  const raised = await Promise.all([1, 2, 3].map(() => channels.raise(record, 150n)))
  expect(raised.map(({ deposit }) => deposit)).toEqual([200n, 200n, 200n])
  expect([topUps(), await spending.remaining()]).toEqual([1, budget.daily - 200n])
})
