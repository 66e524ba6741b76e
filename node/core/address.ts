import { checksumAddress, getAddress, isAddress } from 'viem'

/**
 * An account address in the form that people read: EIP-55, in which the case of the letters is a checksum. All lower
 * and all upper case carry none and are taken; mixed case must be right.
 *
 * @returns undefined for anything else
 */
export function readAddress(text: string): `0x${string}` | undefined {
  if (/^0x[0-9A-F]{40}$/.test(text)) return getAddress(text)
  return isAddress(text) ? checksumAddress(text) : undefined
}
