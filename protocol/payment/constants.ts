/** Ticks under one voucher: what one `settle` claims with its preimage, and the bound of every catch-up. */
export const MAX_TICKS = 64

/** Bytes of a tick chain's seed, anchor and preimages: SHA-256. */
export const TICK_BYTES = 32

/** A signature on the wire: r 32, s 32, v 1 (27 or 28). */
export const SIGNATURE_BYTES = 65

/** A total on the wire, and the width of the voucher's `cumulative`: uint128, big-endian. */
export const TOTAL_BYTES = 16

/** Largest frame on the payment stream; the largest one of ours (terms) has about 200 bytes. */
export const MAX_PAYMENT_FRAME_BYTES = 1024

/** Version of the payment stream that Hello names. */
export const PAYMENT_VERSION = 1

/** Longest request id, UTF-16 units; stock clients send UUIDs of 36. */
export const MAX_REQUEST_ID_CHARS = 128

/** Charged requests that an account remembers, so that a retry is not charged again. */
export const REQUEST_WINDOW = 256

/** How often one request is answered again for its one charge. */
export const MAX_REPEATS = 3

/** A payer is asked for a voucher when this part of the unpaid limit is used: 1/10. */
export const VOUCHER_DUE_FRACTION = 10n

/** Decimals of the token. */
export const TOKEN_DECIMALS = 18

/** Symbol of the token. */
export const TOKEN_SYMBOL = 'POST'
