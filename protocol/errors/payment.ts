import type { ErrorSection } from './types.ts'

export const paymentErrors = {
  PAYMENT_REQUIRED: {
    title: 'The account does not cover this request',
    retryable: true,
    fix: 'Pay up to the total in the answer and send the request once more.',
    http: 402,
  },
  PAYMENT_NO_CHANNEL: {
    title: 'No payment channel is bound to this connection',
    retryable: false,
    fix: 'Open a channel to this node and bind it.',
    http: 402,
  },
  PAYMENT_CHANNEL_UNKNOWN: {
    title: 'The channel is not on chain or has too few confirmations',
    retryable: true,
    fix: 'Wait for the confirmations and bind again.',
    http: 409,
  },
  PAYMENT_CHANNEL_MISMATCH: {
    title: 'The channel belongs to another payer, payee, contract or chain',
    retryable: false,
    fix: 'Sign for the channel that is bound to this connection.',
    http: 400,
  },
  PAYMENT_CHANNEL_CLOSING: {
    title: 'The channel is being closed',
    retryable: false,
    fix: 'Open a new channel.',
    http: 402,
  },
  PAYMENT_CHANNEL_CLOSED: {
    title: 'The channel is closed',
    retryable: false,
    fix: 'Open a new channel.',
    http: 402,
  },
  PAYMENT_EXCEEDS_DEPOSIT: {
    title: 'The total is larger than the deposit of the channel',
    retryable: true,
    fix: 'Top up the channel.',
    http: 402,
  },
  PAYMENT_SIGNATURE_INVALID: {
    title: 'The signature is not one of the signer of the channel',
    retryable: false,
    fix: "Sign with the channel's signer key, with 65 bytes and low s.",
    http: 400,
  },
  PAYMENT_VOUCHER_NOT_GROWING: {
    title: 'The voucher is smaller than what is already paid',
    retryable: false,
    fix: "Sign a total that is at least the account's paid total.",
    http: 400,
  },
  PAYMENT_TICK_UNEXPECTED: {
    title: 'The newest voucher commits to no tick chain',
    retryable: false,
    fix: 'Sign a voucher with a tick anchor and a tick value first.',
    http: 400,
  },
  PAYMENT_TICK_NOT_GROWING: {
    title: 'The tick is older than one already accepted',
    retryable: false,
    fix: 'Reveal ticks in order.',
    http: 400,
  },
  PAYMENT_TICK_INVALID: {
    title: 'The preimage is not on the tick chain',
    retryable: false,
    fix: 'Reveal preimages of the chain that the newest voucher commits to.',
    http: 400,
  },
  PAYMENT_TICKS_EXHAUSTED: {
    title: 'The voucher has no ticks left',
    retryable: false,
    fix: 'Sign a new voucher.',
    http: 402,
  },
  PAYMENT_REQUEST_ID_INVALID: {
    title: 'The request id is empty or too long',
    retryable: false,
    fix: 'Use a fresh id of 1 to 128 characters for every request.',
    http: 400,
  },
  PAYMENT_REQUEST_REPEATED: {
    title: 'The request was repeated too often',
    retryable: false,
    fix: 'Use a new request id.',
    http: 429,
  },
  PAYMENT_FRAME_MALFORMED: {
    title: 'A field of the payment frame has the wrong width or range',
    retryable: false,
    fix: 'Encode the frame as docs/protocol/payment.md describes.',
    http: 400,
  },
  PAYMENT_AMOUNT_INVALID: {
    title: 'The amount is not a number of tokens',
    retryable: false,
    fix: 'Write base units as an integer, or a decimal with a unit such as "1.5 POST".',
    http: 400,
  },
  PAYMENT_EVENT_UNEXPECTED: {
    title: 'The channel event contradicts what is known of the channel',
    retryable: true,
    fix: 'Read the channel from the contract again.',
    http: 409,
  },
  PAYMENT_LEDGER_UNAVAILABLE: {
    title: 'The ledger of the node cannot be written or read',
    retryable: true,
    fix: 'Try again later; the operator checks disk space and the log.',
    http: 503,
  },
} as const satisfies ErrorSection
