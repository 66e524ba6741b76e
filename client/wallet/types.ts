import type { PostriderError } from '@postrider/protocol/errors'
import type { Address, Hex } from '@postrider/protocol/wire'
import type { ChannelStatus, Descriptor, Prices } from '../chain/types.ts'
import type { Promised } from './promised.ts'

/** What the client may put into channels, base units. */
export type Budget = {
  /** First deposit of a channel, and the step in which it is topped up. */
  deposit: bigint
  /** Most that one channel ever holds in all. */
  maxDeposit: bigint
  /** Most that is deposited on one day (UTC), all channels together. */
  daily: bigint
  /** Highest prices that are paid; absent: what the node registered on chain. */
  maxPrices?: Prices
}

/** One channel as the client keeps it. Amounts are base units since the channel was opened. */
export type ChannelRecord = {
  channelId: Hex
  operator: Address
  /** Which of the channels to this payee; salt and keys derive from it. */
  number: number
  descriptor: Descriptor
  /** `opening`: the transaction is on its way, or was when the process ended. */
  status: 'opening' | Exclude<ChannelStatus, 'none'>
  /** As last read from the contract. */
  deposit: bigint
  settled: bigint
  /** Unix seconds; 0 unless closing. */
  closeAt: number
  /** False for a channel found on chain without a record: what was promised is not known yet. */
  known: boolean
  promised: Promised
  /** What the node may have charged, by the client's own count. */
  spent: bigint
}

/**
 * Why money moved: into a channel (`open`, `topUp`), from it to the node (`settled`) or back (`closed`: to the wallet
 * when this client withdrew, to its refunds when the node closed), from the refunds to the wallet (`refund`), for a
 * membership (`register`). `closeRequested` moves nothing.
 */
export type LedgerKind = 'open' | 'topUp' | 'settled' | 'closeRequested' | 'closed' | 'refund' | 'register'

/** One movement on chain, in the client's own ledger. */
export type LedgerEntry = {
  atMs: number
  kind: LedgerKind
  amount: bigint
  channelId?: Hex
  operator?: Address
}

/** One channel in `client.balances()`. */
export type ChannelBalance = {
  channelId: Hex
  operator: Address
  status: ChannelRecord['status']
  deposit: bigint
  /** Promised by vouchers and ticks: what the node can claim. */
  paid: bigint
  /** Used up by requests; `paid - spent` is credit at the node. */
  spent: bigint
  /** Claimed on chain so far. */
  settled: bigint
  /** Not promised yet: `deposit - paid`. */
  remaining: bigint
  /** When a closing channel can be withdrawn, Unix seconds; 0 unless closing. */
  closeAt: number
}

export type Balances = {
  address: Address
  /** Tokens in the wallet. */
  wallet: bigint
  /** Left in the contract by channels that nodes closed; `client.channels.refund()` takes it. */
  refunds: bigint
  /** What the daily budget still allows. */
  dailyRemaining: bigint
  channels: ChannelBalance[]
}

export type WalletEvents = {
  opened: ChannelBalance
  toppedUp: ChannelBalance
  /** The storage knew less than the node could prove, as after restoring a backup; taken over. */
  recovered: ChannelBalance
  closing: ChannelBalance
  failed: { operator: Address; error: PostriderError }
}
