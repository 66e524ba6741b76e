// Arithmetic modulo a 254-bit prime, unrolled.
//
// An element is nine limbs of 29 bits in 32-bit words, lowest first, in Montgomery form with R = 2^261. 29 bits leave
// room for the eighteen products of a column to be summed in 64 bits without a carry, which is what WebAssembly
// lacks. The seven bits that nine limbs have beyond the prime let values stay unreduced for a while:
//
//   invariant    limbs in [0, 2^29), value in [0, 2p)
//   mul, sqr     take values whose bounds multiply to at most 128 p² and restore the invariant
//   lazy sums    keep the limbs normal and let the value grow; whoever uses them states the bound
//
// Cost is counted in 64-bit multiplications, one per cycle: 171 for a product, 135 for a square.
import {
  type Code,
  type FunctionBuilder,
  I64,
  i32,
  i64,
  type Local,
  type ModuleBuilder,
} from './assembler.ts'

export const LIMBS = 9
export const LIMB_BITS = 29
const MASK = (1n << BigInt(LIMB_BITS)) - 1n
/** Bytes of an element. */
export const FIELD_BYTES = 4 * LIMBS
export const MONTGOMERY_BITS = LIMBS * LIMB_BITS

const indexes = Array.from({ length: LIMBS }, (_, i) => i)

export const toLimbs = (value: bigint): bigint[] =>
  indexes.map((i) => (value >> BigInt(LIMB_BITS * i)) & (i === LIMBS - 1 ? ~0n : MASK))

/** Defines `name_mul`, `_sqr`, `_add`, `_sub`, …; every one takes addresses, the destination first. */
export function definePrimeField(m: ModuleBuilder, name: string, prime: bigint): void {
  const limbs = toLimbs(prime)
  defineProduct(m, `${name}_mul`, limbs, prime, false)
  defineProduct(m, `${name}_sqr`, limbs, prime, true)
  for (const [operation, weights] of Object.entries(SUMS)) {
    defineSum(m, `${name}_${operation}`, prime, weights, true)
    defineSum(m, `${name}_${operation}Lazy`, prime, weights, false)
  }
  defineCopy(m, `${name}_copy`)
  defineIsZero(m, `${name}_isZero`, limbs)
  defineFromBytes(m, `${name}_fromBytes`)
  defineToBytes(m, `${name}_toBytes`, limbs)
}

/** The linear combinations that formulas need, as weights of their operands. Operands keep the invariant. */
const SUMS = {
  add: [1, 1],
  sub: [1, -1],
  double: [2],
  triple: [3],
  negate: [-1],
  subTwice: [1, -2],
  subBoth: [1, -1, -1],
} as const

const load = (from: Local, i: number): Code => i64.load32U(from.get, 4 * i)

/** destination = left · right / R, or the square. Montgomery's reduction row by row, in between the products. */
function defineProduct(m: ModuleBuilder, name: string, p: bigint[], prime: bigint, square: boolean): void {
  const inverse = negatedInverse(prime)
  m.define(name, square ? 2 : 3, (f) => {
    const [to, left, right = left] = f.params as [Local, Local, Local?]
    const factor = indexes.map(() => f.local(I64))
    const [row, quotient] = [f.local(I64), f.local(I64)]
    const code: Code[] = indexes.map((j) => (factor[j] as Local).set(load(right, j)))
    let column = indexes.map(() => f.local(I64))
    for (const i of indexes) {
      const [lowest, second] = column as [Local, Local]
      code.push(row.set(square ? (factor[i] as Local).get : load(left, i)))
      code.push(addProducts(i, row, factor, column, square))
      code.push(quotient.set(i64.and(i64.mul(lowest.get, i64.const(inverse)), i64.const(MASK))))
      for (const j of indexes) {
        const at = column[j] as Local
        code.push(at.set(i64.add(at.get, i64.mul(quotient.get, i64.const(p[j] ?? 0n)))))
      }
      // The lowest column is now a multiple of 2^29: shift it out, and let the next row start a column lower.
      code.push(second.set(i64.add(second.get, i64.shrU(lowest.get, i64.const(LIMB_BITS)))))
      column = [...column.slice(1), lowest]
    }
    return [code, storeCarried(to, column.slice(0, -1))]
  })
}

/** Adds row i of the product. A square computes what is above the diagonal once and doubles it. */
function addProducts(i: number, row: Local, factor: Local[], column: Local[], square: boolean): Code {
  return indexes.map((j): Code => {
    const [at, other] = [column[j] as Local, factor[j] as Local]
    // The first row starts all columns, each later one starts the column that the shift has set free.
    const fresh = i === 0 || j === LIMBS - 1
    if (square && j < i) return fresh ? at.set(i64.const(0)) : []
    const product = i64.mul(row.get, other.get)
    const step = at.set(fresh ? product : i64.add(at.get, product))
    return square && j === i ? [step, row.set(i64.shl(row.get, i64.const(1)))] : step
  })
}

/** Carries upwards and stores; the top limb is what is carried out of the others. */
function storeCarried(to: Local, column: readonly Local[]): Code {
  return column.map((at, j): Code => {
    const next = column[j + 1]
    const carry = i64.shrU(at.get, i64.const(LIMB_BITS))
    return [
      i64.store32(to.get, 4 * j, i64.and(at.get, i64.const(MASK))),
      next === undefined ? i64.store32(to.get, 4 * (j + 1), carry) : next.set(i64.add(next.get, carry)),
    ]
  })
}

/** -1/p modulo 2^29. */
function negatedInverse(prime: bigint): bigint {
  let inverse = 1n
  for (let i = 0; i < 5; i++) inverse = (inverse * (2n - prime * inverse)) & MASK
  return (1n << BigInt(LIMB_BITS)) - inverse
}

