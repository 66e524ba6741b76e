import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Hex } from '@postrider/protocol/wire'
import type { Clock } from '../../core/clock.ts'
import { abortable } from '../../core/deadline.ts'
import type { Logger } from '../../core/logger.ts'
import type { Metrics } from '../../core/metrics.ts'
import { EXTRA_URGENT_BATCHES, MAX_OPEN_BATCHES, OUTCOME_RETRY_MS } from '../constants.ts'
import type { Claim, Ledger, RedemptionRecord, VoucherRedeemer } from '../types.ts'
import { loadClaims, withResult } from './claims.ts'

export type SenderComponents = {
  ledger: Pick<Ledger, 'account' | 'saveRedemption'>
  redeemer: Pick<VoucherRedeemer, 'settleMany' | 'closeMany'>
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** Told of every redemption that was recorded, after it was. */
  onSaved(redemption: RedemptionRecord): void
}

/**
 * Redemptions that are proposed or on their way. Each is on disk before anything is sent, and its transaction
 * carries its id: whatever the moment of a crash, after the restart it is taken up under the same id, which is
 * never sent twice.
 */
export type Sender = {
  /** Keeps a proposal. */
  propose(redemption: RedemptionRecord): Promise<void>
  /** Records a redemption as approved and sends it; resolves once it is recorded. */
  send(redemption: RedemptionRecord): Promise<RedemptionRecord>
  /** Drops a proposal. */
  reject(redemption: RedemptionRecord, reason: string): Promise<RedemptionRecord>
  /** Takes up what an earlier process left. */
  resume(redemptions: readonly RedemptionRecord[]): void
  /** The open redemption with this id. */
  get(id: string): RedemptionRecord | undefined
  /** The open redemption that claims this channel. */
  claiming(channelId: Hex): RedemptionRecord | undefined
  /** True when no more may be on their way; there is room for urgent ones when others must wait. */
  isBusy(urgent?: boolean): boolean
  size(): number
  /** Stops waiting; what was sent stays sent and is taken up by the next process. */
  stop(): Promise<void>
}

export function createSender(components: SenderComponents): Sender {
  const { ledger, redeemer, clock, logger, metrics, onSaved } = components
  const open = new Map<string, RedemptionRecord>()
  const byChannel = new Map<Hex, RedemptionRecord>()
  const sending = new Map<string, Promise<void>>()
  const stopping = new AbortController()

  const keep = (redemption: RedemptionRecord) => {
    forget(redemption.id)
    open.set(redemption.id, redemption)
    for (const { channelId } of redemption.items) byChannel.set(channelId, redemption)
  }

  const forget = (id: string) => {
    for (const { channelId } of open.get(id)?.items ?? []) byChannel.delete(channelId)
    open.delete(id)
  }

  const save = async (redemption: RedemptionRecord): Promise<void> => {
    await ledger.saveRedemption(redemption)
    if (redemption.state === 'proposed' || redemption.state === 'approved') keep(redemption)
    else forget(redemption.id)
    onSaved(redemption)
  }

  const follow = (redemption: RedemptionRecord, claims?: readonly Claim[]) => {
    const ended = settle(redemption, claims).finally(() => sending.delete(redemption.id))
    sending.set(redemption.id, ended)
  }

  /** Sends until the end is known. Claims that are at hand go out at once, so that batches keep their order. */
  const settle = async (redemption: RedemptionRecord, known?: readonly Claim[]): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const claims = known ?? (await loadClaims(ledger, redemption)).claims
        const { signal } = stopping
        const hand = redemption.closes ? redeemer.closeMany : redeemer.settleMany
        const result = await abortable(hand(redemption.id, claims, signal), signal)
        return await save(withResult(redemption, result, clock.nowMs()))
      } catch (err) {
        if (stopping.signal.aborted) return
        if (isPostriderError(err)) metrics.error(err.code)
        logger.warn({ err, redemption: redemption.id }, 'outcome of a redemption unknown, asking again')
        await clock.sleep(OUTCOME_RETRY_MS, stopping.signal).catch(() => undefined)
      }
    }
  }

  return {
    propose: save,
    async send(planned) {
      const approved = { ...planned, state: 'approved' as const, updatedMs: clock.nowMs() }
      const { redemption, claims } = await loadClaims(ledger, approved)
      await save(redemption)
      follow(redemption, claims)
      return redemption
    },
    async reject(redemption, reason) {
      const rejected = { ...redemption, state: 'rejected' as const, reason, updatedMs: clock.nowMs() }
      await save(rejected)
      return rejected
    },
    resume(redemptions) {
      for (const redemption of redemptions) {
        keep(redemption)
        if (redemption.state === 'approved') follow(redemption)
      }
    },
    get: (id) => open.get(id),
    claiming: (channelId) => byChannel.get(channelId),
    isBusy: (urgent = false) => sending.size >= MAX_OPEN_BATCHES + (urgent ? EXTRA_URGENT_BATCHES : 0),
    size: () => open.size,
    async stop() {
      stopping.abort(new PostriderError('CORE_ABORTED'))
      await Promise.all(sending.values())
    },
  }
}
