import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { PostriderError } from '../errors/index.ts'
import { type Address, bytesToHex, concatBytes, type Hex } from '../wire/index.ts'
import { SIGNATURE_BYTES } from './constants.ts'

/** Ethereum's v is the recovery bit plus 27. */
const V_OFFSET = 27

/**
 * Finds who signed a 32-byte digest, lower case; undefined where `recoverSigner` says undefined. A port: where signatures
 * are many, a native library may stand in for `recoverSigner`, with the same verdict on every input.
 */
export type RecoverSigner = (digest: Uint8Array, signature: Uint8Array) => Address | undefined

/** The account of a private key, lower case. */
export function addressOf(privateKey: Uint8Array): Address {
  return addressOfPoint(secp256k1.getPublicKey(privateKey, false))
}

/** Signs a 32-byte digest: r ‖ s ‖ v, low s, v 27 or 28. */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Uint8Array {
  const recovered = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' })
  return concatBytes(recovered.subarray(1), Uint8Array.of((recovered[0] ?? 0) + V_OFFSET))
}

/**
 * Who signed a digest, lower case; undefined unless the signature is 65 bytes, has low s, v 27 or 28, and
 * r and s in range. The contract refuses the same signatures.
 */
export function recoverSigner(digest: Uint8Array, signature: Uint8Array): Address | undefined {
  const recovery = (signature[SIGNATURE_BYTES - 1] ?? 0) - V_OFFSET
  if (signature.length !== SIGNATURE_BYTES || (recovery !== 0 && recovery !== 1)) return undefined
  try {
    const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
    if (parsed.hasHighS()) return undefined
    return addressOfPoint(parsed.addRecoveryBit(recovery).recoverPublicKey(digest).toBytes(false))
  } catch {
    // r or s outside 1..n-1, or r not on the curve.
    return undefined
  }
}

/**
 * The two words of EIP-2098 that the contract's claims carry: r, and s with v's bit on top.
 * @throws PAYMENT_SIGNATURE_INVALID unless the signature has 65 bytes with v 27 or 28.
 */
export function compactSignature(signature: Uint8Array): { r: Hex; vs: Hex } {
  const recovery = (signature[SIGNATURE_BYTES - 1] ?? 0) - V_OFFSET
  if (signature.length !== SIGNATURE_BYTES || (recovery !== 0 && recovery !== 1)) {
    throw new PostriderError('PAYMENT_SIGNATURE_INVALID')
  }
  const vs = signature.slice(32, 64)
  vs[0] = (vs[0] ?? 0) | (recovery << 7)
  return { r: bytesToHex(signature.subarray(0, 32)), vs: bytesToHex(vs) }
}

/** The account of a public key: 65 bytes, 0x04 first. */
export function addressOfPoint(uncompressed: Uint8Array): Address {
  return bytesToHex(keccak_256(uncompressed.subarray(1)).subarray(12))
}
