import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Hex } from '@postrider/protocol/wire'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Metrics } from '../../core/metrics.ts'
import { CHANNELS_PER_READ, DEFAULT_WATCH_GRACE_SECONDS, MAX_BATCH_CLAIMS } from '../constants.ts'
import type { Claim, VoucherRedeemer } from '../types.ts'

/** A channel as the contract has it in its newest block. */
export type WatchedChannel = {
  status: 'none' | 'open' | 'closing' | 'closed'
  settled: bigint
  /** Unix seconds; 0 unless closing. */
  closeAt: number
}

export type WatchtowerComponents = {
  /** The newest claims that the node handed over. */
  claims(): Promise<readonly Claim[]>
  /** Reads channels from the contract, with the time of its newest block, Unix seconds: the chain's clock decides. */
  channels(ids: readonly Hex[]): Promise<{ timestamp: number; channels: readonly WatchedChannel[] }>
  redeemer: Pick<VoucherRedeemer, 'settleMany'>
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type WatchtowerOptions = {
  /** Between two looks, ms: well below the contract's thaw. */
  intervalMs: number
  /** How long the node has to settle by itself before the tower does, seconds; never more than half of what is left. */
  graceSeconds?: number
  /** Settles open channels too, at once: for a node that will not come back. */
  all?: boolean
}

/** What one look found and did. */
export type Watch = { guarded: number; closing: number; settled: number }

/** Settles the newest vouchers of channels whose payer is leaving while the node does not answer for itself. */
export type Watchtower = {
  start(): Promise<void>
  stop(): Promise<void>
  /** Looks now. @throws what reading claims or the chain throws */
  check(): Promise<Watch>
}

/** A closing that was seen, and until when the node itself may act on it, in the chain's time. */
type Seen = { closeAt: number; dueAt: number }

export function createWatchtower(components: WatchtowerComponents, options: WatchtowerOptions): Watchtower {
  const { claims, channels, redeemer, clock, logger, metrics } = components
  const { intervalMs, graceSeconds = DEFAULT_WATCH_GRACE_SECONDS, all: everything = false } = options
  const seen = new Map<Hex, Seen>()
  const attempts = new Map<string, number>()
  const stopping = new AbortController()
  let timer: Timer | undefined
  let known: readonly Claim[] = []
  const settlements = metrics.counter('watchtower_claims_total', {
    help: 'Claims by what became of them',
    labels: ['result'],
  })

  // A file that cannot be read now is no reason to forget what was guarded.
  const newest = async (): Promise<readonly Claim[]> => {
    try {
      known = await claims()
    } catch (error) {
      if (known.length === 0) throw error
      report(error)
    }
    return known
  }

  const report = (err: unknown) => {
    if (isPostriderError(err)) metrics.error(err.code)
    logger.error({ err }, 'watchtower cannot look, trying again')
  }

  const isDue = (id: Hex, closeAt: number, now: number): boolean => {
    let entry = seen.get(id)
    if (entry?.closeAt !== closeAt) {
      entry = { closeAt, dueAt: now + Math.min(graceSeconds, Math.floor((closeAt - now) / 2)) }
      seen.set(id, entry)
    }
    return now >= entry.dueAt
  }

  /** The claims that must be settled now, the one whose time runs out first in front. */
  const due = async (all: readonly Claim[]): Promise<{ closing: number; claims: Claim[] }> => {
    const found: { claim: Claim; closeAt: number }[] = []
    let closing = 0
    for (let at = 0; at < all.length; at += CHANNELS_PER_READ) {
      const page = all.slice(at, at + CHANNELS_PER_READ)
      const { timestamp, channels: states } = await channels(page.map(({ channelId }) => channelId))
      for (const [index, claim] of page.entries()) {
        const state = states[index]
        if (state?.status !== 'closing') {
          seen.delete(claim.channelId)
          const lives = everything && state?.status === 'open' && totalOf(claim) > state.settled
          if (lives) found.push({ claim, closeAt: Number.POSITIVE_INFINITY })
          continue
        }
        closing++
        if (totalOf(claim) > state.settled && isDue(claim.channelId, state.closeAt, timestamp)) {
          found.push({ claim, closeAt: state.closeAt })
        }
      }
    }
    found.sort((a, b) => (a.closeAt < b.closeAt ? -1 : a.closeAt > b.closeAt ? 1 : 0))
    return { closing, claims: found.map(({ claim }) => claim) }
  }

  /** One batch, under a key that follows from its claims: a restart asks for the same transaction again. */
  const settle = async (batch: readonly Claim[]): Promise<number> => {
    const name = batch.map((claim) => `${claim.channelId}:${totalOf(claim)}`).join(',')
    const attempt = attempts.get(name) ?? 0
    const result = await redeemer.settleMany(`watchtower/${attempt}/${name}`, batch, stopping.signal)
    attempts.set(name, attempt + 1)
    if (result.status === 'reverted') {
      settlements.inc({ result: 'reverted' }, batch.length)
      logger.error({ reason: result.reason, claims: batch.length }, 'settlement reverted, trying again')
      return 0
    }
    let settled = 0
    for (const [channelId, outcome] of result.results) {
      settlements.inc({ result: outcome.status })
      if (outcome.status === 'settled') settled++
      logger.warn({ channelId, ...outcome, txHash: result.txHash }, 'claim of an absent node handed in')
    }
    return settled
  }

  const check = async (): Promise<Watch> => {
    const all = await newest()
    const { closing, claims: dueNow } = await due(all)
    let settled = 0
    for (let at = 0; at < dueNow.length; at += MAX_BATCH_CLAIMS) {
      settled += await settle(dueNow.slice(at, at + MAX_BATCH_CLAIMS))
    }
    return { guarded: all.length, closing, settled }
  }

  const look = async (): Promise<void> => {
    try {
      await check()
    } catch (error) {
      if (!stopping.signal.aborted) report(error)
    }
  }

  return {
    check,
    async start() {
      await look()
      timer = clock.every(intervalMs, look)
    },
    async stop() {
      timer?.stop()
      stopping.abort(new PostriderError('CORE_ABORTED'))
    },
  }
}

function totalOf({ cumulative, tickCount, tickValue }: Claim): bigint {
  return cumulative + BigInt(tickCount) * tickValue
}
