import {
  concatBytes,
  hexToBytes as nobleFromHex,
  bytesToHex as nobleToHex,
  utf8ToBytes,
} from '@noble/hashes/utils.js'
import { PostriderError } from '../errors/index.ts'

/** Bytes as text: `0x` and two lower-case digits a byte. */
export type Hex = `0x${string}`

/** A 20-byte account address as hex; compare with `equalHex`, since checksummed forms differ in case. */
export type Address = Hex

const HEX = /^(?:0x)?((?:[0-9a-fA-F]{2})*)$/

/** Bytes to `0x…`. */
export function bytesToHex(bytes: Uint8Array): Hex {
  return `0x${nobleToHex(bytes)}`
}

/**
 * Hex with or without `0x` to bytes.
 * @throws WIRE_VALUE_INVALID on any other character, an odd length, or a length other than `width` bytes.
 */
export function hexToBytes(hex: string, width?: number): Uint8Array<ArrayBuffer> {
  const digits = HEX.exec(hex)?.[1]
  if (digits === undefined || (width !== undefined && digits.length !== width * 2)) {
    throw new PostriderError('WIRE_VALUE_INVALID', {
      detail: `expected hex${width === undefined ? '' : ` of ${width} bytes`}`,
    })
  }
  return nobleFromHex(digits)
}

/** Big-endian unsigned integer; empty bytes are 0. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(bytesToHex(bytes))
}

/**
 * Big-endian, exactly `width` bytes.
 * @throws WIRE_VALUE_INVALID when the value is negative or does not fit.
 */
export function bigIntToBytes(value: bigint, width: number): Uint8Array<ArrayBuffer> {
  if (value < 0n || value >> BigInt(8 * width) !== 0n) {
    throw new PostriderError('WIRE_VALUE_INVALID', { detail: `not an unsigned integer of ${width} bytes` })
  }
  return hexToBytes(value.toString(16).padStart(2 * width, '0'))
}

/** Equality of content; not constant-time: only for public values. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Equality of hex without regard to case: the same bytes. */
export function equalHex(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

export { concatBytes, utf8ToBytes }
