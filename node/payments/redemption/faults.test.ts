// Any order of payments, looks, crashes, refusals, leaving payers and rewritten blocks: nothing is claimed twice at a time,
// and in the end the contract has paid all that was promised.
import { PostriderError } from '@postrider/protocol/errors'
import type { Hex } from '@postrider/protocol/wire'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createAccountBook } from '../book.ts'
import { MAX_CLAIM_RETRY_MS, SETTLE_GRACE_MS } from '../constants.ts'
import { createComponents, createEscrow, createPayer, createRedeemer, settleAll } from '../testing/kit.ts'
import { createMemoryLedger, createMemoryStorage } from '../testing/memory-ledger.ts'
import type { BatchResult, ChannelView, EscrowView } from '../types.ts'
import { createRedemptionDaemon, type RedemptionMode } from './daemon.ts'

const DEPOSIT = 1_000_000n
const PAYERS = ['alice', 'bob', 'carol'].map((name) => createPayer(name))
const INTERVAL_MS = 60_000

/** What becomes of the transactions that are sent next; unheard: mined, and the process never hears of it. */
const OUTCOMES = ['settled', 'settled', 'reverted', 'refused', 'unheard', 'stuck'] as const

type Step =
  | { do: 'pay'; payer: number; amount: bigint }
  | { do: 'look' | 'crash' | 'decide' }
  | { do: 'outcome'; outcome: (typeof OUTCOMES)[number] }
  | { do: 'leave' | 'rewrite'; payer: number }
  | { do: 'view'; fresh: boolean }
  | { do: 'wait'; ms: number }

const payer = fc.nat(PAYERS.length - 1)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('pay' as const), payer, amount: fc.bigInt({ min: 1n, max: 500n }) }),
    fc.record({ do: fc.constantFrom('look' as const, 'crash' as const, 'decide' as const) }),
    fc.record({ do: fc.constant('outcome' as const), outcome: fc.constantFrom(...OUTCOMES) }),
    fc.record({ do: fc.constantFrom('leave' as const, 'rewrite' as const), payer }),
    fc.record({ do: fc.constant('view' as const), fresh: fc.boolean() }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(INTERVAL_MS, SETTLE_GRACE_MS) }),
  ),
  { maxLength: 25 },
)

/** The contract, the disk and the time, which outlive every process of the node. */
function createWorld() {
  const escrow = createEscrow()
  const world = {
    escrow,
    storage: createMemoryStorage(),
    redeemer: createRedeemer(escrow),
    outcome: 'settled' as (typeof OUTCOMES)[number],
    nowMs: 1_700_000_000_000,
    promised: new Map<Hex, bigint>(),
  }
  const results = new Map<string, BatchResult>()
  const never = () => new Promise<BatchResult>(() => {})
  world.redeemer.settleMany = async (key, claims) => {
    const before = results.get(key)
    if (before) return before
    if (world.outcome === 'refused') throw new PostriderError('CHAIN_UNREACHABLE')
    if (world.outcome === 'stuck') return never()
    const reverted = world.outcome === 'reverted'
    results.set(key, reverted ? { status: 'reverted', reason: 'Refused' } : settleAll(escrow, key, claims))
    return world.outcome === 'unheard' ? never() : (results.get(key) as BatchResult)
  }
  world.redeemer.cost = 0n
  for (const one of PAYERS) escrow.open(one, DEPOSIT)
  return world
}
type World = ReturnType<typeof createWorld>

async function startNode(world: World, mode: RedemptionMode) {
  let alive = true
  const escrow: EscrowView = {
    ...world.escrow,
    isFresh: () => world.escrow.fresh,
    subscribe: (listener) => world.escrow.subscribe((id) => alive && listener(id)),
  }
  const components = { ...createComponents(createMemoryLedger(world.storage)), escrow }
  const { clock } = components
  clock.set(++world.nowMs)
  const book = createAccountBook(components, { unpaidLimit: 0n, freeRequests: 0 })
  const daemon = createRedemptionDaemon(
    { ...components, book, redeemer: world.redeemer, onEvent: () => undefined },
    { mode, intervalMs: INTERVAL_MS },
  )
  await daemon.start()
  for (const one of PAYERS) await book.hold(one.channelId, one.descriptor)
  await clock.advance(0)
  const wait = async (ms: number) => {
    await clock.advance(ms)
    world.nowMs = clock.nowMs()
  }
  const kill = () => {
    alive = false
  }
  return { book, daemon, wait, kill }
}
type TestNode = Awaited<ReturnType<typeof startNode>>

async function take(world: World, node: TestNode, step: Exclude<Step, { do: 'crash' }>): Promise<void> {
  const { escrow } = world
  switch (step.do) {
    case 'pay': {
      const { channelId, voucher } = PAYERS[step.payer]!
      const total = (world.promised.get(channelId) ?? 0n) + step.amount
      world.promised.set(channelId, total)
      await node.book.apply(channelId, () => ({ type: 'voucher', voucher: voucher(total) }))
      return
    }
    case 'look':
      return node.daemon.check()
    case 'decide': {
      const proposed = [...world.storage.redemptions.values()].find(({ state }) => state === 'proposed')
      if (proposed) await node.daemon.approve(proposed.id).catch(() => undefined)
      return
    }
    case 'outcome':
      world.outcome = step.outcome
      return
    case 'leave':
      return escrow.set(PAYERS[step.payer]!.channelId, { status: 'closing', closeAt: 1 })
    case 'rewrite':
      return escrow.set(PAYERS[step.payer]!.channelId, { settled: 0n })
    case 'view':
      escrow.fresh = step.fresh
      return
    case 'wait':
      return node.wait(step.ms)
  }
}

function expectInvariants({ storage }: World, { daemon }: TestNode): void {
  const open = [...storage.redemptions.values()].filter(
    ({ state }) => state === 'proposed' || state === 'approved',
  )
  const claimed = open.flatMap(({ items }) => items.map(({ channelId }) => channelId))
  expect(new Set(claimed).size).toBe(claimed.length)
  const { earned, redeemed, pending, lost } = daemon.figures()
  expect(redeemed + pending + lost).toBe(earned)
  const parts = Object.values(daemon.pendingParts()).reduce((sum, { amount }) => sum + amount, 0n)
  expect(parts).toBe(pending)
}

it.each(['auto', 'oversight'] as const)('in mode %s', async (mode) => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const world = createWorld()
      let node = await startNode(world, mode)
      for (const step of all) {
        if (step.do === 'crash') {
          node.kill()
          node = await startNode(world, mode)
        } else await take(world, node, step)
        await node.wait(0)
        expectInvariants(world, node)
      }
      node.kill()
      world.outcome = 'settled'
      world.escrow.fresh = true
      const last = await startNode(world, 'auto')
      for (const { id, state } of [...world.storage.redemptions.values()]) {
        if (state === 'proposed') await last.daemon.approve(id)
      }
      for (let day = 0; day < 2; day++) {
        await last.wait(SETTLE_GRACE_MS + INTERVAL_MS)
        await last.wait(MAX_CLAIM_RETRY_MS / 24)
      }
      for (const { channelId } of PAYERS) {
        const { settled } = world.escrow.channel(channelId) as ChannelView
        expect(settled).toBe(world.promised.get(channelId) ?? 0n)
      }
      expect(last.daemon.figures()).toMatchObject({ pending: 0n, lost: 0n })
      await last.daemon.stop()
    }),
    { numRuns: 200 },
  )
})
