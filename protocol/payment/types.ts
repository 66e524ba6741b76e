import type { Address, Hex } from '../wire/index.ts'

/** What names a channel, besides the domain. */
export type ChannelDescriptor = {
  payer: Address
  payee: Address
  /** Whose key signs vouchers for the payer. */
  signer: Address
  /** 32 bytes; lets one pair have many channels. */
  salt: Hex
}

/** The chain and contracts for which a signature is good. */
export type PaymentDomain = {
  chainId: number
  /** PaymentChannels. */
  contract: Address
  token: Address
}

/** A promise to pay `cumulative` since the channel was opened, and `tickValue` for each tick revealed. */
export type Voucher = {
  channelId: Hex
  /** Base units, uint128. */
  cumulative: bigint
  /** 32 bytes; zero when there are no ticks. */
  tickAnchor: Hex
  /** Base units, uint64. */
  tickValue: bigint
}

/** A voucher as the payer sent it; 65 bytes r ‖ s ‖ v. */
export type SignedVoucher = Voucher & { signature: Uint8Array }

/** What the payer signs to bind a channel to one connection. */
export type Bind = {
  channelId: Hex
  /** 32 bytes from the node's Terms. */
  nonce: Hex
  /** libp2p peer ids, their multihash bytes. */
  clientPeerId: Uint8Array
  nodePeerId: Uint8Array
}

/** Tick `index` of a voucher's chain: SHA-256 applied `index` times to `preimage` gives the anchor. */
export type Tick = { index: number; preimage: Uint8Array }
