import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { channel as schema } from '../api/schemas/payments.ts'
import type { Channel, ChannelState } from '../api/types.ts'
import type { ChannelReport } from '../payments/index.ts'
import { createChannelsView } from './channels.ts'
import { MAX_CHANNELS_SCANNED } from './constants.ts'
import { createModelChain } from './testing/model-chain.ts'
import { createMoney, paidAccount } from './testing/money.ts'

async function setUp(accounts: Parameters<typeof createMoney>[0]) {
  const { chain } = createModelChain()
  const money = await createMoney(accounts)
  await money.payments.start()
  return { ...money, view: createChannelsView({ chain, payments: money.payments } as never) }
}

async function readAll(view: ReturnType<typeof createChannelsView>, limit: number, state?: ChannelState) {
  const channels: Channel[] = []
  let pages = 0
  for (let cursor: string | undefined; ; ) {
    const page = await view.list({ limit, ...(cursor && { cursor }), ...(state && { state }) })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    channels.push(...page.items)
    pages++
    if (page.nextCursor === null) return { channels, pages }
    cursor = page.nextCursor
  }
}

describe('channels', () => {
  it('shows one with what it holds', async () => {
    const account = paidAccount(1, 300n, { ticks: 2, tickValue: 10n, settled: 100n, spent: 310n })
    const { view, payments } = await setUp([account])
    const shown = await view.get(account.channelId)
    expect(shown).toMatchObject({
      state: 'open',
      paid: 320n,
      spent: 310n,
      unredeemed: 220n,
      available: 9_680n,
      ticks: 2,
      redeemable: true,
      held: null,
      withdrawableAt: null,
      lastPaidAt: 1_001,
      asOf: { number: 40n },
    })
    expect(z.encode(schema, shown!)).toMatchObject({ id: account.channelId })
    expect(await view.get(`0x${'99'.repeat(32)}`)).toBeUndefined()
    await payments.stop()
  })

  it('says why one is not redeemed', async () => {
    const small = paidAccount(1, 5n)
    const done = paidAccount(2, 50n, { settled: 50n })
    const gone = paidAccount(3, 50n, { status: 'closed', settled: 10n })
    const leaving = paidAccount(4, 50n, { status: 'closing', closeAt: 1_700_000_900 })
    const { view, payments, redeemer } = await setUp([small, done, gone, leaving])
    redeemer.cost = 10n
    await payments.redemption.check()
    const shown = async ({ channelId }: { channelId: string }) => {
      const { redeemable, held, withdrawableAt } = (await view.get(channelId))!
      return [redeemable, held?.code ?? null, withdrawableAt]
    }
    expect(await shown(small)).toEqual([false, 'PAYMENT_CLAIM_TOO_SMALL', null])
    expect(await shown(done)).toEqual([false, null, null])
    expect(await shown(gone)).toEqual([false, 'PAYMENT_CHANNEL_CLOSED', null])
    expect(await shown(leaving)).toEqual([true, null, 1_700_000_900_000])
    await payments.stop()
  })

  it('pages through all of them, or through those in one state', async () => {
    const states = ['open', 'closing', 'closed'] as const
    const accounts = Array.from({ length: 10 }, (_, at) => paidAccount(at, 1n, { status: states[at % 3]! }))
    const { view, payments } = await setUp(accounts)
    const ids = (of: { channelId: string }[]) => of.map(({ channelId }) => channelId).sort()
    for (const limit of [1, 3, 5, 10, 20]) {
      const { channels } = await readAll(view, limit)
      expect(channels.map(({ id }) => id)).toEqual(ids(accounts))
      const { channels: closing } = await readAll(view, limit, 'closing')
      expect(closing.map(({ id }) => id)).toEqual(ids(accounts.filter(({ status }) => status === 'closing')))
    }
    expect((await readAll(view, 10)).pages).toBe(1)
    expect((await readAll(view, 5)).pages).toBe(2)
    await payments.stop()
  })

  it('looks at a bounded number for one page', async () => {
    const { chain } = createModelChain()
    const idOf = (at: number) => `0x${at.toString(16).padStart(64, '0')}` as const
    let read = 0
    const channels = async ({ after, limit }: { after?: string; limit: number }) => {
      const first = after === undefined ? 0 : Number(BigInt(after)) + 1
      read += limit
      return Array.from({ length: limit }, (_, at) => ({
        ...paidAccount(1, 1n),
        channelId: idOf(first + at),
      })) as ChannelReport[]
    }
    const view = createChannelsView({ chain, payments: { channels, claimThreshold: () => 0n } } as never)
    const page = await view.list({ limit: 10, state: 'closed' })
    expect(page.items).toEqual([])
    expect(page.nextCursor).not.toBeNull()
    expect(read).toBe(MAX_CHANNELS_SCANNED)
  })
})
