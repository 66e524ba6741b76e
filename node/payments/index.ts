/**
 * Money off chain: the payment stream, the accounts behind it, the gate that charges requests, and the
 * redemption of vouchers. Wire form: docs/protocol/payment.md.
 *
 * @module
 */
import type { Libp2p } from '@libp2p/interface'
import { isPostriderError } from '@postrider/protocol/errors'
import type { PaymentDomain } from '@postrider/protocol/payment'
import type { Hex } from '@postrider/protocol/wire'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Random } from '../core/random.ts'
import { recordPaid } from './account.ts'
import { createAccountBook } from './book.ts'
import {
  CHARGE_PRUNE_INTERVAL_MS,
  CHARGE_RETENTION_MS,
  DEFAULT_FREE_EPOCH_SECONDS,
  DEFAULT_FREE_REQUESTS,
  DEFAULT_UNPAID_REQUESTS,
} from './constants.ts'
import { createFreeAllowance } from './free.ts'
import { type Counts, createGate, type PaymentGate } from './gate.ts'
import { createRecoverSigner } from './recover-signer.ts'
import {
  createRedemptionDaemon,
  type RedemptionDaemon,
  type RedemptionEvent,
  type RedemptionOptions,
} from './redemption/daemon.ts'
import type { HeldReason, PendingParts } from './redemption/holdings.ts'
import type { Figures } from './redemption/positions.ts'
import { createPaymentServer } from './server.ts'
import type { AccountRecord, EscrowView, Ledger, Prices, VoucherRedeemer } from './types.ts'
import { createClaimsWriter } from './watchtower/claims-writer.ts'

export type { Charge, ChargeResult, PaymentGate } from './gate.ts'
export { createPrismaLedger } from './ledger/prisma.ts'
export { createRecoverSigner } from './recover-signer.ts'
export type { RedeemRequest, RedemptionMode, RedemptionOptions } from './redemption/daemon.ts'
export type { HeldReason, PendingPart, PendingParts } from './redemption/holdings.ts'
export type { Figures } from './redemption/positions.ts'
export type {
  AccountRecord,
  BatchResult,
  ChannelView,
  Claim,
  ClaimResult,
  EscrowView,
  Ledger,
  Prices,
  RedemptionItem,
  RedemptionRecord,
  RedemptionState,
  Service,
  VoucherRedeemer,
} from './types.ts'
export { readClaims } from './watchtower/claims-file.ts'
export { createWatchtower, type Watch, type Watchtower } from './watchtower/watchtower.ts'

export type PaymentsComponents = {
  libp2p: Pick<Libp2p, 'handle' | 'unhandle' | 'peerId'>
  ledger: Ledger
  escrow: EscrowView
  redeemer: VoucherRedeemer
  clock: Clock
  random: Random
  logger: Logger
  metrics: Metrics
}

export type PaymentsOptions = {
  domain: PaymentDomain
  /** The account that channels to this node pay. */
  payee: Hex
  /** Base units, each below 2^64. */
  prices: Prices
  /** What the node serves to one account before payment, base units; 100 of the dearest request when absent. */
  unpaidLimit?: bigint
  /** Requests per epoch and peer without a channel; `DEFAULT_FREE_REQUESTS` when absent. */
  freeRequests?: number
  /** `DEFAULT_FREE_EPOCH_SECONDS` when absent. */
  freeEpochSeconds?: number
  redemption: RedemptionOptions
  /** Where the newest claims are written for a watchtower; absent: nowhere. */
  claimsFile?: string
}

export type PaymentFigures = Figures & {
  /** The part of pending that is worth its gas, at the price of the last look. */
  redeemable: bigint
  pendingParts: PendingParts
  requests: Counts
}

/** A channel as the operator sees it. */
export type ChannelReport = AccountRecord & {
  /** The newest voucher's total and its ticks. */
  paid: bigint
  /** Paid and not claimed on chain. */
  unredeemed: bigint
  /** Why it is not claimed now; undefined when there is nothing to claim or the next look claims it. */
  held: HeldReason | undefined
}

export type PaymentEvent =
  | RedemptionEvent
  /** A voucher came or the chain changed the channel; ticks and charges are too many to tell. */
  | { type: 'channel'; account: AccountRecord }

