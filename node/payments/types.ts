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
  channel(channelId: Hex): Promise<ChannelView | undefined>
  /** False while the view lags behind the chain: channels may have begun to close unseen. */
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
   * @throws PostriderError `CHAIN_UNREACHABLE` and others when the outcome is not known yet; call again
   */
  settleMany(key: string, claims: readonly Claim[]): Promise<BatchResult>
}
