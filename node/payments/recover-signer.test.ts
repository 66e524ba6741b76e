import { createRequire } from 'node:module'
import { addressOf, type RecoverSigner, recoverSigner, signDigest } from '@postrider/protocol/payment'
import { bigIntToBytes, bytesToBigInt, concatBytes, hexToBytes } from '@postrider/protocol/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRecoverSigner } from './recover-signer.ts'
import { hex32 } from './testing/ledger-suite.ts'

/** Order of the group, and of the field. */
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const P = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn

const native = createRecoverSigner()
const key = hexToBytes(hex32('key'))
const digest = hexToBytes(hex32('digest'))
const signature = signDigest(digest, key)
const r = signature.slice(0, 32)
const s = signature.slice(32, 64)
const v = signature[64] ?? 0
const join = (parts: { r?: Uint8Array; s?: Uint8Array; v?: number }) =>
  concatBytes(parts.r ?? r, parts.s ?? s, Uint8Array.of(parts.v ?? v))

const word = (value: bigint) => bigIntToBytes(value, 32)
const edges = [0n, 1n, 2n, N / 2n, N / 2n + 1n, N - 1n, N, N + 1n, P - N, P - 1n, P, 2n ** 256n - 1n].map(
  word,
)

/** Both verdicts on the same bytes. */
const both = (recover: RecoverSigner, ...input: Parameters<RecoverSigner>) => [
  recover(...input),
  recoverSigner(...input),
]

describe('recovery of a signer by libsecp256k1', () => {
  it('is what runs here', () => {
    // Without a binary the rest compares the protocol's function with itself, on platforms that have none.
    if (process.platform !== 'linux' || process.arch !== 'x64') return
    expect(() => createRequire(import.meta.url)('secp256k1/bindings.js')).not.toThrow()
    expect(native).not.toBe(recoverSigner)
  })

  it('finds the signer', () => {
    expect(native(digest, signature)).toBe(addressOf(key))
  })

  it.each([
    ['the other s', join({ s: word(N - bytesToBigInt(s)) })],
    ['the other s with the other v', join({ s: word(N - bytesToBigInt(s)), v: 55 - v })],
    ['v 0', join({ v: v - 27 })],
    ['v 29', join({ v: 29 })],
    ['v 255', join({ v: 255 })],
    ['r 0', join({ r: word(0n) })],
    ['s 0', join({ s: word(0n) })],
    ['r n', join({ r: word(N) })],
    ['s n', join({ s: word(N) })],
    ['r not on the curve', join({ r: word(5n) })],
    ['64 bytes', signature.slice(0, 64)],
    ['66 bytes', concatBytes(signature, Uint8Array.of(0))],
    ['nothing', new Uint8Array()],
  ])('refuses %s, as the protocol does', (_, bytes) => {
    expect(both(native, digest, bytes)).toEqual([undefined, undefined])
  })

  it('finds somebody else with the other v, as the protocol does', () => {
    const [found, expected] = both(native, digest, join({ v: 55 - v }))
    expect(found).toBe(expected)
    expect(found).not.toBe(addressOf(key))
  })

  it('says on any bytes what the protocol says', () => {
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const word32 = fc.oneof(bytes32, fc.constantFrom(...edges), fc.constantFrom(r, s))
    const vs = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(27, 28) }, fc.nat(255))
    const built = fc.tuple(word32, word32, vs).map(([r, s, v]) => join({ r, s, v }))
    const any = fc.oneof({ weight: 9, arbitrary: built }, fc.uint8Array({ maxLength: 70 }))
    fc.assert(
      fc.property(bytes32, any, (hash, bytes) => {
        const [found, expected] = both(native, hash, bytes)
        expect(found).toBe(expected)
      }),
      { numRuns: 400 },
    )
  })

  it('leaves its input as it was, and works on parts of larger buffers', () => {
    const frame = concatBytes(new Uint8Array(7).fill(9), signature, new Uint8Array(3))
    expect(native(digest, frame.subarray(7, 72))).toBe(addressOf(key))
    expect(frame.subarray(7, 72)).toEqual(signature)
  })
})
