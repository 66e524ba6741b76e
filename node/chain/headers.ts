import type { Hex } from '@postrider/protocol/wire'
import type { BlockHeader } from './types.ts'

const HASH = /^0x[0-9a-f]{64}$/i
const QUANTITY = /^0x[0-9a-f]{1,13}$/i

/** A block as `eth_getBlockByNumber` answers it; undefined for null, a pending block and anything else. */
export function toHeader(block: unknown): BlockHeader | undefined {
  const { number, hash, parentHash, timestamp } = (block ?? {}) as Record<string, unknown>
  if (!is(HASH, hash) || !is(HASH, parentHash) || !is(QUANTITY, number) || !is(QUANTITY, timestamp)) {
    return undefined
  }
  return { number: Number(number), hash, parentHash, timestamp: Number(timestamp) }
}

function is(shape: RegExp, value: unknown): value is Hex {
  return typeof value === 'string' && shape.test(value)
}
