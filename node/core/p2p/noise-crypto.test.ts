import { defaultCrypto } from '@libp2p/noise/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNoiseCrypto } from './noise-crypto.ts'

const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength })

describe('noise cryptography', () => {
  it('property: gives what the default gives, for frames of any size', () => {
    const ours = createNoiseCrypto()
    fc.assert(
      fc.property(bytes(0, 3_000), bytes(12), bytes(0, 40), bytes(32), (plaintext, nonce, ad, key) => {
        const sealed = ours.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key).subarray()
        expect(Buffer.from(sealed)).toEqual(
          Buffer.from(defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key).subarray()),
        )
        const opened = ours.chaCha20Poly1305Decrypt(sealed, nonce, ad, key).subarray()
        expect(Buffer.from(opened)).toEqual(Buffer.from(plaintext))
        sealed[0] = (sealed[0] ?? 0) ^ 1
        expect(() => ours.chaCha20Poly1305Decrypt(sealed, nonce, ad, key)).toThrow()
      }),
      { numRuns: 200 },
    )
  })

  it('keeps the keys of connections apart', () => {
    const ours = createNoiseCrypto()
    const [nonce, ad, plaintext] = [new Uint8Array(12), new Uint8Array(), new Uint8Array(2_000)]
    const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const sealed = [one, two].map((key) =>
      Buffer.from(ours.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key).subarray()),
    )
    expect(sealed[0]?.equals(sealed[1] ?? Buffer.alloc(0))).toBe(false)
  })
})
