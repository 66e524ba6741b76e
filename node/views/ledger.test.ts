import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLedgerList } from './ledger.ts'
import { ACCOUNT, createModelChain, OTHER, settledEvent, slashedEvent } from './testing/model-chain.ts'

const CHANNEL = `0x${'0a'.repeat(32)}` as const

describe('ledger', () => {
  it('lists what the chain confirmed, with the balance after each', async () => {
    const { chain, apply } = createModelChain()
    const list = createLedgerList({ chain } as never)
    apply(settledEvent({ block: 3, log: 2 }, { channelId: CHANNEL, amount: 1_000n, burnt: 10n }))
    apply(slashedEvent({ block: 2 }, { commitment: 7n, reward: 500n }))
    apply(settledEvent({ block: 11 }, { channelId: CHANNEL, amount: 5n, burnt: 0n }))
    const { items, nextCursor } = await list({ limit: 10 })
    expect(items.map(({ kind, amount, balance }) => [kind, amount, balance])).toEqual([
      ['slash-reward', 500n, 500n],
      ['redeemed', 1_000n, 1_500n],
      ['burnt', 10n, 1_490n],
      ['redeemed', 5n, 1_495n],
    ])
    expect(items[1]).toMatchObject({ at: 36_000, channelId: CHANNEL, block: 3n })
    expect(items[0]).toMatchObject({ channelId: null })
    expect(nextCursor).toBeNull()
  })

  it('leaves out rewards that were paid to another account', async () => {
    const { chain, apply } = createModelChain()
    apply(slashedEvent({ block: 1 }, { commitment: 7n, reward: 500n, receiver: OTHER }))
    apply(
      slashedEvent({ block: 2 }, { commitment: 8n, reward: 1n, receiver: ACCOUNT.toLowerCase() as never }),
    )
    const { items } = await createLedgerList({ chain } as never)({ limit: 10 })
    expect(items.map(({ amount }) => amount)).toEqual([1n])
  })

  it('has pages that join to the whole, and entries that stay when more are added', () => {
    const movement = fc.record({ amount: fc.bigInt(1n, 10n ** 24n), burntPercent: fc.bigInt(0n, 5n) })
    return fc.assert(
      fc.asyncProperty(
        fc.array(movement, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (claims, limit) => {
          const { chain, apply } = createModelChain()
          const list = createLedgerList({ chain } as never)
          const read = async () => {
            const all = []
            let cursor: string | undefined
            do {
              const page = await list({ limit, ...(cursor ? { cursor } : {}) })
              all.push(...page.items)
              cursor = page.nextCursor ?? undefined
            } while (cursor)
            return all
          }
          let expected = 0n
          for (const [at, { amount, burntPercent }] of claims.entries()) {
            const before = await read()
            const burnt = (amount * burntPercent) / 100n
            expected += amount - burnt
            // Two claims in one transaction, and blocks whose numbers differ in length.
            const place = { block: 5 + (at >> 1) * 7, log: at & 1 }
            apply(settledEvent(place, { channelId: CHANNEL, amount, burnt }))
            const after = await read()
            expect(after.slice(0, before.length)).toEqual(before)
            expect(after.at(-1)?.balance).toBe(expected)
          }
        },
      ),
      { numRuns: 30 },
    )
  })
})
