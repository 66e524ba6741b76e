import { createSecretKey, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'
import { asCrypto, defaultCrypto, nodeCrypto } from '@libp2p/noise/crypto'
import { NATIVE_CIPHER_BYTES } from './constants.ts'

/**
 * Noise's cryptography with Node's cipher for all but small frames, its key prepared once for a connection. Given the
 * key as bytes, Node prepares it for each frame, which takes twice as long as encrypting 1 KiB.
 */
export function createNoiseCrypto(): ICryptoInterface {
  // By identity: a cipher's key is one array for as long as the connection lives, and never written to.
  const prepared = new WeakMap<Uint8Array, KeyObject>()

  const prepare = (key: Uint8Array): KeyObject => {
    let object = prepared.get(key)
    if (!object) {
      object = createSecretKey(key)
      prepared.set(key, object)
    }
    return object
  }
  // Passed on as it is to `createCipheriv`, which takes both; the type names only bytes.
  const native = (key: Uint8Array) => prepare(key) as unknown as Uint8Array

  return {
    ...defaultCrypto,
    chaCha20Poly1305Encrypt: (plaintext, nonce, ad, key) =>
      plaintext.byteLength < NATIVE_CIPHER_BYTES
        ? asCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key)
        : nodeCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, native(key)),
    chaCha20Poly1305Decrypt: (ciphertext, nonce, ad, key, dst) =>
      ciphertext.byteLength < NATIVE_CIPHER_BYTES
        ? asCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, dst)
        : nodeCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, native(key)),
  }
}
