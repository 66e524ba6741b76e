import { sha256 } from '@noble/hashes/sha2.js'
import { PostriderError } from '../errors/index.ts'
import { equalBytes, type Hex } from '../wire/index.ts'
import { MAX_TICKS, TICK_BYTES } from './constants.ts'
import type { Tick } from './types.ts'

/** The anchor of a voucher without ticks. */
export const NO_TICKS: Hex = `0x${'00'.repeat(TICK_BYTES)}`

/** A payer's hash chain: revealing preimage after preimage pays tick after tick. */
export type TickChain = {
  /** What the voucher commits to: preimage(0). */
  readonly anchor: Uint8Array
  /**
   * Preimage `index`; SHA-256 of it is preimage `index - 1`.
   * @throws PAYMENT_TICKS_EXHAUSTED outside 0..length
   */
  preimage(index: number): Uint8Array
}

/**
 * The chain of `length` ticks from a secret seed of 32 random bytes. A seed serves one voucher only.
 * @throws PAYMENT_TICK_INVALID when the seed has another width
 */
export function createTickChain(seed: Uint8Array, length: number = MAX_TICKS): TickChain {
  if (seed.length !== TICK_BYTES)
    throw new PostriderError('PAYMENT_TICK_INVALID', { detail: 'seed of 32 bytes' })
  const preimages: Uint8Array[] = [seed.slice()]
  let last: Uint8Array = seed
  for (let i = 0; i < length; i++) {
    last = sha256(last)
    preimages.unshift(last)
  }
  return {
    anchor: last.slice(),
    preimage(index) {
      const preimage = preimages[index]
      if (preimage === undefined) throw new PostriderError('PAYMENT_TICKS_EXHAUSTED', { data: { index } })
      return preimage.slice()
    },
  }
}

/**
 * True when `next` lies further along the chain than `known`, at most `maxTicks` from the anchor. Costs one hash
 * for each tick between the two, so a payer may skip ticks.
 */
export function verifyTick(known: Tick, next: Tick, maxTicks: number = MAX_TICKS): boolean {
  const { index, preimage } = next
  if (!Number.isInteger(index) || index <= known.index || index > maxTicks) return false
  if (preimage.length !== TICK_BYTES) return false
  let hash = preimage
  for (let i = known.index; i < index; i++) hash = sha256(hash)
  return equalBytes(hash, known.preimage)
}
