// Arithmetic modulo a 254-bit prime, unrolled.
//
// An element is nine signed limbs of 29 bits in 32-bit words, lowest first, in Montgomery form with R = 2^261. It is
// normal when its limbs below the top one are within ±2^28 and its value within ±2p.
//
// WebAssembly has no carry flag, so the room is spent on doing without: a column of a product sums nine products of
// limbs in 64 bits, and limbs have bits to spare for a few additions before that. Operations come in three kinds:
//
//   add, sub, …   normal from normal
//   …Lazy         carries, but lets the value grow: whoever uses it states the bound
//   …Raw          adds limb by limb, four at a time; a product takes sums of two normal elements on both sides
//
// Products take values that multiply to at most 128 p², give normal ones, and cost 171 64-bit multiplications, of which
// a processor does one per cycle; squares cost 135.
import {
  type Code,
  type FunctionBuilder,
  I64,
  i32,
  i64,
  type Local,
  type ModuleBuilder,
  v128,
} from '@postrider/protocol/wasm'

export const LIMBS = 9
export const LIMB_BITS = 29
const MASK = (1n << BigInt(LIMB_BITS)) - 1n
const HALF = 1n << BigInt(LIMB_BITS - 1)
/** Bytes of an element. */
export const FIELD_BYTES = 4 * LIMBS
export const MONTGOMERY_BITS = LIMBS * LIMB_BITS

export const indexes = Array.from({ length: LIMBS }, (_, i) => i)

/** Normal limbs of a value. */
export function toLimbs(value: bigint): bigint[] {
  let rest = value
  return indexes.map((i) => {
    if (i === LIMBS - 1) return rest
    const limb = BigInt.asIntN(LIMB_BITS, rest)
    rest = (rest - limb) >> BigInt(LIMB_BITS)
    return limb
  })
}

/** Defines `name_mul`, `_sqr`, `_add`, `_sub`, …; every one takes addresses, the destination first. */
export function definePrimeField(m: ModuleBuilder, name: string, prime: bigint): void {
  m.define(`${name}_mul`, 3, (f) => {
    const [to, left, right] = f.params as [Local, Local, Local]
    return product(f, prime, to, { rows: (i) => load(left, i), factor: (j) => load(right, j) })
  })
  m.define(`${name}_sqr`, 2, (f) => {
    const [to, from] = f.params as [Local, Local]
    return square(f, prime, to, from)
  })
  for (const [operation, weights] of Object.entries(SUMS)) {
    defineSum(m, `${name}_${operation}`, prime, weights)
  }
  defineSum(m, `${name}_addLazy`, prime, [1, 1], { reduce: false })
  defineSum(m, `${name}_subLazy`, prime, [1, -1], { reduce: false })
  defineRawSums(m, name, FIELD_BYTES)
  defineCopy(m, `${name}_copy`)
  defineIsZero(m, `${name}_isZero`, prime)
  defineFromBytes(m, `${name}_fromBytes`)
  defineToBytes(m, `${name}_toBytes`, prime)
}

/** The linear combinations that formulas need, as weights of their operands. */
const SUMS = {
  add: [1, 1],
  sub: [1, -1],
  double: [2],
  triple: [3],
  negate: [-1],
  subTwice: [1, -2],
  subEight: [1, -8],
  subBoth: [1, -1, -1],
  subBothTwice: [1, -1, -2],
} as const

export const load = (from: Local, i: number): Code => i64.load32S(from.get, 4 * i)

/** A product's limbs: those that give a row each, and those that stay in locals. */
type Factors = { rows(i: number): Code; factor(j: number): Code }

/** to = rows · factor / R, by Montgomery's reduction row by row between the products. */
export function product(f: FunctionBuilder, prime: bigint, to: Local, { rows, factor }: Factors): Code {
  const right = indexes.map(() => f.local(I64))
  const row = f.local(I64)
  const addRow = (i: number, column: readonly Local[]): Code => [
    row.set(rows(i)),
    indexes.map((j) =>
      accumulate(column[j] as Local, i64.mul(row.get, (right[j] as Local).get), i === 0 || j === LIMBS - 1),
    ),
  ]
  return [right.map((limb, j) => limb.set(factor(j))), reduceRows(f, prime, to, addRow)]
}

