import type { Hex } from '@postrider/protocol/wire'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { redemption as schema } from '../api/schemas/payments.ts'
import type { Redemption } from '../api/types.ts'
import type { RedeemRequest } from '../payments/index.ts'
import { settleAll } from '../payments/testing/kit.ts'
import { createRedemptions } from './redemptions.ts'
import { createModelChain, known, OPERATOR } from './testing/model-chain.ts'
import { createMoney, paidAccount } from './testing/money.ts'

const TX: Hex = `0x${'0f'.repeat(32)}`

async function setUp(...money: Parameters<typeof createMoney>) {
  const { chain, follow } = createModelChain()
  const { payments, ...rest } = await createMoney(...money)
  await payments.start()
  const redemptions = createRedemptions({ chain, payments }, { operator: known(OPERATOR) })
  const redeem = async (request: RedeemRequest) => {
    const sent = await payments.redemption.redeem(request)
    return redemptions.show(sent!)
  }
  /** What the transaction sender does with a batch. */
  const send = (key: string) =>
    chain.transactions.put({
      key,
      kind: 'settleMany',
      sender: '0x01',
      target: '0x02',
      data: '0x',
      value: 0n,
      nonce: 0,
      gas: 100_000n,
      status: 'sent',
      attempts: [{ hash: TX, raw: '0x', maxFee: 9n, priorityFee: 1n, sentMs: 5 }],
    })
  return { ...rest, chain, follow, payments, redemptions, redeem, send }
}

const request = { force: false }

describe('redeem', () => {
  it('follows a batch from approval to confirmation', async () => {
    const account = paidAccount(1, 500n)
    const { redeem, redemptions, redeemer, escrow, chain, clock, payments, send } = await setUp([account])
    const mined = Promise.withResolvers<void>()
    redeemer.respond = async (key, claims) => {
      await mined.promise
      return settleAll(escrow, key, claims)
    }
    const { id, ...approved } = await redeem(request)
    expect(approved).toMatchObject({ state: 'approved', amount: 500n, transaction: null, block: null })
    await send(id)
    const shown = async () => (await redemptions.list({ limit: 10 })).items[0] as Redemption
    expect(await shown()).toMatchObject({ id, state: 'sent', transaction: TX, reason: null })
    expect((await redemptions.list({ limit: 10, state: 'approved' })).items).toEqual([])
    expect((await redemptions.list({ limit: 10, state: 'sent' })).items).toHaveLength(1)
    await chain.transactions.end(id, {
      status: 'done',
      txHash: TX,
      blockNumber: 41,
      gasUsed: 80_000n,
      gasPrice: 7n,
    })
    mined.resolve()
    await clock.advance(0)
    const confirmed = await shown()
    expect(confirmed).toMatchObject({ state: 'confirmed', fee: 560_000n, block: 41n, reason: null })
    z.encode(schema, confirmed)
    await payments.stop()
  })

  it('claims only the channels that are named', async () => {
    const [alice, bob] = [paidAccount(1, 500n), paidAccount(2, 900n)]
    const { redeem, payments } = await setUp([alice, bob])
    const answer = await redeem({ ...request, channels: [alice.channelId] })
    expect(answer.channels).toEqual([{ id: alice.channelId, amount: 500n }])
    await payments.stop()
  })

  it('tells which claims were refused, and that a reverted batch cost what it cost', async () => {
    const [alice, bob] = [paidAccount(1, 500n), paidAccount(2, 900n)]
    const { redeem, redeemer, redemptions, escrow, clock, payments, send, chain } = await setUp([alice, bob])
    redeemer.respond = (key, claims) => {
      escrow.set(bob.channelId, { status: 'closed' })
      return settleAll(escrow, key, claims)
    }
    await redeem(request)
    await clock.advance(0)
    const [partly] = (await redemptions.list({ limit: 1 })).items
    expect(partly).toMatchObject({
      state: 'confirmed',
      amount: 500n,
      reason: { code: 'CHAIN_REVERTED', text: '1 of 2 claims not honoured: WrongStatus' },
    })

    escrow.set(alice.channelId, { settled: 0n })
    await clock.advance(1)
    redeemer.respond = async (key) => {
      await send(key)
      await chain.transactions.end(key, { status: 'reverted', txHash: TX, gasUsed: 10n, gasPrice: 3n })
      return { status: 'reverted', txHash: TX, reason: 'Paused' }
    }
    await clock.advance(1_000_000)
    await redeem({ ...request, force: true })
    await clock.advance(0)
    const [failed] = (await redemptions.list({ limit: 1 })).items
    expect(failed).toMatchObject({ state: 'failed', fee: 30n, reason: { text: 'Paused' }, transaction: TX })
    await payments.stop()
  })
})

describe('proposals', () => {
  it('are approved or rejected by id', async () => {
    const { redemptions, payments, clock } = await setUp([paidAccount(1, 500n)], {
      mode: 'oversight',
    })
    await payments.redemption.check()
    const [proposed] = (await redemptions.list({ limit: 10, state: 'proposed' })).items
    expect(proposed).toMatchObject({ state: 'proposed', amount: 500n })
    const rejected = await redemptions.show(await payments.redemption.reject(proposed!.id, 'not today'))
    expect(rejected).toMatchObject({
      state: 'rejected',
      fee: 0n,
      reason: { code: 'PAYMENT_REDEMPTION_REJECTED', text: 'not today' },
    })
    await clock.advance(10 * 60_000)
    await payments.redemption.check()
    const [again] = (await redemptions.list({ limit: 10, state: 'proposed' })).items
    await payments.redemption.approve(again!.id)
    expect(await redemptions.get(again!.id)).toMatchObject({ id: again!.id, state: 'confirmed' })
    expect(await redemptions.get('r-unknown')).toBeUndefined()
    await payments.stop()
  })
})

describe('list', () => {
  it('has the newest first, in pages', async () => {
    const { redemptions, payments, clock, ledger } = await setUp([])
    for (let at = 0; at < 5; at++) {
      await ledger.saveRedemption({
        id: `r-${at}`,
        state: at === 3 ? 'done' : 'failed',
        items: [],
        txHash: undefined,
        reason: 'Paused',
        createdMs: clock.nowMs(),
        updatedMs: clock.nowMs(),
      })
    }
    const first = await redemptions.list({ limit: 2 })
    expect(first.items.map(({ id }) => id)).toEqual(['r-4', 'r-3'])
    const second = await redemptions.list({ limit: 3, cursor: first.nextCursor! })
    expect(second.items.map(({ id }) => id)).toEqual(['r-2', 'r-1', 'r-0'])
    expect(second.nextCursor).toBeNull()
    expect((await redemptions.list({ limit: 9, state: 'confirmed' })).items).toHaveLength(1)
    await payments.stop()
  })

  it('does not know a fee while the chain is away', async () => {
    const { redemptions, follow, payments } = await setUp([paidAccount(1, 500n)], { mode: 'oversight' })
    await payments.redemption.check()
    follow({ state: 'away', fresh: false })
    expect((await redemptions.list({ limit: 1 })).items).toMatchObject([{ state: 'proposed', fee: null }])
    await payments.stop()
  })
})
