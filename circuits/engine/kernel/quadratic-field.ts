// F_q[u] / (u² + 1): an element is its real part followed by its imaginary part, normal when both are. Products take
// raw sums of two normal elements on both sides, as those of the prime field do.
import { type Code, I64, i32, i64, type Local, type ModuleBuilder } from '@postrider/protocol/wasm'
import {
  clearLowest,
  defineRawSums,
  FIELD_BYTES,
  indexes,
  LIMBS,
  load,
  product,
  storeCarried,
} from './prime-field.ts'

export const QUADRATIC_BYTES = 2 * FIELD_BYTES

const part = (pointer: Local, index: 0 | 1): Code =>
  index === 0 ? pointer.get : i32.add(pointer.get, i32.const(FIELD_BYTES))

/** Operations that act on both parts alike, with the number of their operands. */
const BY_PARTS = {
  ...{
    add: 2,
    sub: 2,
    double: 1,
    triple: 1,
    negate: 1,
    subTwice: 2,
    subEight: 2,
    subBoth: 3,
    subBothTwice: 3,
  },
  ...{ addLazy: 2, copy: 1 },
}

/** Defines the operations that a prime field has, so that curve formulas serve both. */
export function defineQuadraticField(m: ModuleBuilder, name: string, base: string, prime: bigint): void {
  for (const [operation, operands] of Object.entries(BY_PARTS)) {
    m.define(`${name}_${operation}`, 1 + operands, ({ params }) =>
      ([0, 1] as const).map((index) =>
        m.call(`${base}_${operation}`, ...params.map((pointer) => part(pointer, index))),
      ),
    )
  }
  defineRawSums(m, name, QUADRATIC_BYTES)
  m.define(
    `${name}_isZero`,
    1,
    ({ params: [from] }) =>
      i32.and(
        m.call(`${base}_isZero`, part(from as Local, 0)),
        m.call(`${base}_isZero`, part(from as Local, 1)),
      ),
    true,
  )
  defineProduct(m, name, base, prime)
  defineSquare(m, name, base, prime)
}

/** Columns of an unreduced product, 64 bits each. */
const COLUMNS = 2 * LIMBS - 1
const WIDE_BYTES = 8 * COLUMNS

/**
 * Karatsuba's three products, and only two reductions: the sums are made of unreduced columns. Those may wrap around
 * in between; what is reduced is a0 b0 - a1 b1 and a0 b1 + a1 b0, whose columns fit.
 */
function defineProduct(m: ModuleBuilder, name: string, base: string, prime: bigint): void {
  const [real, imaginary, cross] = Array.from({ length: 3 }, () => i32.const(m.reserve(WIDE_BYTES))) as [
    Code,
    Code,
    Code,
  ]
  const imaginaryLimb = (from: Local, i: number) => i64.load32S(from.get, FIELD_BYTES + 4 * i)
  defineWide(m, `${base}_wide`, load, load)
  // (a0 - a1) (b1 - b0)
  defineWide(
    m,
    `${name}_wideCross`,
    (from, i) => i64.sub(load(from, i), imaginaryLimb(from, i)),
    (from, i) => i64.sub(imaginaryLimb(from, i), load(from, i)),
  )
  defineReduction(m, `${base}_reduceDifference`, prime, [1, -1])
  defineReduction(m, `${base}_reduceSum`, prime, [1, 1, 1])
  m.define(`${name}_mul`, 3, ({ params }) => {
    const [to, a, b] = params as [Local, Local, Local]
    return [
      m.call(`${base}_wide`, real, part(a, 0), part(b, 0)),
      m.call(`${base}_wide`, imaginary, part(a, 1), part(b, 1)),
      m.call(`${name}_wideCross`, cross, a.get, b.get),
      m.call(`${base}_reduceDifference`, part(to, 0), real, imaginary),
      m.call(`${base}_reduceSum`, part(to, 1), real, imaginary, cross),
    ]
  })
}

type Limb = (from: Local, i: number) => Code

/** Columns of a product, neither carried nor reduced. */
function defineWide(m: ModuleBuilder, name: string, left: Limb, right: Limb): void {
  m.define(name, 3, (f) => {
    const [to, a, b] = f.params as [Local, Local, Local]
    const factor = indexes.map(() => f.local(I64))
    const row = f.local(I64)
    let column = indexes.map(() => f.local(I64))
    const store = (at: number, from: Local) => i64.store(to.get, 8 * at, from.get)
    const rows = indexes.map((i): Code => {
      const code: Code[] = [row.set(left(a, i))]
      for (const j of indexes) {
        const at = column[j] as Local
        const product = i64.mul(row.get, (factor[j] as Local).get)
        code.push(at.set(i === 0 || j === LIMBS - 1 ? product : i64.add(at.get, product)))
      }
      const [lowest, ...higher] = column as [Local, ...Local[]]
      code.push(store(i, lowest))
      column = [...higher, lowest]
      return code
    })
    return [
      factor.map((limb, j) => limb.set(right(b, j))),
      rows,
      column.slice(0, -1).map((at, j) => store(LIMBS + j, at)),
    ]
  })
}

/** to = weighted sum of products in columns, reduced. */
function defineReduction(m: ModuleBuilder, name: string, prime: bigint, weights: readonly number[]): void {
  m.define(name, 1 + weights.length, (f) => {
    const [to, ...wides] = f.params as [Local, ...Local[]]
    const sum = (k: number): Code =>
      wides
        .map((wide) => i64.load(wide.get, 8 * k))
        .reduce((all, one, i) => ((weights[i] ?? 0) < 0 ? i64.sub(all, one) : i64.add(all, one)))
    const quotient = f.local(I64)
    let column = indexes.map(() => f.local(I64))
    const first = column.map((at, k) => at.set(sum(k)))
    const rows = indexes.map((i): Code => {
      const cleared = clearLowest(prime, column, quotient)
      const [lowest, ...higher] = column as [Local, ...Local[]]
      column = [...higher, lowest]
      const next = i + LIMBS
      return [cleared, lowest.set(next < COLUMNS ? sum(next) : i64.const(0))]
    })
    return [first, rows, storeCarried(to, column.slice(0, -1))]
  })
}

/** (a + bu)² = (a + b)(a - b) + 2ab u: two products, whose sums are made limb by limb. */
function defineSquare(m: ModuleBuilder, name: string, base: string, prime: bigint): void {
  const scratch = i32.const(m.reserve(FIELD_BYTES))
  m.define(`${name}_twiceProductOfParts`, 2, (f) => {
    const [to, from] = f.params as [Local, Local]
    return product(f, prime, to, {
      rows: (i) => i64.shl(load(from, i), i64.const(1)),
      factor: (j) => i64.load32S(from.get, FIELD_BYTES + 4 * j),
    })
  })
  m.define(`${name}_differenceOfSquares`, 2, (f) => {
    const [to, from] = f.params as [Local, Local]
    const imaginary = (i: number) => i64.load32S(from.get, FIELD_BYTES + 4 * i)
    return product(f, prime, to, {
      rows: (i) => i64.add(load(from, i), imaginary(i)),
      factor: (j) => i64.sub(load(from, j), imaginary(j)),
    })
  })
  m.define(`${name}_sqr`, 2, ({ params }) => {
    const [to, from] = params as [Local, Local]
    return [
      m.call(`${name}_twiceProductOfParts`, scratch, from.get),
      m.call(`${name}_differenceOfSquares`, to.get, from.get),
      m.call(`${base}_copy`, part(to, 1), scratch),
    ]
  })
}