/** The same for a square: what is above the diagonal is computed once and doubled. */
function square(f: FunctionBuilder, prime: bigint, to: Local, from: Local): Code {
  const limb = indexes.map(() => f.local(I64))
  const row = f.local(I64)
  const addRow = (i: number, column: readonly Local[]): Code => [
    row.set((limb[i] as Local).get),
    indexes.map((j): Code => {
      const [at, other] = [column[j] as Local, limb[j] as Local]
      const fresh = i === 0 || j === LIMBS - 1
      if (j < i) return fresh ? at.set(i64.const(0)) : []
      const step = accumulate(at, i64.mul(row.get, other.get), fresh)
      return j === i ? [step, row.set(i64.shl(row.get, i64.const(1)))] : step
    }),
  ]
  return [limb.map((each, j) => each.set(load(from, j))), reduceRows(f, prime, to, addRow)]
}

const accumulate = (at: Local, value: Code, fresh: boolean): Code =>
  at.set(fresh ? value : i64.add(at.get, value))

/**
 * Nine rows, each added at a column that is one higher than the last row's. When a row is in, the lowest column is
 * complete: a multiple of p clears its low bits, and it is shifted out.
 */
function reduceRows(
  f: FunctionBuilder,
  prime: bigint,
  to: Local,
  addRow: (i: number, column: readonly Local[]) => Code,
): Code {
  let column = indexes.map(() => f.local(I64))
  const quotient = f.local(I64)
  const code = indexes.map((i): Code => {
    const rowCode = addRow(i, column)
    const reduction = clearLowest(prime, column, quotient)
    column = [...column.slice(1), column[0] as Local]
    return [rowCode, reduction]
  })
  return [code, storeCarried(to, column.slice(0, -1))]
}

/** Adds the multiple of p that makes the lowest column divisible by 2^29, and carries it into the next. */
export function clearLowest(prime: bigint, column: readonly Local[], quotient: Local): Code {
  const [lowest, second] = column as [Local, Local]
  const p = toLimbs(prime)
  return [
    quotient.set(i64.and(i64.mul(lowest.get, i64.const(negatedInverse(prime))), i64.const(MASK))),
    column
      .slice(0, LIMBS)
      .map((at, j) => accumulate(at, i64.mul(quotient.get, i64.const(p[j] ?? 0n)), false)),
    accumulate(second, i64.shrS(lowest.get, i64.const(LIMB_BITS)), false),
  ]
}

/** Carries upwards and stores; the top limb is what is carried out of the others. */
export function storeCarried(to: Local, column: readonly Local[]): Code {
  return column.map((at, j): Code => {
    const next = column[j + 1]
    const carry = i64.shrS(i64.add(at.get, i64.const(HALF)), i64.const(LIMB_BITS))
    return [
      i64.store32(to.get, 4 * j, signedLow(at.get)),
      next === undefined ? i64.store32(to.get, 4 * (j + 1), carry) : next.set(i64.add(next.get, carry)),
    ]
  })
}

/** The low 29 bits as a signed number: what rounding to a multiple of 2^29 leaves. */
const signedLow = (value: Code): Code =>
  i64.sub(i64.and(i64.add(value, i64.const(HALF)), i64.const(MASK)), i64.const(HALF))

/** -1/p modulo 2^29. */
function negatedInverse(prime: bigint): bigint {
  let inverse = 1n
  for (let i = 0; i < 5; i++) inverse = (inverse * (2n - prime * inverse)) & MASK
  return (1n << BigInt(LIMB_BITS)) - inverse
}

/**
 * Defines name(to, …operands): the weighted sum of normal operands. Reduced, the quotient by p is estimated from the top
 * limb; an error of one leaves the result within ±2p, and the weights may add up to 60 in size.
 */
export function defineSum(
  m: ModuleBuilder,
  name: string,
  prime: bigint,
  weights: readonly number[],
  { reduce = true } = {},
): void {
  const p = toLimbs(prime)
  m.define(name, 1 + weights.length, (f) => {
    const [to, ...operands] = f.params as [Local, ...Local[]]
    const sum = (j: number): Code =>
      operands
        .map((operand, k) => weigh(load(operand, j), weights[k] ?? 0))
        .reduce((all, one) => i64.add(all, one))
    const [carry, quotient] = [f.local(I64), f.local(I64)]
    // 46 bits of 1/p's top limb, which itself has 22.
    const reciprocal = (1n << 46n) / (p[LIMBS - 1] ?? 1n)
    const estimate = i64.shrS(i64.mul(sum(LIMBS - 1), i64.const(reciprocal)), i64.const(46))
    const reduced = (j: number): Code =>
      reduce ? i64.sub(sum(j), i64.mul(quotient.get, i64.const(p[j] ?? 0n))) : sum(j)
    return [
      reduce ? quotient.set(estimate) : [],
      indexes.map((j): Code => {
        const carried = j === 0 ? reduced(j) : i64.add(reduced(j), carry.get)
        if (j === LIMBS - 1) return i64.store32(to.get, 4 * j, carried)
        return [
          carry.set(carried),
          i64.store32(to.get, 4 * j, signedLow(carry.get)),
          carry.set(i64.shrS(i64.add(carry.get, i64.const(HALF)), i64.const(LIMB_BITS))),
        ]
      }),
    ]
  })
}

