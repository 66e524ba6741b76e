import type { ChannelDescriptor } from '@postrider/protocol/payment'
import type { Hex } from '@postrider/protocol/wire'

// ---- what payments needs from the chain ----------------------------------------------------------

/** A payment channel as the chain has it. */
export type ChannelView = {
  descriptor: ChannelDescriptor
  /** As of the newest block: a request to close counts at once. */
  status: 'open' | 'closing' | 'closed'
  /** Base units under enough confirmations. */
  deposit: bigint
  /** Total claimed since the channel was opened, the burnt share included; base units, confirmed. */
  settled: bigint
  /** Earliest withdrawal by the payer, Unix seconds; 0 unless closing. */
  closeAt: number
}

/** The channels of the contract, read through `node/chain`. */
export type EscrowView = {
  /**
   * The channel; undefined when it is not on chain or has too few confirmations.
   *
   * @throws PostriderError `CHAIN_UNREACHABLE`
   */
  channel(channelId: Hex): Promise<ChannelView | undefined> | ChannelView | undefined
  /** False while the view lags so far behind the chain that a channel may have closed unseen. */
  isFresh(): boolean
  /** Calls `listener` after each change of a channel to this node; returns the way to stop it. */
  subscribe(listener: (channelId: Hex) => void): () => void
}

/** The newest voucher of a channel with its newest tick: what `settleMany` takes. */
export type Claim = {
  channelId: Hex
  descriptor: ChannelDescriptor
  cumulative: bigint
  tickAnchor: Hex
  tickValue: bigint
  /** 65 bytes. */
  signature: Uint8Array
  /** 0 to `MAX_TICKS`. */
  tickCount: number
  /** 32 bytes; zero when no tick is claimed. */
  tickPreimage: Hex
}

/** What became of one claim of a batch. */
export type ClaimResult =
  | {
      status: 'settled'
      /** Total claimed since the channel was opened, after this claim. */
      settled: bigint
      /** What this claim added, the burnt share included. */
      amount: bigint
    }
  | {
      status: 'skipped'
      /** Name of the contract's error. */
      reason: string
    }

/** What became of a batch, once its receipt has enough confirmations. */
export type BatchResult =
  | { status: 'mined'; txHash: Hex; results: ReadonlyMap<Hex, ClaimResult> }
  | { status: 'reverted'; txHash?: Hex; reason: string }

/** Sends claims to the contract, through `node/chain`. */
export type VoucherRedeemer = {
  /** What each claim of a batch of this size costs at present, gas turned into base units of the token. */
  claimCost(batchSize: number): Promise<bigint>
  /**
   * Sends `settleMany` and waits for its receipt.
   *
   * `key` makes it idempotent, also across restarts: a key that was sent before is not sent again, and the call
   * returns what became of that transaction. A reverted transaction is a result, not an error.
   *
   * @param signal ends the waiting; what was sent stays sent
   * @throws PostriderError `CHAIN_UNREACHABLE` and others when the outcome is not known yet; call again
   */
  settleMany(key: string, claims: readonly Claim[], signal: AbortSignal): Promise<BatchResult>
  /** Sends `closeMany`: ends the channels at once with these claims, or without where one is all zero; else as above. */
  closeMany(key: string, claims: readonly Claim[], signal: AbortSignal): Promise<BatchResult>
}

// ---- what payments keeps -------------------------------------------------------------------------

/** What a client pays for: one lightpush, one store page, one message pushed by filter. */
export type Service = 'publish' | 'query' | 'push'

/** Base units per service. */
export type Prices = Readonly<Record<Service, bigint>>

/** One payment channel to this node, as it is on disk. */
export type AccountRecord = {
  channelId: Hex
  descriptor: ChannelDescriptor
  status: ChannelView['status']
  /** Confirmed on chain, base units. */
  deposit: bigint
  /** Claimed on chain, base units. */
  settled: bigint
  /** Unix seconds; 0 unless closing. */
  closeAt: number
  /** The newest voucher; all zero and no signature before the first. */
  cumulative: bigint
  tickAnchor: Hex
  tickValue: bigint
  signature: Uint8Array | undefined
  /** Newest tick under that voucher; 0 and none before the first. */
  ticks: number
  tickPreimage: Hex | undefined
  /** Charged so far, base units; on disk before the service is given. */
  spent: bigint
  /** When the newest voucher or tick came, Unix ms. */
  paidMs: number | undefined
  /** When anything here last changed, Unix ms. */
  updatedMs: number
}

/** One request that was charged. */
export type ChargeRecord = {
  channelId: Hex
  requestId: string
  service: Service
  price: bigint
  /** Epoch of the charge, from the request-id window of the account. */
  epoch: bigint
  createdMs: number
}

/** One channel of a redemption. */
export type RedemptionItem = {
  channelId: Hex
  /** Total claimed since the channel was opened, base units. */
  total: bigint
  /** What the claim adds: expected while open, then what the chain says; the burnt share included. */
  amount: bigint
  status: 'open' | 'settled' | 'skipped' | 'failed'
  reason: string | undefined
}

/**
 * One batch of claims. proposed → approved (by the daemon itself in mode auto) → done or failed; proposed →
 * rejected. An approved batch is sent, or will be sent again, under its id.
 */
export type RedemptionState = 'proposed' | 'approved' | 'done' | 'failed' | 'rejected'

export type RedemptionRecord = {
  /** Sorts by age. */
  id: string
  state: RedemptionState
  /** Present if the channels end with it. */
  closes?: true
  items: readonly RedemptionItem[]
  txHash: Hex | undefined
  reason: string | undefined
  createdMs: number
  updatedMs: number
}

/** One atomic write of the ledger: accounts as they are now, and the charges that led there. */
export type LedgerEntries = { accounts: readonly AccountRecord[]; charges: readonly ChargeRecord[] }

/**
 * The durable record of who paid and was charged what. Every adapter passes `testing/ledger-suite.ts`.
 *
 * What a method has resolved survives a killed process and a power cut. Each rejects with PostriderError
 * `PAYMENT_LEDGER_UNAVAILABLE` when the medium fails; nothing of that call is then written.
 */
export type Ledger = {
  account(channelId: Hex): Promise<AccountRecord | undefined>
  /** In the order of channel ids, after `after`. */
  accounts(page: { after?: Hex; limit: number }): Promise<AccountRecord[]>
  /** The newest charges of an account, oldest of them first. */
  charges(channelId: Hex, limit: number): Promise<ChargeRecord[]>
  commit(entries: LedgerEntries): Promise<void>
  /** Forgets charges made before a time; the accounts' totals stay. */
  pruneCharges(beforeMs: number): Promise<void>
  redemption(id: string): Promise<RedemptionRecord | undefined>
  /** Newest first, before the id `before`. */
  redemptions(page: {
    before?: string
    limit: number
    states?: readonly RedemptionState[]
  }): Promise<RedemptionRecord[]>
  saveRedemption(redemption: RedemptionRecord): Promise<void>
}