export type Payments = {
  /** What the services charge their requests through. */
  readonly gate: PaymentGate
  readonly redemption: Pick<RedemptionDaemon, 'check' | 'preview' | 'redeem' | 'approve' | 'reject'>
  start(): Promise<void>
  /** Ends all streams; everything accepted is on disk. */
  stop(): Promise<void>
  /** Paid by vouchers and ticks since the node exists, base units. */
  earned(): bigint
  /** Paid and not claimed on chain yet, base units: the one figure of what is outstanding. */
  pending(): bigint
  figures(): PaymentFigures
  /** What a claim had to be worth at the last look, base units. */
  claimThreshold(): bigint
  channel(channelId: Hex): Promise<ChannelReport | undefined>
  /** In the order of channel ids, after `after`. */
  channels(page: { after?: Hex; limit: number }): Promise<ChannelReport[]>
  redemptions: Ledger['redemptions']
  findRedemption: Ledger['redemption']
  /** Calls `listener` for every event from now on; returns the way to stop it. */
  subscribe(listener: (event: PaymentEvent) => void): () => void
}

/** Creates a node's payments. The gate works before `start`, for peers within their free allowance. */
export function createPayments(components: PaymentsComponents, options: PaymentsOptions): Payments {
  const { ledger, escrow, clock, logger, metrics } = components
  const { domain, payee, prices } = options
  const { freeRequests = DEFAULT_FREE_REQUESTS, freeEpochSeconds = DEFAULT_FREE_EPOCH_SECONDS } = options
  const unpaidLimit = options.unpaidLimit ?? DEFAULT_UNPAID_REQUESTS * dearest(prices)
  const listeners = new Set<(event: PaymentEvent) => void>()
  const emit = (event: PaymentEvent) => {
    for (const listener of listeners) listener(event)
  }

  const book = createAccountBook(components, { unpaidLimit, freeRequests: 0 })
  const server = createPaymentServer(
    { ...components, book, recoverSigner: createRecoverSigner() },
    { domain, payee, prices, unpaidLimit, freeRequests },
  )
  const { channelOf, requirePayment } = server
  const free = createFreeAllowance(freeRequests)
  const gate = createGate(
    { book, free, escrow, channelOf, requirePayment, clock, metrics },
    { prices, freeEpochSeconds },
  )
  const daemon = createRedemptionDaemon({ ...components, book, onEvent: emit }, options.redemption)
  reportFigures(metrics, daemon)
  book.subscribe((account, cause) => {
    if (cause === 'voucher' || cause === 'channel') emit({ type: 'channel', account })
  })
  const claimsWriter =
    options.claimsFile === undefined
      ? undefined
      : createClaimsWriter({ ...components, book }, { path: options.claimsFile, domain, payee })
  let pruning: Timer | undefined

  const prune = async (): Promise<void> => {
    try {
      await ledger.pruneCharges(clock.nowMs() - CHARGE_RETENTION_MS)
    } catch (err) {
      if (isPostriderError(err)) metrics.error(err.code)
      logger.warn({ err }, 'old charges not forgotten, trying again later')
    }
  }

  const toReport = (account: AccountRecord): ChannelReport => {
    const paid = recordPaid(account)
    const unredeemed = paid > account.settled ? paid - account.settled : 0n
    return { ...account, paid, unredeemed, held: daemon.held(account.channelId) }
  }

  return {
    gate,
    redemption: daemon,
    async start() {
      await daemon.start()
      await server.start()
      await claimsWriter?.start()
      pruning = clock.every(CHARGE_PRUNE_INTERVAL_MS, prune)
    },
    async stop() {
      pruning?.stop()
      await server.stop()
      await daemon.stop()
      await book.settle()
      await claimsWriter?.stop()
    },
    earned: () => daemon.figures().earned,
    pending: () => daemon.figures().pending,
    figures: () => ({
      ...daemon.figures(),
      redeemable: daemon.redeemable(),
      pendingParts: daemon.pendingParts(),
      requests: gate.counts(),
    }),
    claimThreshold: daemon.threshold,
    async channel(channelId) {
      const account = await ledger.account(channelId)
      return account && toReport(account)
    },
    channels: async (page) => (await ledger.accounts(page)).map(toReport),
    redemptions: (page) => ledger.redemptions(page),
    findRedemption: (id) => ledger.redemption(id),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function dearest({ publish, query, push }: Prices): bigint {
  return [publish, query, push].reduce((most, price) => (price > most ? price : most))
}

/** Figures as gauges, in whole units of the token: Prometheus numbers are floats, so they are for graphs only. */
function reportFigures(metrics: Metrics, daemon: RedemptionDaemon): void {
  metrics.gauge('payment_amount', {
    help: 'Earned, redeemed, pending and lost, in tokens; rounded, exact figures are in the API',
    labels: ['kind'],
    collect(gauge) {
      const { earned, redeemed, pending, lost } = daemon.figures()
      for (const [kind, amount] of Object.entries({ earned, redeemed, pending, lost })) {
        gauge.set({ kind }, Number(amount / 10n ** 12n) / 1e6)
      }
    },
  })
}
