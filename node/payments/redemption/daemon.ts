import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { bytesToHex, type Hex } from '@postrider/protocol/wire'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Metrics } from '../../core/metrics.ts'
import type { Random } from '../../core/random.ts'
import type { AccountBook } from '../book.ts'
import {
  DEFAULT_GAS_MULTIPLE,
  DEFAULT_REDEMPTION_INTERVAL_MS,
  LEDGER_PAGE,
  MAX_BATCH_CLAIMS,
} from '../constants.ts'
import type { AccountRecord, EscrowView, Ledger, RedemptionRecord, VoucherRedeemer } from '../types.ts'
import { loadClaims, redemptionId } from './claims.ts'
import { createHoldings, type Holdings } from './holdings.ts'
import { type Candidate, planClaims, toBatches } from './plan.ts'
import { createPositions, type Figures, type Positions } from './positions.ts'
import { createSender } from './sender.ts'

/**
 * auto: sends what is worth its gas. oversight: proposes it and waits for approval; only what would be lost
 * because the payer is leaving goes at once. manual: sends nothing by itself, and warns.
 */
export type RedemptionMode = 'auto' | 'oversight' | 'manual'

export type RedemptionOptions = {
  mode: RedemptionMode
  /** A claim must be worth this many times its gas; `DEFAULT_GAS_MULTIPLE` when absent. */
  gasMultiple?: bigint
  /** How often to look, ms; `DEFAULT_REDEMPTION_INTERVAL_MS` when absent. */
  intervalMs?: number
  /** Claims in one transaction; `MAX_BATCH_CLAIMS` when absent, and at most. */
  maxBatchClaims?: number
  /** Least value of a batch that is sent or proposed by itself, base units; 0 when absent. */
  minBatchValue?: bigint
}

export type RedemptionEvent =
  /** A redemption was proposed, approved, rejected, or ended. */
  | { type: 'redemption'; redemption: RedemptionRecord }
  /** A channel closed with money that was not claimed. */
  | { type: 'lost'; channelId: Hex; amount: bigint }

export type RedemptionComponents = {
  ledger: Ledger
  book: Pick<AccountBook, 'subscribe' | 'refresh' | 'refuse' | 'reopen'>
  escrow: Pick<EscrowView, 'isFresh' | 'subscribe'>
  redeemer: VoucherRedeemer
  clock: Clock
  random: Random
  logger: Logger
  metrics: Metrics
  onEvent(event: RedemptionEvent): void
}

export type RedeemRequest = {
  /** Only these channels; all when absent. */
  channels?: readonly Hex[]
  /** Also what is not worth its gas. */
  force?: boolean
  /**
   * Ends the channels with their claims, for an operator who leaves; with `force` those too that owe nothing. From
   * here on their payers are refused (`PAYMENT_CHANNEL_CLOSING`), so that nothing is paid after the last claim.
   */
  close?: boolean
  /** Ends the id of the redemption, so that who asked can find it again: hex digits; random when absent. */
  name?: string
}

/** Turns what clients paid into money on chain. */
export type RedemptionDaemon = Holdings & {
  /** Reads all accounts, takes up what an earlier process left, and begins to look. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Looks now; resolves when what is due is recorded and on its way. */
  check(): Promise<void>
  /** What `redeem` would send; undefined when there is nothing. */
  preview(request: RedeemRequest): Promise<RedemptionRecord | undefined>
  /**
   * Sends the most valuable claims in one batch, in every mode; resolves once it is recorded, not when it is
   * mined. Undefined when there is nothing to claim.
   *
   * @throws PostriderError `PAYMENT_REDEMPTION_BUSY`
   */
  redeem(request: RedeemRequest): Promise<RedemptionRecord | undefined>
  /**
   * Sends a proposed redemption.
   *
   * @throws PostriderError `PAYMENT_REDEMPTION_UNKNOWN`, `PAYMENT_REDEMPTION_BUSY`
   */
  approve(id: string): Promise<RedemptionRecord>
  /**
   * Drops a proposed redemption; its channels are left alone for a while.
   *
   * @throws PostriderError `PAYMENT_REDEMPTION_UNKNOWN`
   */
  reject(id: string, reason: string): Promise<RedemptionRecord>
  figures(): Figures
}

