/**
 * Prepaid channels off chain: ids, vouchers, binds and their signatures, ticks, the frames of the payment
 * stream, the account and the channel's life as reducers, amounts. Specified in docs/protocol/payment.md.
 *
 * @module
 */
export {
  type AccountChannel,
  type AccountEffect,
  type AccountEvent,
  type AccountRules,
  type AccountState,
  type AccountStep,
  accountReducer,
  type ChargedRequest,
  chargeFault,
  isNewest,
  NEW_ACCOUNT,
  paidTotal,
  voucherFault,
} from './account.ts'
export { formatAmount, parseAmount } from './amounts.ts'
export {
  type ChannelEffect,
  type ChannelEvent,
  type ChannelLife,
  type ChannelStep,
  channelReducer,
  NO_CHANNEL,
} from './channel.ts'
export {
  MAX_PAYMENT_FRAME_BYTES,
  MAX_REPEATS,
  MAX_REQUEST_ID_CHARS,
  MAX_TICKS,
  PAYMENT_VERSION,
  REQUEST_WINDOW,
  TOKEN_DECIMALS,
  TOKEN_SYMBOL,
} from './constants.ts'
export {
  type AccountView,
  type ClientPaymentFrame,
  decodeClientFrame,
  decodeNodeFrame,
  encodeClientFrame,
  encodeNodeFrame,
  type NodePaymentFrame,
  type Prices,
  type Terms,
} from './frames.ts'
export { requestKey } from './request-key.ts'
export { formatPaymentRequired, parsePaymentRequired } from './required.ts'
export {
  addressOf,
  addressOfPoint,
  compactSignature,
  type RecoverSigner,
  recoverSigner,
  signDigest,
} from './signature.ts'
export { createTickChain, NO_TICKS, type TickChain, verifyTick } from './ticks.ts'
export {
  BIND_TYPE,
  channelId,
  domainSeparator,
  hashBind,
  hashVoucher,
  signBind,
  signVoucher,
  VOUCHER_TYPE,
  verifyBind,
  verifyVoucher,
} from './typed-data.ts'
export type { Bind, ChannelDescriptor, PaymentDomain, SignedVoucher, Tick, Voucher } from './types.ts'
