import { accumulate, EMPTY_ACCUMULATOR } from '@postrider/protocol/rln'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRedemptions } from './redemptions.ts'
import { createRewardsView } from './rewards.ts'
import { chainEvent, createModelChain, known, OPERATOR, slashedEvent } from './testing/model-chain.ts'
import { createMoney, paidAccount } from './testing/money.ts'

const config = { redeem: { mode: 'manual' } } as const

async function setUp(...money: Parameters<typeof createMoney>) {
  const model = createModelChain()
  const { payments, ...rest } = await createMoney(...money)
  await payments.start()
  const redemptions = createRedemptions({ chain: model.chain, payments }, { operator: known(OPERATOR) })
  const open: { commitment: bigint }[] = []
  const evidence = { list: async () => open }
  const parts = { chain: model.chain, evidence, payments, config }
  const view = createRewardsView(parts as never, { operator: known(OPERATOR) }, redemptions)
  return { ...model, ...rest, payments, open, view }
}

describe('rewards', () => {
  it('sums sources, and says what is held and why', async () => {
    const accounts = [
      paidAccount(1, 900n, { settled: 300n }),
      paidAccount(2, 50n),
      paidAccount(3, 40n),
      paidAccount(4, 700n, { status: 'closed', settled: 600n }),
    ]
    const { view, payments, redeemer, apply } = await setUp(accounts)
    apply(slashedEvent({ block: 2 }, { commitment: 7n, reward: 77n }))
    redeemer.cost = 100n
    await payments.redemption.check()
    const { total, sources, mode } = await view.summary()
    expect(mode).toBe('manual')
    expect(sources).toMatchObject([
      {
        source: 'channels',
        earned: 900n + 690n,
        claimed: 900n,
        pending: 690n,
        redeemable: 600n,
        held: [
          {
            amount: 90n,
            items: 2,
            reason: {
              code: 'PAYMENT_CLAIM_TOO_SMALL',
              text: expect.stringMatching(/must be 0\.0{15}1 POST/),
            },
          },
        ],
      },
      { source: 'slashing', earned: 77n, claimed: 77n, pending: 0n, held: [] },
    ])
    expect(sources[0]?.fee).toBeGreaterThan(0n)
    expect(total).toEqual({ earned: 1_667n, claimed: 977n, pending: 690n, redeemable: 600n })
    await payments.stop()
  })

  it('expects of an open case what the contract will pay, unless the member is gone', async () => {
    const { view, payments, open, apply } = await setUp([])
    const change = { index: 0, commitment: 7n, limit: 33 }
    const accumulator = accumulate(EMPTY_ACCUMULATOR, change)
    const args = { index: '0', commitment: '7', limit: '33', accumulator }
    apply(chainEvent({ block: 2 }, 'rlnMembership', 'MembershipChanged', args))
    open.push({ commitment: 7n }, { commitment: 8n })
    // 33 messages cost 330, of which 33 were burnt at registration and half of the rest, rounded up, is now.
    expect((await view.summary()).sources[1]).toMatchObject({
      source: 'slashing',
      earned: 148n,
      claimed: 0n,
      pending: 148n,
      held: [{ amount: 148n, items: 1, reason: { code: 'reveal-pending' } }],
    })
    await payments.stop()
  })

  it('does not know the fee while the chain is away, and knows the rest', async () => {
    const { view, payments, follow } = await setUp([paidAccount(1, 900n)])
    follow({ state: 'away', fresh: false })
    const { sources, asOf } = await view.summary()
    expect(sources[0]).toMatchObject({ fee: null, pending: 900n })
    expect(asOf).toEqual({ number: 40n, at: 480_000 })
    await payments.stop()
  })

  it('has earned = claimed + pending, and pending = redeemable + held, whatever happens', () => {
    const channel = fc.record({
      paid: fc.bigInt(0n, 5_000n),
      settled: fc.bigInt(0n, 5_000n),
      status: fc.constantFrom('open' as const, 'closing' as const, 'closed' as const),
    })
    const modes = fc.constantFrom('auto' as const, 'oversight' as const, 'manual' as const)
    return fc.assert(
      fc.asyncProperty(
        fc.array(channel, { maxLength: 6 }),
        modes,
        fc.bigInt(0n, 2_000n),
        fc.constantFrom('settle' as const, 'ahead' as const, 'revert' as const, 'wait' as const),
        async (channels, mode, cost, answer) => {
          const accounts = channels.map(({ paid, ...change }, at) => paidAccount(at, paid, change))
          const { view, payments, redeemer, clock } = await setUp(accounts, { mode })
          redeemer.cost = cost
          if (answer === 'wait') redeemer.respond = () => Promise.withResolvers<never>().promise
          if (answer === 'revert') redeemer.respond = () => ({ status: 'reverted', reason: 'Paused' })
          // Honoured, but the view of the chain does not show it.
          if (answer === 'ahead') {
            redeemer.respond = (_, claims) => ({
              status: 'mined',
              txHash: '0x01',
              results: new Map(
                claims.map(({ channelId, cumulative }) => [
                  channelId,
                  { status: 'settled', settled: cumulative, amount: cumulative },
                ]),
              ),
            })
          }
          const check = async () => {
            const { total, sources } = await view.summary()
            const figures = payments.figures()
            for (const source of sources) {
              const held = source.held.reduce((sum, { amount }) => sum + amount, 0n)
              expect(source.earned).toBe(source.claimed + source.pending)
              expect(source.pending).toBe(source.redeemable + held)
            }
            expect(total.earned).toBe(figures.redeemed + figures.pending)
            expect(figures.earned).toBe(figures.redeemed + figures.pending + figures.lost)
          }
          await check()
          await payments.redemption.check()
          await check()
          await clock.advance(0)
          await check()
          await payments.redemption.redeem({ force: true }).catch(() => undefined)
          await check()
          await payments.stop()
        },
      ),
      { numRuns: 60 },
    )
  })
})
