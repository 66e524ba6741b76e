import { PostriderError } from '@postrider/protocol/errors'
import {
  type AccountState,
  type ChannelDescriptor,
  channelId,
  isNewest,
  type PaymentDomain,
  type RecoverSigner,
  type SignedVoucher,
  verifyBind,
  verifyVoucher,
  voucherFault,
} from '@postrider/protocol/payment'
import { equalHex, type Hex } from '@postrider/protocol/wire'
import type { BookEvent } from './book.ts'
import type { AccountRecord, EscrowView } from './types.ts'

/** The connection that a channel is bound to. */
export type Connection = {
  /** 32 bytes, from this stream's Terms. */
  nonce: Hex
  /** Multihash bytes of the two peer ids. */
  clientPeerId: Uint8Array
  nodePeerId: Uint8Array
}

export type BindRules = {
  escrow: Pick<EscrowView, 'channel'>
  recoverSigner: RecoverSigner
  domain: PaymentDomain
  payee: Hex
}

/**
 * Checks a Bind: the channel pays this node, its signer key signed for this connection, it is open on chain.
 *
 * @returns the channel's id
 * @throws PostriderError `PAYMENT_PAYEE_MISMATCH`, `PAYMENT_SIGNATURE_INVALID`, `PAYMENT_CHANNEL_UNKNOWN`,
 *   `PAYMENT_CHANNEL_CLOSING`, `PAYMENT_CHANNEL_CLOSED`, or what the view of the chain throws
 */
export async function admitBind(
  { escrow, recoverSigner, domain, payee }: BindRules,
  connection: Connection,
  { descriptor, signature }: { descriptor: ChannelDescriptor; signature: Uint8Array },
): Promise<Hex> {
  if (!equalHex(descriptor.payee, payee)) throw new PostriderError('PAYMENT_PAYEE_MISMATCH')
  const channel = channelId(descriptor, domain)
  const statement = { channelId: channel, ...connection }
  if (!verifyBind(domain, statement, signature, descriptor.signer, recoverSigner)) {
    throw new PostriderError('PAYMENT_SIGNATURE_INVALID')
  }
  const view = await escrow.channel(channel)
  if (!view) throw new PostriderError('PAYMENT_CHANNEL_UNKNOWN', { data: { channelId: channel } })
  if (view.status === 'closing') throw new PostriderError('PAYMENT_CHANNEL_CLOSING')
  if (view.status === 'closed') throw new PostriderError('PAYMENT_CHANNEL_CLOSED')
  return channel
}

/**
 * Checks a voucher against the account it is for: what is cheap to see first, the signature last and once.
 *
 * @throws PostriderError the reducer's code for a voucher that does not fit, or `PAYMENT_SIGNATURE_INVALID`
 */
export function admitVoucher(
  { domain, recoverSigner }: { domain: PaymentDomain; recoverSigner: RecoverSigner },
  voucher: SignedVoucher,
  state: AccountState,
  { descriptor }: AccountRecord,
): BookEvent {
  const fault = voucherFault(state, voucher)
  if (fault) throw new PostriderError(fault)
  // The newest voucher sent again changes nothing, whatever its signature: no need to look at it.
  if (isNewest(state, voucher)) return { type: 'voucher', voucher }
  if (!verifyVoucher(domain, voucher, voucher.signature, descriptor.signer, recoverSigner)) {
    throw new PostriderError('PAYMENT_SIGNATURE_INVALID')
  }
  return { type: 'voucher', voucher }
}
