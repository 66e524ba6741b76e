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
}

/**
 * Transactions of one account, sent one after the other and awaited. They throw `CLIENT_TRANSACTION_FAILED`
 * (data.reason: the contract's error), `CLIENT_FUNDS_MISSING`, `CLIENT_CHAIN_UNAVAILABLE`, `CLIENT_TIMEOUT`.
 */
export interface ChainWriter {
  readonly address: Address
  /** Opens with a permit, or an allowance where one is in place or the token knows no permit. */
  openChannel(descriptor: Descriptor, amount: bigint): Promise<void>
  topUpChannel(channelId: Hex, amount: bigint): Promise<void>
  requestClose(descriptor: Descriptor): Promise<void>
  withdrawChannel(descriptor: Descriptor): Promise<void>
  withdrawRefund(): Promise<void>
  /** @param cost what the registration pulls, base units */
  registerMember(commitment: bigint, limit: number, cost: bigint): Promise<void>
  leaveGroup(commitment: bigint): Promise<void>
  withdrawMember(commitment: bigint): Promise<void>
}
