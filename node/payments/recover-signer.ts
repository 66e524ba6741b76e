import { createRequire } from 'node:module'
import { addressOfPoint, type RecoverSigner, recoverSigner } from '@postrider/protocol/payment'

/** The part of the binding that is used. Throws on what does not parse or has no public key. */
type Secp256k1Binding = {
  ecdsaRecover(
    signature: Uint8Array,
    recovery: number,
    digest: Uint8Array,
    compressed: false,
    output: Uint8Array,
  ): Uint8Array
}

/** r, s and v. */
const SIGNATURE_BYTES = 65
const V_OFFSET = 27
const PUBLIC_KEY_BYTES = 65

/** (n − 1) / 2 of secp256k1, big-endian: a greater s has a smaller twin that anybody can make from it. */
const MAX_S = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex')

/**
 * `recoverSigner` of the protocol through Bitcoin's libsecp256k1, twenty times as fast. Without a binary for this
 * platform it is the protocol's own.
 */
export function createRecoverSigner(): RecoverSigner {
  const binding = loadBinding()
  return binding ? nativeRecoverSigner(binding) : recoverSigner
}

// The package's own fallback, in JavaScript, is not the one that the contract's verdicts were compared with.
function loadBinding(): Secp256k1Binding | undefined {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings.js') as Secp256k1Binding
  } catch {
    return undefined
  }
}

function nativeRecoverSigner(binding: Secp256k1Binding): RecoverSigner {
  const point = new Uint8Array(PUBLIC_KEY_BYTES)
  return (digest, signature) => {
    const recovery = (signature[SIGNATURE_BYTES - 1] ?? 0) - V_OFFSET
    if (signature.length !== SIGNATURE_BYTES || (recovery !== 0 && recovery !== 1)) return undefined
    if (MAX_S.compare(signature, 32, 64) < 0) return undefined
    try {
      return addressOfPoint(binding.ecdsaRecover(signature.subarray(0, 64), recovery, digest, false, point))
    } catch {
      // r or s outside 1..n-1, or r not on the curve.
      return undefined
    }
  }
}
