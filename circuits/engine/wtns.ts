import { ELEMENT_BYTES, SCALAR_MODULUS } from './constants.ts'

/** Wraps a witness in the .wtns container that snarkjs reads. */
export function encodeWitness(witness: Uint8Array): Uint8Array {
  const header = 12 + 12 + 4 + ELEMENT_BYTES + 4
  const bytes = new Uint8Array(header + 12 + witness.byteLength)
  const view = new DataView(bytes.buffer)
  bytes.set(new TextEncoder().encode('wtns'))
  view.setUint32(4, 2, true)
  view.setUint32(8, 2, true)
  view.setUint32(12, 1, true)
  view.setBigUint64(16, BigInt(4 + ELEMENT_BYTES + 4), true)
  view.setUint32(24, ELEMENT_BYTES, true)
  for (let word = 0; word < 4; word++) {
    view.setBigUint64(28 + 8 * word, BigInt.asUintN(64, SCALAR_MODULUS >> BigInt(64 * word)), true)
  }
  view.setUint32(60, witness.byteLength / ELEMENT_BYTES, true)
  view.setUint32(header, 2, true)
  view.setBigUint64(header + 4, BigInt(witness.byteLength), true)
  bytes.set(witness, header + 12)
  return bytes
}
