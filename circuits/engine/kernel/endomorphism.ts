// Scalars in half: k = k1 + k2 · lambda modulo r, both halves below 2^127 in size (Gallant, Lambert, Vanstone). The
// curve's endomorphism (x, y) → (beta x, y) multiplies by lambda, so a point and its image share one scalar's work.

import {
  block,
  type Code,
  type FunctionBuilder,
  I32,
  I64,
  i32,
  i64,
  type Local,
  type ModuleBuilder,
} from '@postrider/protocol/wasm'
import { SCALAR_MODULUS } from '../constants.ts'

/** A third root of unity modulo r. */
export const LAMBDA = 4407920970296243842393367215006156084916469457145843978461n
/** The third roots of unity modulo q with which the map multiplies by LAMBDA, on G1 and on G2. */
export const BETA_G1 = 2203960485148121921418603742825762020974279258880205651966n
export const BETA_G2 = 21888242871839275220042445260109153167277707414472061641714758635765020556616n

/** A split scalar: two magnitudes of 16 bytes, little-endian, then two words that are 1 for a negative half. */
export const SPLIT_BYTES = 40
/** Bits of a half's magnitude at most. */
export const HALF_BITS = 127

/** Two short vectors (a, b) with a + b · lambda = 0 modulo r, from the extended Euclidean algorithm. */
function shortBasis(): [a1: bigint, b1: bigint, a2: bigint, b2: bigint] {
  let [r0, r1, t0, t1] = [SCALAR_MODULUS, LAMBDA, 0n, 1n]
  while (r1 * r1 >= SCALAR_MODULUS) {
    const quotient = r0 / r1
    ;[r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1]
  }
  return [r1, -t1, r0, -t0]
}

const WORD = 0xffff_ffffn
const words = (value: bigint, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => (value >> BigInt(32 * i)) & WORD)

/** Words of the results before their signs are taken off: 127 bits, a sign, and room. */
const RESULT_WORDS = 5

/** Defines `split(to, from, end)` over arrays of 32-byte scalars below r. */
export function defineSplit(m: ModuleBuilder): void {
  const [a1, b1, a2, b2] = shortBasis()
  // c1 = b2 k / r and c2 = -b1 k / r, up to one: the division becomes a product with a 256-bit reciprocal.
  const [g1, g2] = [(b2 << 256n) / SCALAR_MODULUS, (-b1 << 256n) / SCALAR_MODULUS]

  m.define('split', 3, (f) => {
    const [to, from, end] = f.params as [Local, Local, Local]
    const k = Array.from({ length: 8 }, () => f.local(I64))
    const scratch = createProducts(f)
    const c1 = scratch.highProduct(k, words(g1, 3), 2)
    const c2 = scratch.highProduct(k, words(g2, 5), 4)
    const k1 = Array.from({ length: RESULT_WORDS }, () => f.local(I64))
    const k2 = Array.from({ length: RESULT_WORDS }, () => f.local(I64))
    const body: Code = [
      k.map((word, i) => word.set(i64.load32U(from.get, 4 * i))),
      c1.code,
      c2.code,
      k1.map((word, i) => word.set((k[i] as Local).get)),
      scratch.subtractProduct(k1, c1.words, words(a1, 2)),
      scratch.subtractProduct(k1, c2.words, words(a2, 4)),
      // -k2 = c1 b1 + c2 b2; b1 is negative.
      k2.map((word) => word.set(i64.const(0))),
      scratch.subtractProduct(k2, c2.words, words(b2, 2)),
      scratch.addProduct(k2, c1.words, words(-b1, 4)),
      storeMagnitude(f, to, 0, 32, k1),
      storeMagnitude(f, to, 16, 36, k2),
      from.set(i32.add(from.get, i32.const(32))),
      to.set(i32.add(to.get, i32.const(SPLIT_BYTES))),
    ]
    return block.doWhile(body, i32.ltU(from.get, end.get))
  })
}

/** Multi-word products by constants, in 64-bit locals that hold 32 bits each. */
function createProducts(f: FunctionBuilder) {
  const carry = f.local(I64)
  const low = (value: Code) => i64.and(value, i64.const(WORD))

  /** into += left · right, for the words that `into` has. */
  function addProduct(into: readonly Local[], left: readonly Local[], right: readonly bigint[]): Code {
    return left.map((word, i): Code => {
      const columns = into.slice(i)
      return [
        carry.set(i64.const(0)),
        columns.map((column, j): Code => {
          const factor = right[j]
          const product = factor === undefined ? [] : [i64.mul(word.get, i64.const(factor)), 0x7c]
          return [
            carry.set([carry.get, product, column.get, 0x7c]),
            column.set(low(carry.get)),
            carry.set(i64.shrU(carry.get, i64.const(32))),
          ]
        }),
      ]
    })
  }

  /** into -= left · right, modulo 2^(32 words): adds the product of the two's complement. */
  function subtractProduct(into: readonly Local[], left: readonly Local[], right: readonly bigint[]): Code {
    const value = right.reduce((sum, word, i) => sum + (word << BigInt(32 * i)), 0n)
    const complement = (1n << BigInt(32 * into.length)) - value
    return addProduct(into, left, words(complement, into.length))
  }

  /** The words of left · right from bit 256 on. */
  function highProduct(left: readonly Local[], right: readonly bigint[], count: number) {
    const columns = Array.from({ length: 8 + count + 1 }, () => f.local(I64))
    const code: Code = [columns.map((column) => column.set(i64.const(0))), addProduct(columns, left, right)]
    return { code, words: columns.slice(8, 8 + count) }
  }

  return { addProduct, subtractProduct, highProduct }
}

/** Stores |value| in 16 bytes and its sign in a word. `value` is in two's complement. */
function storeMagnitude(
  f: FunctionBuilder,
  to: Local,
  offset: number,
  signOffset: number,
  value: readonly Local[],
): Code {
  const [negative, carry] = [f.local(I32), f.local(I64)]
  const mask = f.local(I64)
  const top = value.at(-1) as Local
  return [
    negative.set(i64.toI32(i64.shrU(top.get, i64.const(31)))),
    mask.set(i64.mul(i64.fromI32(negative.get), i64.const(WORD))),
    carry.set(i64.fromI32(negative.get)),
    value
      .slice(0, 4)
      .map(
        (word, i): Code => [
          carry.set(i64.add(carry.get, i64.xor(word.get, mask.get))),
          i64.store32(to.get, offset + 4 * i, carry.get),
          carry.set(i64.shrU(carry.get, i64.const(32))),
        ],
      ),
    i32.store(to.get, signOffset, negative.get),
  ]
}
