import { PostriderError } from '@postrider/protocol/errors'
import { describe, expect, it } from 'vitest'
import { admitVoucher } from '../admission.ts'
import { createAccountBook } from '../book.ts'
import {
  CLAIM_RETRY_MS,
  LEDGER_PAGE,
  MAX_BATCH_CLAIMS,
  MAX_OPEN_BATCHES,
  OUTCOME_RETRY_MS,
  SETTLE_GRACE_MS,
} from '../constants.ts'
import {
  createComponents,
  createEscrow,
  createPayer,
  createRedeemer,
  settleAll,
  VOUCHER_RULES,
} from '../testing/kit.ts'
import { hex32 } from '../testing/ledger-suite.ts'
import { createMemoryLedger, createMemoryStorage } from '../testing/memory-ledger.ts'
import type { BatchResult, Ledger, RedemptionRecord, RedemptionState } from '../types.ts'
import { createRedemptionDaemon, type RedemptionEvent, type RedemptionOptions } from './daemon.ts'

const INTERVAL_MS = 60_000

/** One process of a node; what is given in `world` outlives it. */
function createWorld() {
  const escrow = createEscrow()
  return { storage: createMemoryStorage(), escrow, redeemer: createRedeemer(escrow), started: 0 }
}
type World = ReturnType<typeof createWorld>

async function setup(
  options: Partial<RedemptionOptions> = {},
  world: World = createWorld(),
  wrap: (ledger: Ledger) => Partial<Ledger> = () => ({}),
) {
  const memory = createMemoryLedger(world.storage)
  const { escrow, redeemer } = world
  const components = { ...createComponents({ ...memory, ...wrap(memory) }), escrow }
  components.clock.set(components.clock.nowMs() + 1_000 * ++world.started)
  const book = createAccountBook(components, { unpaidLimit: 0n, freeRequests: 0 })
  const events: RedemptionEvent[] = []
  const daemon = createRedemptionDaemon(
    { ...components, book, redeemer, onEvent: (event) => events.push(event) },
    { mode: 'auto', intervalMs: INTERVAL_MS, ...options },
  )
  const pay = async (
    name: string,
    cumulative: bigint,
    ticks?: { chain: string; value: bigint; index: number },
  ) => {
    const payer = createPayer(name)
    if (!escrow.channel(payer.channelId)) escrow.open(payer, 1_000_000n)
    await book.hold(payer.channelId, payer.descriptor)
    const voucher = payer.voucher(cumulative, ticks)
    await book.apply(payer.channelId, (state, record) => admitVoucher(VOUCHER_RULES, voucher, state, record))
    if (ticks)
      await book.apply(payer.channelId, () => ({ type: 'tick', tick: payer.tick(ticks.chain, ticks.index) }))
    return payer.channelId
  }
  const idle = () => components.clock.advance(0)
  const records = () => [...world.storage.redemptions.values()]
  return { ...components, ...world, world, book, daemon, events, pay, idle, records }
}