function weigh(value: Code, weight: number): Code {
  return weight === 1 ? value : i64.mul(value, i64.const(weight))
}

/** Defines `name_addRaw` and `name_subRaw` on elements of so many bytes: word by word, without carrying. */
export function defineRawSums(m: ModuleBuilder, name: string, bytes: number): void {
  const [vectors, words] = [bytes >> 4, (bytes & 15) >> 2]
  const operations = { addRaw: [v128.addI32, i32.add], subRaw: [v128.subI32, i32.sub] } as const
  for (const [operation, [vector, scalar]] of Object.entries(operations)) {
    m.define(`${name}_${operation}`, 3, ({ params }) => {
      const [to, left, right] = params as [Local, Local, Local]
      const fours = Array.from({ length: vectors }, (_, i) => 16 * i)
      const ones = Array.from({ length: words }, (_, i) => 16 * vectors + 4 * i)
      return [
        fours.map((at) => v128.store(to.get, at, vector(v128.load(left.get, at), v128.load(right.get, at)))),
        ones.map((at) => i32.store(to.get, at, scalar(i32.load(left.get, at), i32.load(right.get, at)))),
      ]
    })
  }
}

function defineCopy(m: ModuleBuilder, name: string): void {
  m.define(name, 2, ({ params }) => {
    const [to, from] = params as [Local, Local]
    return [
      [0, 16].map((at) => v128.store(to.get, at, v128.load(from.get, at))),
      i32.store(to.get, 32, i32.load(from.get, 32)),
    ]
  })
}

/** 1 when a normal element is 0 modulo p: within ±2p that is -p, 0 or p, and normal limbs are unique. */
function defineIsZero(m: ModuleBuilder, name: string, prime: bigint): void {
  const differs = (from: Local, value: bigint): Code => {
    const limbs = toLimbs(value)
    return indexes
      .map((j) => i64.xor(load(from, j), i64.const(limbs[j] ?? 0n)))
      .reduce((all, one) => i64.or(all, one))
  }
  m.define(
    name,
    1,
    ({ params: [from] }) =>
      [0n, prime, -prime]
        .map((value) => i64.eqz(differs(from as Local, value)))
        .reduce((any, one) => i32.or(any, one)),
    true,
  )
}

/** 32 little-endian bytes to limbs in [0, 2^29), which a product takes. */
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

/** A normal element to 32 little-endian bytes, reduced to [0, p). Leave Montgomery form first. */
function defineToBytes(m: ModuleBuilder, name: string, prime: bigint): void {
  m.define(name, 2, (f) => {
    const [to, from] = f.params as [Local, Local]
    const value = indexes.map(() => f.local(I64))
    const other = indexes.map(() => f.local(I64))
    const carry = f.local(I64)
    // From ±2p to [0, 4p), with limbs in [0, 2^29).
    const raised = carryUp(value, carry, (j) =>
      i64.add(load(from, j), i64.const(toLimbs(2n * prime)[j] ?? 0n)),
    )
    return [
      raised,
      [2n, 1n].map((multiple) => subtractUnlessNegative(value, other, carry, toLimbs(multiple * prime))),
      [0, 1, 2, 3].map((word) => i64.store(to.get, 8 * word, gather(value, word))),
    ]
  })
}

/** to = sum of the limbs given, carried to [0, 2^29) but for the top one; `carry` ends as the value's sign, 0 or -1. */
function carryUp(to: readonly Local[], carry: Local, limb: (j: number) => Code): Code {
  return to.map(
    (at, j): Code => [
      carry.set(j === 0 ? limb(j) : i64.add(limb(j), carry.get)),
      at.set(j === LIMBS - 1 ? carry.get : i64.and(carry.get, i64.const(MASK))),
      carry.set(i64.shrS(carry.get, i64.const(LIMB_BITS))),
    ],
  )
}

function subtractUnlessNegative(
  value: readonly Local[],
  other: readonly Local[],
  carry: Local,
  modulus: readonly bigint[],
): Code {
  return [
    carryUp(other, carry, (j) => i64.sub((value[j] as Local).get, i64.const(modulus[j] ?? 0n))),
    // carry is all ones when the difference is negative: choose without a branch.
    value.map((at, j) => {
      const difference = (other[j] as Local).get
      return at.set(i64.xor(difference, i64.and(carry.get, i64.xor(difference, at.get))))
    }),
  ]
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
