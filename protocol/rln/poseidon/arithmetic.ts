// Code for sums of products modulo the scalar field's prime p, unrolled.
//
// An element is nine limbs of 29 bits in 32-bit words, lowest first, in Montgomery form with R = 2^261. With 29 bits
// the products of a column can be added up in 64 bits without a carry, which WebAssembly does not have: a column
// of k products and the reduction holds at most 9 (k + 1) times 2^58, so k ≤ 6. R is 169 p, so a sum of k products of
// values below a p and b p comes out below (k a b / 169 + 1) p. In the schedule an entry of the register is such a sum
// and a constant, below 2.1 p; the next x is another sum and that entry, below 3.1 p; and a fifth power of that is below
// 1.1 p again. So nothing but the result needs to be reduced below p.
import {
  type Code,
  type FunctionBuilder,
  I64,
  i64,
  type Local,
  type ModuleBuilder,
} from '../../wasm/assembler.ts'
import { FIELD_MODULUS } from '../constants.ts'

const LIMBS = 9
const LIMB_BITS = 29
const MASK = (1n << BigInt(LIMB_BITS)) - 1n
const indexes = Array.from({ length: LIMBS }, (_, i) => i)

/** Bytes of an element's limbs. */
export const LIMB_BYTES = 4 * LIMBS

/** log2 of Montgomery's R. */
export const MONTGOMERY_BITS = BigInt(LIMBS * LIMB_BITS)

export const toLimbs = (value: bigint): number[] =>
  indexes.map((i) => Number((value >> BigInt(LIMB_BITS * i)) & MASK))

const p = toLimbs(FIELD_MODULUS).map(BigInt)

// The lowest limb of p is 2^28 + 1, and -1/p modulo 2^29 is 2^28 - 1: products by them are a shift and a sum.
const SHIFT = LIMB_BITS - 1

/** Adds as many products as there are elements one after the other at two addresses. */
export type Products = { left: Local; right: Local; count: number }

const load = (from: Local, limb: number, element = 0): Code =>
  i64.load32U(from.get, LIMB_BYTES * element + 4 * limb)

const add = (to: Local, value: Code): Code => to.set(i64.add(to.get, value))

/**
 * Defines `name(to, left…, right…, addends…)`: the sum of the products of `counts` pairs each, divided by R, plus the
 * addends. `to` may be one of the operands.
 */
export function defineSum(m: ModuleBuilder, name: string, counts: readonly number[], addends: number): void {
  m.define(name, 1 + 2 * counts.length + addends, (f) => {
    const [to, ...rest] = f.params as [Local, ...Local[]]
    const products = counts.map(
      (count, i) => ({ left: rest[2 * i], right: rest[2 * i + 1], count }) as Products,
    )
    const columns = sumOfProducts(f, products)
    const added = rest.slice(2 * counts.length)
    return storeCarried(to, columns, added)
  })
}

/** Defines `name(to, from)`: the square, divided by R. */
export function defineSquare(m: ModuleBuilder, name: string): void {
  m.define(name, 2, (f) => {
    const [to, from] = f.params as [Local, Local]
    const factor = indexes.map(() => f.local(I64))
    const row = f.local(I64)
    const code = indexes.map((j) => (factor[j] as Local).set(load(from, j)))
    // What is above the diagonal is computed once and doubled.
    const rows = reducedRows(f, (i, columns) => [
      columns.at(-1)?.set(i64.const(0)) ?? [],
      row.set((factor[i] as Local).get),
      indexes.slice(i).map((j): Code => {
        const step = add(columns[j] as Local, i64.mul(row.get, (factor[j] as Local).get))
        return j === i ? [step, row.set(i64.shl(row.get, i64.const(1)))] : step
      }),
    ])
    return [code, storeCarried(to, rows, [])]
  })
}

type Columns = { code: Code; columns: readonly Local[] }

function sumOfProducts(f: FunctionBuilder, products: readonly Products[]): Columns {
  const row = f.local(I64)
  const terms = products.flatMap(({ left, right, count }) =>
    Array.from({ length: count }, (_, element) => ({ left, right, element })),
  )
  return reducedRows(f, (i, columns) => [
    columns.at(-1)?.set(i64.const(0)) ?? [],
    terms.map(({ left, right, element }) => [
      row.set(load(left, i, element)),
      indexes.map((j) => add(columns[j] as Local, i64.mul(row.get, load(right, j, element)))),
    ]),
  ])
}