describe('redemption in mode auto', () => {
  it('sends what is worth its gas with newest voucher and ticks, and counts it', async () => {
    const { daemon, redeemer, pay, idle, records, storage } = await setup()
    redeemer.cost = 10n
    await daemon.start()
    const alice = await pay('alice', 500n, { chain: 'c', value: 7n, index: 3 })
    await pay('bob', 99n)
    expect(daemon.figures()).toMatchObject({ earned: 620n, pending: 620n, redeemed: 0n })
    await daemon.check()
    await idle()
    const [claims] = [...redeemer.sent.values()]
    expect(claims).toMatchObject([
      {
        channelId: alice,
        cumulative: 500n,
        tickValue: 7n,
        tickCount: 3,
        tickPreimage: expect.stringMatching(/^0x/),
      },
    ])
    expect(records()).toMatchObject([
      { state: 'done', items: [{ channelId: alice, total: 521n, amount: 521n, status: 'settled' }] },
    ])
    expect(daemon.figures()).toMatchObject({ earned: 620n, pending: 99n, redeemed: 521n, lost: 0n })
    expect(storage.accounts.get(alice)?.settled).toBe(521n)
    await daemon.check()
    await idle()
    expect(redeemer.sent.size).toBe(1)
  })

  it('looks from time to time, and only while the view of the chain is fresh', async () => {
    const { daemon, clock, escrow, redeemer, pay } = await setup()
    await daemon.start()
    await clock.advance(1)
    await pay('alice', 500n)
    escrow.fresh = false
    await clock.advance(INTERVAL_MS)
    expect(redeemer.sent.size).toBe(0)
    escrow.fresh = true
    await clock.advance(INTERVAL_MS)
    expect(redeemer.sent.size).toBe(1)
    await daemon.stop()
  })

  it('cuts many claims into batches, the most valuable first', async () => {
    const { daemon, redeemer, pay, idle } = await setup()
    await daemon.start()
    await idle()
    for (let at = 1; at <= MAX_BATCH_CLAIMS + 20; at++) await pay(`payer ${at}`, BigInt(100 + at))
    await daemon.check()
    await idle()
    const sizes = [...redeemer.sent.values()].map((claims) => claims.length)
    expect(sizes).toEqual([MAX_BATCH_CLAIMS, 20])
    expect([...redeemer.sent.values()][0]?.[0]?.cumulative).toBe(BigInt(100 + MAX_BATCH_CLAIMS + 20))
    expect(daemon.figures().pending).toBe(0n)
  })

  it('sends at once when the payer asks to close, below the threshold too', async () => {
    const { daemon, escrow, redeemer, pay, idle } = await setup()
    redeemer.cost = 10n
    await daemon.start()
    await idle()
    const alice = await pay('alice', 11n)
    await daemon.check()
    expect(redeemer.sent.size).toBe(0)
    expect(daemon.held(alice)).toBe('belowThreshold')
    escrow.set(alice, { status: 'closing', closeAt: 2_000_000_000 })
    await idle()
    await idle()
    expect(redeemer.sent.size).toBe(1)
    expect(daemon.figures()).toMatchObject({ pending: 0n, redeemed: 11n })
  })

  it('sends what is urgent while as many batches as may be are stuck', async () => {
    const { daemon, escrow, redeemer, pay, idle } = await setup({ maxBatchClaims: 1 })
    const asked: string[] = []
    redeemer.settleMany = (_, [claim]) => {
      asked.push(claim!.channelId)
      return new Promise(() => {})
    }
    await daemon.start()
    await idle()
    const payers: string[] = []
    for (let at = 0; at < MAX_OPEN_BATCHES; at++) payers.push(await pay(`payer ${at}`, BigInt(900 - at)))
    await daemon.check()
    const [late, leaving] = [await pay('late', 500n), await pay('leaving', 400n)]
    await daemon.check()
    expect(asked).toEqual(payers)
    escrow.set(leaving, { status: 'closing', closeAt: 2_000_000_000 })
    await idle()
    await daemon.check()
    expect(asked).toEqual([...payers, leaving])
    expect(asked).not.toContain(late)
    await daemon.stop()
  })

  it('does not send money after a claim that costs more than it brings', async () => {
    const { daemon, escrow, redeemer, pay, idle, events } = await setup()
    redeemer.cost = 10n
    await daemon.start()
    const alice = await pay('alice', 9n)
    escrow.set(alice, { status: 'closing' })
    await idle()
    escrow.set(alice, { status: 'closed' })
    await idle()
    expect(redeemer.sent.size).toBe(0)
    expect(daemon.figures()).toMatchObject({ earned: 9n, pending: 0n, lost: 9n })
    expect(events).toContainEqual({ type: 'lost', channelId: alice, amount: 9n })
  })

  it('treats a reverted batch as a failure and tries again later under a new id', async () => {
    const { daemon, escrow, redeemer, pay, idle, clock, records } = await setup()
    redeemer.respond = () => ({ status: 'reverted', txHash: hex32('tx'), reason: 'OutOfGas' })
    await daemon.start()
    const alice = await pay('alice', 500n)
    await daemon.check()
    await idle()
    expect(records()).toMatchObject([{ state: 'failed', reason: 'OutOfGas', items: [{ status: 'failed' }] }])
    expect(daemon.figures()).toMatchObject({ pending: 500n, redeemed: 0n })
    expect(daemon.held(alice)).toBe('retryLater')
    redeemer.respond = (key, claims) => settleAll(escrow, key, claims)
    await daemon.check()
    expect(redeemer.sent.size).toBe(1)
    await clock.advance(CLAIM_RETRY_MS)
    await daemon.check()
    await idle()
    expect(records().map(({ state }) => state)).toEqual(['failed', 'done'])
    expect(daemon.figures()).toMatchObject({ pending: 0n, redeemed: 500n })
  })

  it('reports single claims that the contract left out, and pays no attention to them for a while', async () => {
    const { daemon, escrow, redeemer, pay, idle, records, clock } = await setup()
    const skipped = createPayer('alice').channelId
    redeemer.respond = (key, claims) => {
      const result = settleAll(
        escrow,
        key,
        claims.filter(({ channelId }) => channelId !== skipped),
      )
      if (result.status !== 'mined') return result
      return {
        ...result,
        results: new Map([...result.results, [skipped, { status: 'skipped', reason: 'TickMismatch' }]]),
      }
    }
    await daemon.start()
    await idle()
    await pay('alice', 500n)
    await pay('bob', 400n)
    await daemon.check()
    await idle()
    expect(records()[0]?.items.map(({ status, reason }) => [status, reason])).toEqual(
      expect.arrayContaining([
        ['skipped', 'TickMismatch'],
        ['settled', undefined],
      ]),
    )
    expect(daemon.figures()).toMatchObject({ pending: 500n, redeemed: 400n })
    // Each failure doubles the pause, so that a claim that never works does not burn gas for ever.
    for (const factor of [1, 2, 4]) {
      const before = redeemer.sent.size
      await clock.advance(CLAIM_RETRY_MS * factor - 1)
      await daemon.check()
      expect(redeemer.sent.size).toBe(before)
      await clock.advance(1)
      await daemon.check()
      await idle()
      expect(redeemer.sent.size).toBe(before + 1)
    }
  })

  it('does not claim again what the view of the chain does not show yet, but believes it in the end', async () => {
    const { daemon, redeemer, pay, idle, clock } = await setup()
    redeemer.respond = (key, claims): BatchResult => ({
      status: 'mined',
      txHash: hex32(key),
      results: new Map(
        claims.map(({ channelId, cumulative }) => [
          channelId,
          { status: 'settled', settled: cumulative, amount: cumulative },
        ]),
      ),
    })
    await daemon.start()
    await pay('alice', 500n)
    await daemon.check()
    await idle()
    await daemon.check()
    await idle()
    expect(redeemer.sent.size).toBe(1)
    await clock.advance(SETTLE_GRACE_MS)
    await daemon.check()
    await idle()
    expect(redeemer.sent.size).toBe(2)
  })

  it('asks again under the same id while the outcome is unknown', async () => {
    const { daemon, escrow, redeemer, pay, idle, clock, records } = await setup()
    const keys: string[] = []
    redeemer.respond = (key, claims) => {
      keys.push(key)
      if (keys.length < 3) throw new PostriderError('CHAIN_UNREACHABLE')
      return settleAll(escrow, key, claims)
    }
    await daemon.start()
    await pay('alice', 500n)
    await daemon.check()
    await clock.advance(2 * OUTCOME_RETRY_MS)
    await idle()
    expect(new Set(keys).size).toBe(1)
    expect(keys).toHaveLength(3)
    expect(records()).toMatchObject([{ state: 'done' }])
  })
})

