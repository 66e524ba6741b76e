import type { ErrorCode, PostriderError } from '@postrider/protocol/errors'
import type { Address, Hex } from '@postrider/protocol/wire'
import type { ChannelStatus, Descriptor, MovementKind, Prices } from '../chain/types.ts'
import type { Promised } from './promised.ts'

/** What the client may put into channels, base units. */
export type Budget = {
  /** First deposit of a channel, and the step in which it is topped up. */
  deposit: bigint
  /** Most that one channel ever holds in all. */
  maxDeposit: bigint
  /**
   * Most that leaves the wallet on one day (UTC): deposits and top-ups of all channels, and memberships with what is
   * burnt of them. Gas is not of it: it is paid in another coin.
   */
  daily: bigint
  /** Most wei paid for one unit of gas. */
  maxFeePerGas: bigint
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

/** Why money moved on chain. */
export type LedgerKind = MovementKind

/** One movement on chain, in the client's own ledger. */
export type LedgerEntry = {
  /** From 1 upwards, in the chain's order. */
  number: number
  /** Time of the block, Unix ms. */
  atMs: number
  block: bigint
  transaction: Hex
  kind: LedgerKind
  /** The node of the channel. */
  operator?: Address
  channelId?: Hex
  /** Of the membership, 32 bytes. */
  commitment?: Hex
  /** Base units, never negative. */
  amount: bigint
  /** What it did to `balance`: `amount`, `-amount` or 0. */
  change: bigint
  /** What the contracts hold for this wallet after it: in channels, as refunds and as deposits of memberships. */
  balance: bigint
  /** What this wallet paid for the transaction, wei; in its first entry, 0 if somebody else sent it. */
  gas: bigint
}

/** One thing on which ledger, records and contracts do not agree. */
export type LedgerDifference = {
  /** With its meaning and fix in docs/errors.md. */
  code: Extract<
    ErrorCode,
    | 'CLIENT_LEDGER_MISMATCH'
    | 'CLIENT_CHANNEL_UNRECORDED'
    | 'CLIENT_CHANNEL_RECORD_WRONG'
    | 'CLIENT_OVERCHARGED'
  >
  /** `returned`: what came back, or was lost, at the end. */
  field: 'status' | 'deposit' | 'settled' | 'burnt' | 'returned' | 'refunds'
  /** By the contract; for `CLIENT_OVERCHARGED` what was promised. Amounts are base units. */
  expected: string
  /** In the ledger or the record; the status `invalid` is of movements that cannot follow one another. */
  found: string
  channelId?: Hex
  operator?: Address
  commitment?: Hex
}

/** All channels to one node together, base units. */
export type NodeStatement = {
  operator: Address
  /** On chain: all that was put in, and what the node claimed of it. */
  deposited: bigint
  settled: bigint
  /** Off chain: what the node can claim in all, and what it may have charged by the client's count. */
  promised: bigint
  spent: bigint
}

/** What the contracts hold at one block, base units, and whether ledger and records say the same. */
export type Reconciliation = {
  block: bigint
  /** The sum of the next three; equals the balance of the ledger's last entry. */
  balance: bigint
  /** In channels that are not closed, less what was settled. */
  channels: bigint
  refunds: bigint
  /** Deposits of memberships. */
  memberships: bigint
  nodes: NodeStatement[]
  /** Empty: everything agrees to the last unit. */
  differences: LedgerDifference[]
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
  /** Tokens, or the coin for gas, are missing; told once until money moves again. */
  empty: PostriderError
  failed: { operator: Address; error: PostriderError }
}