/** Turns what clients paid into money on chain, in batches that are worth their gas. */
export function createRedemptionDaemon(
  components: RedemptionComponents,
  options: RedemptionOptions,
): RedemptionDaemon {
  const { ledger, book, escrow, redeemer, clock, random, logger, metrics, onEvent } = components
  const { mode, gasMultiple = DEFAULT_GAS_MULTIPLE, intervalMs = DEFAULT_REDEMPTION_INTERVAL_MS } = options
  const { maxBatchClaims = MAX_BATCH_CLAIMS, minBatchValue = 0n } = options
  const positions = createPositions(clock)
  const claims = metrics.counter('payment_claims_total', { help: 'Claims by result', labels: ['result'] })
  const sender = createSender({ ledger, redeemer, clock, logger, metrics, onSaved: (one) => onSaved(one) })
  const holdings = createHoldings({
    positions,
    sender,
    manual: mode === 'manual',
    threshold: () => threshold,
  })
  let threshold = 0n
  let stopped = false
  let timer: Timer | undefined
  let unsubscribe: (() => void)[] = []
  let last: Promise<unknown> = Promise.resolve()

  /** One decision at a time, so that no two batches take the same channel. */
  const exclusive = <T>(decide: () => Promise<T>): Promise<T> => {
    const next = last.then(decide)
    last = next.catch(() => undefined)
    return next
  }

  const report = (err: unknown) => {
    if (isPostriderError(err)) metrics.error(err.code)
    logger.warn({ err }, 'redemption failed, trying again later')
  }

  const free = (): Candidate[] =>
    positions.candidates().filter(({ channelId }) => !sender.claiming(channelId))

  const price = (candidates: readonly Candidate[]) =>
    planClaims(candidates, { claimCost: (size) => redeemer.claimCost(size), gasMultiple })

  const draft = async (
    batch: readonly Candidate[],
    { close: closes = false, name = bytesToHex(random.bytes(8)).slice(2) }: RedeemRequest = {},
  ): Promise<RedemptionRecord> => {
    const nowMs = clock.nowMs()
    const open = { status: 'open' as const, reason: undefined }
    const planned = {
      id: redemptionId(nowMs, name),
      state: 'proposed' as const,
      ...(closes && { closes }),
      items: batch.map(({ channelId, owed }) => ({ channelId, total: owed, amount: owed, ...open })),
      txHash: undefined,
      reason: undefined,
      createdMs: nowMs,
      updatedMs: nowMs,
    }
    return (await loadClaims(ledger, planned)).redemption
  }

  const batches = (claims: readonly Candidate[]) =>
    toBatches(claims, { maxClaims: maxBatchClaims, minValue: minBatchValue })

  /** A proposal must not hold back a channel whose payer leaves meanwhile. */
  const releaseUrgent = async (): Promise<void> => {
    for (const { channelId, urgent } of positions.candidates()) {
      const redemption = urgent ? sender.claiming(channelId) : undefined
      if (redemption?.state !== 'proposed') continue
      const items = redemption.items.filter((item) => item.channelId !== channelId)
      if (items.length > 0) await sender.propose({ ...redemption, items, updatedMs: clock.nowMs() })
      else await sender.reject(redemption, 'the payer is leaving: sent without approval')
    }
  }

  const look = async (): Promise<void> => {
    if (stopped || !escrow.isFresh()) return
    await releaseUrgent()
    const plan = await price(free())
    threshold = plan.threshold
    const urgent = plan.worth.filter((claim) => claim.urgent)
    const patient = plan.worth.filter((claim) => !claim.urgent)
    if (mode === 'manual') {
      if (urgent.length > 0) logger.error({ channels: urgent.length }, 'payers are leaving: redeem by hand')
      return
    }
    const due = mode === 'auto' ? [...urgent, ...patient] : urgent
    for (const batch of batches(due)) {
      const hurry = batch.some((claim) => claim.urgent)
      if (!sender.isBusy(hurry)) await sender.send(await draft(batch))
    }
    if (mode === 'oversight') for (const batch of batches(patient)) await sender.propose(await draft(batch))
  }

  const check = (): Promise<void> => exclusive(look).catch(report)

  const choose = async ({ channels, force = false, close = false }: RedeemRequest): Promise<Candidate[]> => {
    const wanted = channels && new Set(channels)
    const all = force && close ? positions.living() : positions.candidates()
    const candidates = all.filter(
      ({ channelId }) => !sender.claiming(channelId) && (!wanted || wanted.has(channelId)),
    )
    const chosen = force ? byValue(candidates) : (await price(candidates)).worth
    return chosen.slice(0, Math.min(maxBatchClaims, MAX_BATCH_CLAIMS))
  }

  const proposed = (id: string): RedemptionRecord => {
    const redemption = sender.get(id)
    if (redemption?.state === 'proposed') return redemption
    throw new PostriderError('PAYMENT_REDEMPTION_UNKNOWN', { data: { id } })
  }

  const refuseBusy = () => {
    if (sender.isBusy()) throw new PostriderError('PAYMENT_REDEMPTION_BUSY')
  }

  /** Payers are refused before the claims are read, so that these are the last ones. */
  const sendClosing = async (
    batch: readonly Candidate[],
    request: RedeemRequest,
  ): Promise<RedemptionRecord> => {
    const channelIds = batch.map(({ channelId }) => channelId)
    try {
      await book.refuse(channelIds)
      return await sender.send(await draft(batch, request))
    } catch (error) {
      book.reopen(channelIds)
      throw error
    }
  }

  /** A channel that did not end goes on. */
  const reopenLiving = ({ items }: RedemptionRecord): void =>
    book.reopen(items.filter(({ status }) => status !== 'settled').map(({ channelId }) => channelId))

  const onSaved = (redemption: RedemptionRecord) => {
    onEvent({ type: 'redemption', redemption })
    if (redemption.state !== 'done' && redemption.state !== 'failed') return
    if (redemption.closes) reopenLiving(redemption)
    for (const { channelId, status, total, reason } of redemption.items) {
      claims.inc({ result: status })
      if (status === 'settled') positions.noteSettled(channelId, total)
      else {
        positions.notePaused(channelId)
        logger.warn({ channelId, status, reason, redemption: redemption.id }, 'claim not honoured')
      }
    }
    void check()
  }

  const onRecord = (record: AccountRecord) => {
    for (const effect of positions.update(record)) {
      if (effect.type === 'redeem') void check()
      if (effect.type !== 'lost') continue
      logger.error(
        { channelId: record.channelId, amount: effect.amount },
        'channel closed, money not claimed',
      )
      onEvent({ type: 'lost', channelId: record.channelId, amount: effect.amount })
    }
  }

  return {
    async start() {
      const living = await readAccounts(ledger, positions)
      const refresh = (channelId: Hex) => book.refresh(channelId).catch(report)
      unsubscribe = [book.subscribe(onRecord), escrow.subscribe(refresh)]
      for (const channelId of living) await refresh(channelId)
      const open = await readOpen(ledger)
      const ending = open.filter(({ closes }) => closes).flatMap(({ items }) => items)
      await book.refuse(ending.map(({ channelId }) => channelId))
      sender.resume(open)
      timer = clock.every(intervalMs, check)
      void check()
    },
    async stop() {
      stopped = true
      timer?.stop()
      for (const end of unsubscribe) end()
      await sender.stop()
      await last
    },
    check,
    async preview(request) {
      const chosen = await choose(request)
      return chosen.length === 0 ? undefined : draft(chosen, request)
    },
    redeem: (request) =>
      exclusive(async () => {
        refuseBusy()
        const chosen = await choose(request)
        if (chosen.length === 0) return undefined
        return request.close ? sendClosing(chosen, request) : sender.send(await draft(chosen, request))
      }),
    approve: (id) =>
      exclusive(async () => {
        const redemption = proposed(id)
        refuseBusy()
        return sender.send(redemption)
      }),
    reject: (id, reason) =>
      exclusive(async () => {
        const rejected = await sender.reject(proposed(id), reason)
        for (const { channelId } of rejected.items) positions.notePaused(channelId)
        return rejected
      }),
    figures: positions.figures,
    ...holdings,
  }
}