describe('redemption under the operator’s eye', () => {
  it('oversight: proposes, sends what is approved, drops what is rejected', async () => {
    const { daemon, redeemer, pay, idle, records, clock } = await setup({ mode: 'oversight' })
    await daemon.start()
    await idle()
    const alice = await pay('alice', 500n)
    await daemon.check()
    await daemon.check()
    expect(redeemer.sent.size).toBe(0)
    expect(records()).toMatchObject([{ state: 'proposed', items: [{ channelId: alice, total: 500n }] }])
    expect(daemon.held(alice)).toBe('proposed')
    await pay('alice', 600n)
    const [approved, again] = await Promise.allSettled([
      daemon.approve(records()[0]!.id),
      daemon.approve(records()[0]!.id),
    ])
    expect(approved).toMatchObject({
      status: 'fulfilled',
      value: { state: 'approved', items: [{ total: 600n }] },
    })
    expect(again).toMatchObject({ status: 'rejected', reason: { code: 'PAYMENT_REDEMPTION_UNKNOWN' } })
    await idle()
    expect(records()).toMatchObject([{ state: 'done', items: [{ amount: 600n }] }])

    const bob = await pay('bob', 400n)
    await daemon.check()
    await daemon.reject(records()[1]!.id, 'not today')
    expect(records()[1]).toMatchObject({ state: 'rejected', reason: 'not today' })
    await daemon.check()
    expect(records()).toHaveLength(2)
    expect(daemon.held(bob)).toBe('retryLater')
    await clock.advance(CLAIM_RETRY_MS)
    await daemon.check()
    expect(records()[2]).toMatchObject({ state: 'proposed' })
  })

  it('oversight: what would be lost goes without approval, out of its proposal too', async () => {
    const { daemon, escrow, redeemer, pay, idle, records } = await setup({ mode: 'oversight' })
    await daemon.start()
    await idle()
    const [alice, bob] = [await pay('alice', 500n), await pay('bob', 400n)]
    await daemon.check()
    escrow.set(alice, { status: 'closing' })
    await idle()
    await idle()
    expect([...redeemer.sent.values()].map((claims) => claims.map(({ channelId }) => channelId))).toEqual([
      [alice],
    ])
    expect(records()[0]).toMatchObject({ state: 'proposed', items: [{ channelId: bob }] })
    escrow.set(bob, { status: 'closing' })
    await idle()
    await idle()
    expect(records()[0]).toMatchObject({ state: 'rejected' })
    expect(daemon.figures().pending).toBe(0n)
  })

  it('manual: sends only when told, below the threshold only by force', async () => {
    const { daemon, escrow, redeemer, pay, idle, records } = await setup({ mode: 'manual' })
    const mined = Promise.withResolvers<void>()
    redeemer.respond = async (key, claims) => {
      await mined.promise
      return settleAll(escrow, key, claims)
    }
    redeemer.cost = 10n
    await daemon.start()
    const alice = await pay('alice', 500n)
    const bob = await pay('bob', 50n)
    await daemon.check()
    expect(redeemer.sent.size).toBe(0)
    expect([daemon.held(alice), daemon.held(bob)]).toEqual(['manual', 'belowThreshold'])
    expect(daemon.redeemable()).toBe(500n)
    expect(await daemon.preview({})).toMatchObject({ items: [{ channelId: alice, amount: 500n }] })
    expect(records()).toEqual([])
    expect(await daemon.redeem({ channels: [bob] })).toBeUndefined()
    expect(await daemon.redeem({})).toMatchObject({ state: 'approved', items: [{ channelId: alice }] })
    expect(daemon.held(alice)).toBe('inFlight')
    expect(await daemon.redeem({ channels: [bob], force: true })).toMatchObject({
      items: [{ channelId: bob }],
    })
    mined.resolve()
    await idle()
    expect(daemon.figures()).toMatchObject({ pending: 0n, redeemed: 550n })
    expect(await daemon.redeem({ force: true })).toBeUndefined()
  })

  it('of a leaving operator ends channels: what is worth its gas, or every one of them', async () => {
    const { daemon, redeemer, escrow, pay, idle, records } = await setup({ mode: 'manual' })
    redeemer.cost = 10n
    await daemon.start()
    const [rich, poor] = [await pay('rich', 500n), await pay('poor', 5n)]
    const bob = createPayer('bob')
    escrow.open(bob, 1_000n)
    const settledBefore = await pay('bob', 400n)
    await daemon.redeem({ channels: [settledBefore] })
    await idle()
    expect(await daemon.preview({ close: true })).toMatchObject({
      closes: true,
      items: [{ channelId: rich }],
    })
    await daemon.redeem({ close: true })
    await idle()
    expect(escrow.channel(rich)).toMatchObject({ status: 'closed', settled: 500n })
    expect(escrow.channel(poor)).toMatchObject({ status: 'open' })
    await daemon.redeem({ close: true, force: true })
    await idle()
    expect(escrow.channel(poor)).toMatchObject({ status: 'closed', settled: 5n })
    expect(escrow.channel(settledBefore)).toMatchObject({ status: 'closed', settled: 400n })
    expect(await daemon.redeem({ close: true, force: true })).toBeUndefined()
    expect(records().map(({ closes }) => closes)).toEqual([undefined, true, true])
    expect(redeemer.closed.size).toBe(2)
    expect(daemon.figures()).toMatchObject({ earned: 905n, redeemed: 905n, pending: 0n, lost: 0n })
  })

  it('takes no payment while it ends a channel, after a crash too, and takes them again if that fails', async () => {
    const world = createWorld()
    const sent = Promise.withResolvers<BatchResult>()
    world.redeemer.closeMany = () => sent.promise
    const first = await setup({ mode: 'manual' }, world)
    await first.daemon.start()
    const alice = await first.pay('alice', 500n)
    await first.daemon.redeem({ close: true })
    const closing = { code: 'PAYMENT_CHANNEL_CLOSING' }
    await expect(first.pay('alice', 600n)).rejects.toMatchObject(closing)
    await expect(first.pay('bob', 1n)).resolves.toBeDefined()

    const second = await setup({ mode: 'manual' }, world)
    await second.daemon.start()
    await expect(second.pay('alice', 600n)).rejects.toMatchObject(closing)
    sent.resolve({ status: 'reverted', reason: 'Unlucky' })
    await second.idle()
    expect(second.records()).toMatchObject([{ state: 'failed' }])
    await second.pay('alice', 600n)
    expect(world.storage.accounts.get(alice)).toMatchObject({ status: 'open', cumulative: 600n })
  })

  it('takes payments again if a closing could not be recorded', async () => {
    const full = new PostriderError('PAYMENT_LEDGER_UNAVAILABLE')
    const { daemon, pay } = await setup({ mode: 'manual' }, createWorld(), () => ({
      saveRedemption: () => Promise.reject(full),
    }))
    await daemon.start()
    await pay('alice', 500n)
    await expect(daemon.redeem({ close: true })).rejects.toBe(full)
    await expect(pay('alice', 600n)).resolves.toBeDefined()
  })

  it('never takes one channel into two batches, however many ask at once', async () => {
    const { daemon, redeemer, pay, idle } = await setup()
    await daemon.start()
    await pay('alice', 500n)
    await Promise.all([daemon.check(), daemon.redeem({}), daemon.redeem({ force: true }), daemon.check()])
    await idle()
    expect(redeemer.sent.size).toBe(1)
  })
})