/** Nine rows of a product, each followed by one step of Montgomery's reduction, which frees the lowest column. */
function reducedRows(f: FunctionBuilder, addRow: (i: number, columns: readonly Local[]) => Code): Columns {
  const quotient = f.local(I64)
  let columns = indexes.map(() => f.local(I64))
  const code = indexes.map((i): Code => {
    const [lowest, second] = columns as [Local, Local]
    const step = [
      addRow(i, columns),
      quotient.set(i64.and(i64.sub(i64.shl(lowest.get, i64.const(SHIFT)), lowest.get), i64.const(MASK))),
      add(lowest, i64.add(i64.shl(quotient.get, i64.const(SHIFT)), quotient.get)),
      columns.slice(1).map((at, j) => add(at, i64.mul(quotient.get, i64.const(p[j + 1] ?? 0n)))),
      // The lowest column is a multiple of 2^29 now: what is above goes to the next, and the column starts over.
      add(second, i64.shrU(lowest.get, i64.const(LIMB_BITS))),
    ]
    columns = [...columns.slice(1), lowest]
    return step
  })
  return { code, columns: columns.slice(0, -1) }
}

/** Adds the addends, carries upwards and stores; the top limb is what is carried out of the others. */
function storeCarried(to: Local, { code, columns }: Columns, addends: readonly Local[]): Code {
  return [
    code,
    columns.map((at, j) => addends.map((addend) => add(at, load(addend, j)))),
    columns.map((at, j): Code => {
      const next = columns[j + 1]
      const carry = i64.shrU(at.get, i64.const(LIMB_BITS))
      const top = addends.reduce<Code>((sum, addend) => i64.add(sum, load(addend, j + 1)), carry)
      return [
        i64.store32(to.get, 4 * j, i64.and(at.get, i64.const(MASK))),
        next === undefined ? i64.store32(to.get, 4 * (j + 1), top) : add(next, carry),
      ]
    }),
  ]
}

/** Defines `name(to, from)`: 32 little-endian bytes to limbs; neither reduced nor in Montgomery form. */
export function defineFromBytes(m: ModuleBuilder, name: string): void {
  m.define(name, 2, ({ params }) => {
    const [to, from] = params as [Local, Local]
    return indexes.map((j) => {
      // The last limb's eight bytes would reach past the end.
      const byte = j === LIMBS - 1 ? 24 : (LIMB_BITS * j) >> 3
      const shifted = i64.shrU(i64.load(from.get, byte), i64.const(LIMB_BITS * j - 8 * byte))
      return i64.store32(to.get, 4 * j, i64.and(shifted, i64.const(MASK)))
    })
  })
}

/** Defines `name(to, from)`: limbs of a value of at most 2p - 1 to 32 little-endian bytes, reduced below p. */
export function defineToBytes(m: ModuleBuilder, name: string): void {
  m.define(name, 2, (f) => {
    const [to, from] = f.params as [Local, Local]
    const value = indexes.map(() => f.local(I64))
    const less = indexes.map(() => f.local(I64))
    return [
      indexes.map((j) => (value[j] as Local).set(load(from, j))),
      subtractModulus(f, value, less),
      [0, 1, 2, 3].map((word) => i64.store(to.get, 8 * word, gather(value, word))),
    ]
  })
}

/** value = value - p, unless that is negative; without a branch. */
function subtractModulus(f: FunctionBuilder, value: readonly Local[], less: readonly Local[]): Code {
  const borrow = f.local(I64)
  const subtracted = indexes.map((j): Code => {
    const [at, from] = [less[j], value[j]] as [Local, Local]
    return [
      borrow.set(i64.add(j === 0 ? i64.const(0) : borrow.get, i64.sub(from.get, i64.const(p[j] ?? 0n)))),
      at.set(i64.and(borrow.get, i64.const(MASK))),
      borrow.set(i64.shrS(borrow.get, i64.const(LIMB_BITS))),
    ]
  })
  // borrow is all ones or zero now.
  const chosen = indexes.map((j): Code => {
    const [at, from] = [less[j], value[j]] as [Local, Local]
    return from.set(i64.xor(at.get, i64.and(borrow.get, i64.xor(at.get, from.get))))
  })
  return [subtracted, chosen]
}

/** The 64 bits of the value from bit 64 · word on. */
function gather(value: readonly Local[], word: number): Code {
  const parts = value.flatMap((limb, j): Code[] => {
    const shift = LIMB_BITS * j - 64 * word
    if (shift <= -LIMB_BITS || shift >= 64) return []
    return [shift >= 0 ? i64.shl(limb.get, i64.const(shift)) : i64.shrU(limb.get, i64.const(-shift))]
  })
  return parts.reduce((all, one) => i64.or(all, one))
}