/** Reads every account; returns the channels that may have changed while the node was down. */
async function readAccounts(ledger: Pick<Ledger, 'accounts'>, positions: Positions): Promise<Hex[]> {
  const living: Hex[] = []
  for (let after: Hex | undefined; ; ) {
    const page = await ledger.accounts({ limit: LEDGER_PAGE, ...(after ? { after } : {}) })
    for (const record of page) {
      positions.update(record)
      if (record.status !== 'closed') living.push(record.channelId)
    }
    after = page.at(-1)?.channelId
    if (page.length < LEDGER_PAGE) return living
  }
}

/** Every redemption that is proposed or on its way, newest first. */
async function readOpen(ledger: Pick<Ledger, 'redemptions'>): Promise<RedemptionRecord[]> {
  const open: RedemptionRecord[] = []
  for (let before: string | undefined; ; before = open.at(-1)?.id) {
    const states = ['proposed', 'approved'] as const
    const page = await ledger.redemptions({ limit: LEDGER_PAGE, states, ...(before ? { before } : {}) })
    open.push(...page)
    if (page.length < LEDGER_PAGE) return open
  }
}

function byValue(candidates: readonly Candidate[]): Candidate[] {
  return [...candidates].sort((a, b) => (a.owed < b.owed ? 1 : a.owed > b.owed ? -1 : 0))
}
