import {
  type ChannelEffect,
  type ChannelEvent,
  type ChannelLife,
  channelReducer,
  NO_CHANNEL,
} from '@postrider/protocol/payment'
import type { Hex } from '@postrider/protocol/wire'
import type { Clock } from '../../core/clock.ts'
import { recordPaid } from '../account.ts'
import { CLAIM_RETRY_MS, MAX_CLAIM_RETRY_MS, SETTLE_GRACE_MS } from '../constants.ts'
import type { AccountRecord } from '../types.ts'
import type { Candidate } from './plan.ts'

/** All amounts in base units. */
export type Figures = {
  /** Paid by vouchers and ticks since the node exists: redeemed + pending + lost. */
  earned: bigint
  /** Charged for served requests. */
  spent: bigint
  /** Charged and not paid yet, by clients that have not closed: what the node has at risk. */
  unpaid: bigint
  /** Claimed on chain, the burnt share included. */
  redeemed: bigint
  /** Earned and not claimed yet; the one figure of what is outstanding. */
  pending: bigint
  /** Earned and not claimed before the channel closed. */
  lost: bigint
  channels: { open: number; closing: number; closed: number }
}

/** What every channel owes, as the durable accounts and the chain say. */
export type Positions = {
  /** Takes a durable account; returns what follows from it. */
  update(record: AccountRecord): ChannelEffect[]
  /** What a claim of this channel would add now; 0 when there is nothing or it is closed. */
  owed(channelId: Hex): bigint
  /** What is pending, by channel; the amounts add up to the pending figure. */
  pending(): Iterable<PendingClaim>
  /** Whether a claim was honoured that the view of the chain does not show yet. */
  isAhead(channelId: Hex): boolean
  /** Whether the payer is leaving. */
  isUrgent(channelId: Hex): boolean
  /** Channels with something to claim, without those that are left alone for now. */
  candidates(): Candidate[]
  /** Channels that have not ended, whatever they owe, without those that are left alone for now. */
  living(): Candidate[]
  /** A claim was honoured up to `total`; the view of the chain will say so too. */
  noteSettled(channelId: Hex, total: bigint): void
  /** A claim was not honoured or not approved: leave it for a while, longer each time. */
  notePaused(channelId: Hex): void
  /** Whether the channel is left alone for now: tried too recently, or its deposit does not cover what was paid. */
  isPaused(channelId: Hex): boolean
  figures(): Figures
}

/** What one channel has paid and the chain does not show as claimed. */
export type PendingClaim = {
  channelId: Hex
  /** What a claim would add now. */
  owed: bigint
  /** Claimed already; the view of the chain has not shown it yet. */
  claimed: bigint
}

type Position = { life: ChannelLife; spent: bigint }

export function createPositions(clock: Clock): Positions {
  const positions = new Map<Hex, Position>()
  const settled = new Map<Hex, { total: bigint; untilMs: number }>()
  const failed = new Map<Hex, { times: number; untilMs: number }>()

  const owed = (channelId: Hex): bigint => {
    const life = positions.get(channelId)?.life
    if (!life || life.status === 'closed') return 0n
    const ahead = settled.get(channelId)
    const known =
      ahead && ahead.untilMs > clock.nowMs() && ahead.total > life.settled ? ahead.total : life.settled
    return life.earned > known ? life.earned - known : 0n
  }

  const outstandingOf = ({ earned, settled: claimed }: ChannelLife): bigint =>
    earned > claimed ? earned - claimed : 0n

  // The contract pays all of a claim or nothing; a reorganisation may have taken the top-up that covers it.
  const isCovered = (channelId: Hex) => {
    const life = positions.get(channelId)?.life
    return life !== undefined && life.earned <= life.deposit
  }

  const isPaused = (channelId: Hex) =>
    (failed.get(channelId)?.untilMs ?? 0) > clock.nowMs() || !isCovered(channelId)

  const living = (): Candidate[] => {
    const found: Candidate[] = []
    for (const [channelId, { life }] of positions) {
      if (life.status !== 'open' && life.status !== 'closing') continue
      if (isPaused(channelId)) continue
      found.push({ channelId, owed: owed(channelId), urgent: life.status === 'closing' })
    }
    return found
  }

  return {
    owed,
    isPaused,
    isAhead(channelId) {
      const life = positions.get(channelId)?.life
      return life !== undefined && life.status !== 'closed' && outstandingOf(life) > owed(channelId)
    },
    isUrgent: (channelId) => positions.get(channelId)?.life.status === 'closing',
    *pending() {
      for (const [channelId, { life }] of positions) {
        if (life.status === 'closed') continue
        const owing = owed(channelId)
        const claimed = outstandingOf(life) - owing
        if (owing > 0n || claimed > 0n) yield { channelId, owed: owing, claimed }
      }
    },
    update(record) {
      const { channelId, spent } = record
      const known = positions.get(channelId)
      let life = known?.life ?? NO_CHANNEL
      const effects: ChannelEffect[] = []
      for (const event of eventsOf(record, life)) {
        const step = channelReducer(life, event)
        life = step.state
        effects.push(...step.effects)
      }
      positions.set(channelId, { life, spent })
      if (life.settled >= (settled.get(channelId)?.total ?? 0n)) settled.delete(channelId)
      return known ? effects : effects.filter(({ type }) => type !== 'lost')
    },
    candidates: () => living().filter((candidate) => candidate.owed > 0n),
    living,
    noteSettled(channelId, total) {
      failed.delete(channelId)
      settled.set(channelId, { total, untilMs: clock.nowMs() + SETTLE_GRACE_MS })
    },
    notePaused(channelId) {
      const times = (failed.get(channelId)?.times ?? 0) + 1
      const pauseMs = Math.min(CLAIM_RETRY_MS * 2 ** (times - 1), MAX_CLAIM_RETRY_MS)
      failed.set(channelId, { times, untilMs: clock.nowMs() + pauseMs })
    },
    figures() {
      const sum: Figures = {
        earned: 0n,
        spent: 0n,
        unpaid: 0n,
        redeemed: 0n,
        pending: 0n,
        lost: 0n,
        channels: { open: 0, closing: 0, closed: 0 },
      }
      for (const { life, spent } of positions.values()) {
        const outstanding = outstandingOf(life)
        sum.earned += life.settled + outstanding
        sum.spent += spent
        if (life.status !== 'closed' && spent > life.earned) sum.unpaid += spent - life.earned
        sum.redeemed += life.settled
        if (life.status === 'closed') sum.lost += outstanding
        else sum.pending += outstanding
        if (life.status !== 'none') sum.channels[life.status]++
      }
      return sum
    },
  }
}

/** The events of the channel's life that lead to what the record says. */
function* eventsOf(record: AccountRecord, life: ChannelLife): Generator<ChannelEvent> {
  const { status, deposit, settled } = record
  const closeAt = BigInt(record.closeAt)
  const total = recordPaid(record)
  const changed =
    life.status !== status || life.deposit !== deposit || life.settled !== settled || life.closeAt !== closeAt
  // Read while it still lives and its deposit covers what was paid, so that this is known before the closing, or a
  // reorganisation that took a top-up, is judged.
  const living = status === 'closed' ? (life.status === 'none' ? 'open' : life.status) : status
  const covering = total > deposit ? total : deposit
  if (changed) yield { type: 'read', channel: { status: living, deposit: covering, settled, closeAt } }
  if (total > life.earned) yield { type: 'earned', total }
  if (changed && covering > deposit)
    yield { type: 'read', channel: { status: living, deposit, settled, closeAt } }
  if (status === 'closed' && life.status !== 'closed') yield { type: 'closed' }
}