/**
 * destination = weighted sum of the operands + K p, with K so large that the sum cannot be negative. Reduced, the
 * invariant holds again: the quotient by p is estimated, never too high, from the top limb.
 */
function defineSum(
  m: ModuleBuilder,
  name: string,
  prime: bigint,
  weights: readonly number[],
  reduce: boolean,
): void {
  const negative = -2 * weights.reduce((sum, weight) => sum + Math.min(weight, 0), 0)
  const offset = toLimbs(BigInt(negative) * prime)
  const p = toLimbs(prime)
  m.define(name, 1 + weights.length, (f) => {
    const [to, ...operands] = f.params as [Local, ...Local[]]
    const term = (j: number): Code =>
      operands.reduce<Code>(
        (sum, operand, k) => {
          const weight = weights[k] ?? 0
          const size = Math.abs(weight)
          const value = size === 1 ? load(operand, j) : i64.mul(load(operand, j), i64.const(size))
          return weight < 0 ? i64.sub(sum, value) : i64.add(sum, value)
        },
        i64.const(offset[j] ?? 0n),
      )
    const [carry, quotient] = [f.local(I64), f.local(I64)]
    const top = p[LIMBS - 1] ?? 1n
    // Divisor two above p's top limb: one for the limbs below it, one for a borrow that is still to come.
    const reciprocal = (1n << 46n) / (top + 2n)
    const estimate = i64.shrU(i64.mul(term(LIMBS - 1), i64.const(reciprocal)), i64.const(46))
    return [
      reduce ? quotient.set(estimate) : [],
      indexes.map((j): Code => {
        const sum = reduce ? i64.sub(term(j), i64.mul(quotient.get, i64.const(p[j] ?? 0n))) : term(j)
        const carried = j === 0 ? sum : i64.add(sum, carry.get)
        if (j === LIMBS - 1) return i64.store32(to.get, 4 * j, carried)
        return [
          carry.set(carried),
          i64.store32(to.get, 4 * j, i64.and(carry.get, i64.const(MASK))),
          carry.set(i64.shrS(carry.get, i64.const(LIMB_BITS))),
        ]
      }),
    ]
  })
}

function defineCopy(m: ModuleBuilder, name: string): void {
  m.define(name, 2, ({ params }) => {
    const [to, from] = params as [Local, Local]
    return [
      [0, 8, 16, 24].map((at) => i64.store(to.get, at, i64.load(from.get, at))),
      i32.store(to.get, 32, i32.load(from.get, 32)),
    ]
  })
}

/** 1 when an element is 0 modulo p: under the invariant, exactly when its limbs are those of 0 or of p. */
function defineIsZero(m: ModuleBuilder, name: string, p: bigint[]): void {
  const differs = (from: Local, value: readonly bigint[]): Code =>
    indexes
      .map((j) => i64.xor(load(from, j), i64.const(value[j] ?? 0n)))
      .reduce((all, one) => i64.or(all, one))
  m.define(
    name,
    1,
    ({ params: [from] }) => {
      const a = from as Local
      return i32.or(
        i64.eqz(
          differs(
            a,
            indexes.map(() => 0n),
          ),
        ),
        i64.eqz(differs(a, p)),
      )
    },
    true,
  )
}

/** 32 little-endian bytes to limbs, nothing else: no reduction, no Montgomery form. */
function defineFromBytes(m: ModuleBuilder, name: string): void {
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

/** Limbs to 32 little-endian bytes, reduced below p. Leave Montgomery form first. */
function defineToBytes(m: ModuleBuilder, name: string, p: bigint[]): void {
  m.define(name, 2, (f) => {
    const [to, from] = f.params as [Local, Local]
    const value = indexes.map(() => f.local(I64))
    const less = indexes.map(() => f.local(I64))
    return [
      indexes.map((j) => (value[j] as Local).set(load(from, j))),
      subtractModulus(f, value, less, p),
      [0, 1, 2, 3].map((word) => i64.store(to.get, 8 * word, gather(value, word))),
    ]
  })
}

/** value = value - p, unless that is negative. */
function subtractModulus(f: FunctionBuilder, value: Local[], less: Local[], p: bigint[]): Code {
  const borrow = f.local(I64)
  const subtracted = indexes.map((j): Code => {
    const [at, from] = [less[j] as Local, value[j] as Local]
    const difference = i64.sub(from.get, i64.const(p[j] ?? 0n))
    return [
      borrow.set(j === 0 ? difference : i64.add(difference, borrow.get)),
      at.set(i64.and(borrow.get, i64.const(MASK))),
      borrow.set(i64.shrS(borrow.get, i64.const(LIMB_BITS))),
    ]
  })
  // borrow is now all ones or zero: choose without a branch.
  const chosen = indexes.map((j): Code => {
    const [at, from] = [less[j] as Local, value[j] as Local]
    return from.set(i64.xor(at.get, i64.and(borrow.get, i64.xor(at.get, from.get))))
  })
  return [subtracted, chosen]
}

/** The 64 bits of `value` from bit 64 · word on. */
function gather(value: readonly Local[], word: number): Code {
  const parts = value.flatMap((limb, j): Code[] => {
    const shift = LIMB_BITS * j - 64 * word
    if (shift <= -LIMB_BITS || shift >= 64) return []
    return [shift >= 0 ? i64.shl(limb.get, i64.const(shift)) : i64.shrU(limb.get, i64.const(-shift))]
  })
  return parts.reduce((all, one) => i64.or(all, one))
}