describe('redemption over restarts', () => {
  it('takes up a batch that was recorded and perhaps sent, and pays it once', async () => {
    const world = createWorld()
    const first = await setup({}, world)
    world.redeemer.respond = () => new Promise(() => {}) // sent, and the process dies before it hears
    await first.daemon.start()
    await first.pay('alice', 500n)
    await first.daemon.check()
    await first.idle()
    expect(first.records()).toMatchObject([{ state: 'approved' }])

    const keys: string[] = []
    world.redeemer.respond = (key, claims) => {
      keys.push(key)
      return settleAll(world.escrow, key, claims)
    }
    const second = await setup({}, world)
    await second.daemon.start()
    await second.idle()
    expect(keys).toEqual([first.records()[0]!.id])
    expect(second.records()).toMatchObject([{ state: 'done', items: [{ amount: 500n }] }])
    expect(second.daemon.figures()).toMatchObject({ earned: 500n, redeemed: 500n, pending: 0n })
  })

  it('hears of a batch that was mined before its end was recorded, without sending again', async () => {
    const world = createWorld()
    const dying = { dead: false }
    const first = await setup({}, world, (ledger) => ({
      async saveRedemption(redemption) {
        if (dying.dead) return new Promise(() => {})
        await ledger.saveRedemption(redemption)
        dying.dead = true
      },
    }))
    await first.daemon.start()
    await first.pay('alice', 500n)
    await first.daemon.check()
    await first.idle()
    expect(world.redeemer.sent.size).toBe(1)
    expect(first.records()).toMatchObject([{ state: 'approved' }])

    const second = await setup({}, world)
    await second.daemon.start()
    await second.idle()
    expect(world.redeemer.sent.size).toBe(1)
    expect(second.records()).toMatchObject([{ state: 'done', items: [{ status: 'settled', amount: 500n }] }])
    expect(second.daemon.figures()).toMatchObject({ redeemed: 500n, pending: 0n })
  })

  it('sends nothing when it cannot record it', async () => {
    const { daemon, redeemer, pay, idle } = await setup({}, createWorld(), () => ({
      saveRedemption: () => Promise.reject(new PostriderError('PAYMENT_LEDGER_UNAVAILABLE')),
    }))
    await daemon.start()
    await pay('alice', 500n)
    await daemon.check()
    await idle()
    expect(redeemer.sent.size).toBe(0)
    expect(daemon.figures().pending).toBe(500n)
  })

  it('finds channels that changed while the node was down, and proposals that waited', async () => {
    const world = createWorld()
    const first = await setup({ mode: 'oversight' }, world)
    await first.daemon.start()
    const [alice, bob] = [await first.pay('alice', 500n), await first.pay('bob', 400n)]
    await first.daemon.check()
    await first.daemon.stop()
    world.escrow.set(alice, { status: 'closed', settled: 500n })
    world.escrow.set(bob, { deposit: 2_000_000n })

    const second = await setup({ mode: 'oversight' }, world)
    await second.daemon.start()
    await second.idle()
    expect(second.daemon.figures()).toMatchObject({ earned: 900n, redeemed: 500n, pending: 400n, lost: 0n })
    expect(world.storage.accounts.get(bob)?.deposit).toBe(2_000_000n)
    await second.daemon.approve(second.records()[0]!.id)
    await second.idle()
    expect(second.daemon.figures().pending).toBe(0n)
  })

  it('takes up all that was open, however many proposals wait', async () => {
    const world = createWorld()
    const redemption = (id: string, state: RedemptionState, channel: string): RedemptionRecord => ({
      id,
      state,
      items: [{ channelId: hex32(channel), total: 1n, amount: 1n, status: 'open', reason: undefined }],
      txHash: undefined,
      reason: undefined,
      createdMs: 0,
      updatedMs: 0,
    })
    world.storage.redemptions.set('r0', redemption('r0', 'approved', 'oldest'))
    for (let at = 1; at <= LEDGER_PAGE; at++) {
      const id = `r${String(at).padStart(14, '0')}`
      world.storage.redemptions.set(id, redemption(id, 'proposed', id))
    }
    const { daemon, redeemer, idle } = await setup({ mode: 'oversight' }, world)
    await daemon.start()
    await idle()
    expect([...redeemer.sent.keys()]).toEqual(['r0'])
  })

  it('ends channels after a crash as it was told to, not by settling alone', async () => {
    const world = createWorld()
    let recorded = false
    const first = await setup({ mode: 'manual' }, world, (ledger) => ({
      account: (id) => (recorded ? new Promise(() => {}) : ledger.account(id)),
      async saveRedemption(record) {
        await ledger.saveRedemption(record)
        recorded = true
      },
    }))
    world.redeemer.closeMany = () => new Promise(() => {})
    await first.daemon.start()
    const alice = await first.pay('alice', 500n)
    await first.daemon.redeem({ close: true })
    expect(first.records()).toMatchObject([{ state: 'approved', closes: true }])

    world.redeemer.closeMany = createRedeemer(world.escrow).closeMany
    const second = await setup({ mode: 'manual' }, world)
    await second.daemon.start()
    await second.idle()
    expect(second.records()).toMatchObject([{ state: 'done', items: [{ amount: 500n }] }])
    expect(world.storage.accounts.get(alice)).toMatchObject({ status: 'closed', settled: 500n })
    expect(second.daemon.figures()).toMatchObject({ redeemed: 500n, pending: 0n, lost: 0n })
  })

  it('stops while a transaction is under way, and forgets nothing', async () => {
    const world = createWorld()
    const first = await setup({}, world)
    world.redeemer.respond = () => new Promise(() => {})
    await first.daemon.start()
    await first.pay('alice', 500n)
    await first.daemon.check()
    await first.daemon.stop()
    expect(first.records()).toMatchObject([{ state: 'approved' }])
  })
})
