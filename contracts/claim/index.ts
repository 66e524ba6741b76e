/** Turns a signed voucher and its newest tick into what the contract takes. Pure and browser-safe. */

type Hex = `0x${string}`

/** `IPaymentChannels.Claim` as viem encodes it. */
export type Claim = {
  readonly cumulative: bigint
  readonly tickAnchor: Hex
  readonly tickValue: bigint
  readonly tickCount: number
  readonly tickPreimage: Hex
  readonly r: Hex
  readonly vs: Hex
}

/** A voucher with the signature that travels off chain: 65 bytes r ‖ s ‖ v as hex, low s, v 27 or 28. */
export type SignedVoucher = {
  readonly cumulative: bigint
  readonly tickAnchor: Hex
  readonly tickValue: bigint
  readonly signature: Hex
}

/** Number of ticks revealed under a voucher, and the last preimage (32 bytes as hex). */
export type Tick = { readonly count: number; readonly preimage: Hex }

const ZERO_WORD: Hex = `0x${'00'.repeat(32)}`
const WORD_CHARS = 64
const SIGNATURE = /^0x[0-9a-f]{128}1[bc]$/i

/** "No claim", for `close` and `closeMany`. */
export const EMPTY_CLAIM: Claim = {
  cumulative: 0n,
  tickAnchor: ZERO_WORD,
  tickValue: 0n,
  tickCount: 0,
  tickPreimage: ZERO_WORD,
  r: ZERO_WORD,
  vs: ZERO_WORD,
}

/**
 * Builds the claim for `settle`, `settleMany`, `close` and `closeMany`.
 *
 * The contract takes the compact form of EIP-2098: the parity of v in the top bit of s, which a low s leaves free.
 *
 * @throws RangeError if the signature is not 65 bytes with v 27 or 28.
 */
export function toClaim(voucher: SignedVoucher, tick?: Tick): Claim {
  const { cumulative, tickAnchor, tickValue, signature } = voucher
  if (!SIGNATURE.test(signature)) throw new RangeError('signature: 65 bytes with v 27 or 28 expected')
  const parity = BigInt(`0x${signature.slice(-2)}`) - 27n
  const s = BigInt(`0x${signature.slice(2 + WORD_CHARS, 2 + 2 * WORD_CHARS)}`)
  return {
    cumulative,
    tickAnchor,
    tickValue,
    tickCount: tick?.count ?? 0,
    tickPreimage: tick?.preimage ?? ZERO_WORD,
    r: `0x${signature.slice(2, 2 + WORD_CHARS)}`,
    vs: `0x${(s | (parity << 255n)).toString(16).padStart(WORD_CHARS, '0')}`,
  }
}
