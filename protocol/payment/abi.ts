import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, bigIntToBytes, concatBytes, type Hex, hexToBytes } from '../wire/index.ts'

/** One 32-byte word of abi.encode; all of our types are of fixed size. */
export const word = {
  uint: (value: bigint | number): Uint8Array => bigIntToBytes(BigInt(value), 32),
  bytes32: (value: Hex): Uint8Array => hexToBytes(value, 32),
  address: (value: Address): Uint8Array => concatBytes(new Uint8Array(12), hexToBytes(value, 20)),
}

/** keccak256(abi.encode(...words)). */
export function hashWords(...words: Uint8Array[]): Uint8Array {
  return keccak_256(concatBytes(...words))
}
