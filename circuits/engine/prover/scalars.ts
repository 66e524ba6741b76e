import { ELEMENT_BYTES, SCALAR_MODULUS } from '../constants.ts'
import type { Kernel } from '../kernel/kernel.ts'

/** Writes a scalar below r as 32 little-endian bytes. */
export function setScalar(kernel: Kernel, to: number, value: bigint): void {
  const view = new DataView(kernel.bytes().buffer, to, ELEMENT_BYTES)
  for (let i = 0; i < 4; i++) view.setBigUint64(8 * i, BigInt.asUintN(64, value >> BigInt(64 * i)), true)
}

/** Uniform but for 2^-250: twice as many random bits as the modulus has. */
export function randomScalar(): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array(2 * ELEMENT_BYTES))
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) % SCALAR_MODULUS
}
