import type { MembershipChange } from '@postrider/protocol/rln'
import type { Address, Hex } from '@postrider/protocol/wire'

/** What a node charges, base units. */
export type Prices = { publish: bigint; query: bigint; push: bigint }

/** A node as the registry has it. */
export type RegisteredNode = {
  operator: Address
  /** Raw Ed25519 public key. */
  peerKey: Hex
  /** Bits: 1 relay, 2 store, 4 lightpush, 8 filter. */
  services: number
  /** Multiaddrs without the peer id. */
  endpoints: readonly string[]
  prices: Prices
  stake: bigint
}

export type ChannelStatus = 'none' | 'open' | 'closing' | 'closed'

/** A channel as the contract has it; `closeAt` is Unix seconds, 0 unless closing was asked for. */
export type ChannelState = { status: ChannelStatus; deposit: bigint; settled: bigint; closeAt: number }

/** What names a channel, with token, contract and chain. */
export type Descriptor = { payer: Address; payee: Address; signer: Address; salt: Hex }

export type MemberStatus = 'none' | 'active' | 'leaving' | 'withdrawn' | 'slashed'

/** A membership as the contract has it. */
export type Member = {
  status: MemberStatus
  owner: Address
  index: number
  limit: number
  withdrawableAt: number
}

/** The member list at one block: the running hash and how many indexes were given out. */
export type MembershipHead = { block: bigint; accumulator: Hex; nextIndex: number }

/** A block, as the endpoint has it now. */
export type BlockRef = { number: bigint; hash: Hex; atMs: number }

/**
 * Why money moved: into a channel (`open`, `topUp`), from it to the node (`settled`), back to the wallet after the thaw
 * (`withdrawn`), or to the wallet's refunds because the node closed (`closed`) and from there to the wallet (`refund`);
 * for a membership what is paid back (`memberDeposit`) and what is not (`memberBurnt`), paid back after leaving
 * (`memberWithdrawn`) or lost (`memberSlashed`). `closeRequested` and `memberLeft` move nothing.
 */
export type MovementKind =
  | 'open'
  | 'topUp'
  | 'settled'
  | 'closeRequested'
  | 'closed'
  | 'withdrawn'
  | 'refund'
  | 'memberDeposit'
  | 'memberBurnt'
  | 'memberLeft'
  | 'memberWithdrawn'
  | 'memberSlashed'

/** One movement of money on chain, from an event of the contracts. */
export type Movement = {
  block: bigint
  blockHash: Hex
  transaction: Hex
  /** Position of the event in its block, and of the movement in the event. */
  log: number
  part: number
  kind: MovementKind
  /** Base units, never negative. */
  amount: bigint
  channelId?: Hex
  /** Absent from a top-up, whose event does not name it. */
  operator?: Address
  /** Of the membership, 32 bytes. */
  commitment?: Hex
}

/** One wallet, and those of its channels and memberships that are known. */
export type MoneyOf = { wallet: Address; channels: readonly Hex[]; members: readonly Hex[] }

/** What the contracts hold of a wallet's money at one block. */
export type Holdings = {
  channels: (ChannelState & { channelId: Hex })[]
  refunds: bigint
  /** What was paid for each, base units; the deposit is there while the status is `active` or `leaving`. */
  members: { commitment: Hex; status: MemberStatus; deposit: bigint; burnt: bigint }[]
}

/** Contract reads. They throw `CLIENT_CHAIN_UNAVAILABLE`. */
export interface ChainReader {
  /** @throws PostriderError `CLIENT_WRONG_CHAIN` */
  checkChain(): Promise<void>
  /** Active nodes: enough stake and not leaving. */
  nodes(): Promise<RegisteredNode[]>
  channel(channelId: Hex): Promise<ChannelState>
  /** The member list's running hash at the newest block, less `depth` blocks. */
  membershipHead(depth: number): Promise<MembershipHead>
  /** Changes in the blocks `from` to `to`, both included, in the chain's order. */
  membershipChanges(from: bigint, to: bigint): Promise<MembershipChange[]>
  member(commitment: bigint): Promise<Member>
  /** What a membership costs: the part that is paid back and the part that is burnt. */
  membershipCost(limit: number): Promise<{ deposit: bigint; burnt: bigint }>
  tokenBalance(account: Address): Promise<bigint>
  /** What closings by payees left for the payer to take. */
  refundOf(payer: Address): Promise<bigint>
  /** The newest block. */
  head(): Promise<BlockRef>
  /** A block by its number; undefined if the endpoint does not have it. */
  block(number: bigint): Promise<BlockRef | undefined>
  /**
   * Movements in the blocks `from` to `to`, both included, in the chain's order: of the channels and memberships that
   * are named, and of those that the blocks show.
   */
  movements(of: MoneyOf, from: bigint, to: bigint): Promise<Movement[]>
  /** What the contracts hold at a block, in the order asked. */
  holdings(of: MoneyOf, block: bigint): Promise<Holdings>
  /** What a transaction cost an account, wei; 0 if another one sent it. */
  gasPaid(transaction: Hex, by: Address): Promise<bigint>
}

/** A transaction as it is sent. The same bytes may be sent again: they take effect once at most. */
export type SignedTransaction = {
  hash: Hex
  raw: Hex
  nonce: number
  /** Hashes of those with less for gas that left before; with one nonce, at most one of them all takes effect. */
  earlier?: readonly Hex[]
}

/** Called with a signed transaction, and with each one that replaces it, before it leaves; it leaves when the promise resolves. */
export type Keep = (transaction: SignedTransaction) => Promise<void>

/** What became of a transaction; `void`: another one took its nonce, so that it can never take effect. */
export type TransactionOutcome = 'mined' | 'reverted' | 'void'

/**
 * Transactions of one account, sent one after the other and awaited. They throw `CLIENT_TRANSACTION_FAILED`
 * (data.reason: the contract's error), `CLIENT_FUNDS_MISSING` (tokens), `CLIENT_GAS_MISSING` (the chain's own coin),
 * `CLIENT_FEE_TOO_HIGH`, `CLIENT_CHAIN_UNAVAILABLE`, `CLIENT_TIMEOUT`. Only the first is certain after `keep`: what was signed may
 * still be mined. Balances are looked at before anything is signed.
 */
export interface ChainWriter {
  readonly address: Address
  /** Opens with a permit, or an allowance where one is in place or the token knows no permit. */
  openChannel(descriptor: Descriptor, amount: bigint, keep?: Keep): Promise<void>
  topUpChannel(channelId: Hex, amount: bigint, keep?: Keep): Promise<void>
  requestClose(descriptor: Descriptor): Promise<void>
  withdrawChannel(descriptor: Descriptor): Promise<void>
  withdrawRefund(): Promise<void>
  /** @param cost what the registration pulls, base units */
  registerMember(commitment: bigint, limit: number, cost: bigint, keep?: Keep): Promise<void>
  leaveGroup(commitment: bigint): Promise<void>
  withdrawMember(commitment: bigint): Promise<void>
  /** Finds out what became of a transaction; one that is not mined is sent again and waited for. */
  conclude(transaction: SignedTransaction, keep?: Keep): Promise<TransactionOutcome>
  /** Ends all waiting with `CLIENT_ABORTED`. What was sent stays sent. */
  close(): void
}
