// The same function with fewer multiplications.
//
// In a partial round only the first element passes the S-box; the other n are moved by a fixed linear map B. Seen from
// the first element x alone, they are a linear filter over what the S-box gave so far, and a filter can be written as
// a shift register (the controllable canonical form): a round appends an entry u' and gets the next x from it,
//
//     u' = x^5 + b1 u1 + … + bn un + k        u1 … un: the newest n entries before
//     x' = u'  + e1 u1 + … + en un
//
// That is 2n products by constants instead of (n + 1)², with two reductions instead of n + 1. The factors at x^5 and u'
// are 1 because entries and x are kept scaled, by other factors in each round, which the constants b and e take into
// account; the round constants of the whole state are shifted into one, k.
import { invert } from '@noble/curves/abstract/modular.js'
import { FIELD_MODULUS } from '../constants.ts'
import { apply, dot, identity, inverse, type Matrix, multiply, reduce, transpose } from './linear.ts'
import { FULL_ROUNDS, type Parameters } from './parameters.ts'

/** state = matrix · state + constants */
export type Layer = { matrix: Matrix; constants: readonly bigint[] }

/** Constants of a partial round: b, k and e; b and e newest entry first. */
export type PartialRound = { feedback: readonly bigint[]; constant: bigint; output: readonly bigint[] }

/** What is computed, in this order. */
export type Schedule = {
  /** Added to the inputs, which are all of the state at first: the element that starts as 0 is in `opening`. */
  start: readonly bigint[]
  /** Each: S-box on every element, then the layer. The last one leaves x and the register, newest entry first. */
  opening: readonly Layer[]
  partial: readonly PartialRound[]
  /** From x and the register back to a state. */
  exit: Layer
  /** As `opening`; the last has one row, the hash. */
  closing: readonly Layer[]
}

const fifth = (value: bigint) => reduce(value ** 5n)
const add = (left: readonly bigint[], right: readonly bigint[]) =>
  left.map((value, i) => reduce(value + (right[i] ?? 0n)))
const scale = (values: readonly bigint[], by: bigint) => values.map((value) => reduce(value * by))

export function scheduleOf(parameters: Parameters): Schedule {
  const { constants, matrix } = parameters
  const half = FULL_ROUNDS / 2
  const { enter, partial, exit } = registerForm(parameters)
  const layers = (rounds: readonly (readonly bigint[])[]): Layer[] =>
    rounds.map((added) => ({ matrix, constants: added }))
  const [first = [], ...others] = constants
  const [second, ...opening] = layers(others.slice(0, half - 1))
  const closing = constants.slice(-half)
  return {
    start: first.slice(1),
    opening: [withoutFirst(second ?? enter, fifth(first[0] ?? 0n)), ...opening, enter],
    partial,
    exit: { matrix: exit.matrix, constants: add(exit.constants, closing[0] ?? []) },
    closing: [...layers(closing.slice(1)), { matrix: matrix.slice(0, 1), constants: [0n] }],
  }
}

/** The layer for a state whose first element is always the same. */
function withoutFirst({ matrix, constants }: Layer, first: bigint): Layer {
  const column = matrix.map((row) => row[0] ?? 0n)
  return { matrix: matrix.map((row) => row.slice(1)), constants: add(scale(column, first), constants) }
}

function registerForm({ constants, matrix, partialRounds }: Parameters) {
  const rounds = constants.slice(FULL_ROUNDS / 2, FULL_ROUNDS / 2 + partialRounds)
  // The round's matrix in blocks: x' = m x^5 + c·w, w' = v x^5 + B w.
  const [[m = 0n, ...c] = [], ...rest] = matrix
  const v = rest.map((row) => row[0] ?? 0n)
  const B = rest.map((row) => row.slice(1))
  const b = characteristic(B)
  const T = basis(B, v, b)
  // With w = T u: x' = m x^5 + c·T u = m u' + Σ e u, because x^5 = u' - Σ b u.
  const e = add(apply(transpose(T), c), scale(b, -m))
  const inverseOfM = invert(m, FIELD_MODULUS)

  // Kept up from round to round: w is T u + inW, an entry is the register's value times its scale minus its shift.
  let inW = rounds[0]?.slice(1) ?? []
  let x = { scale: 1n, inverse: 1n }
  let scales = b.map(() => 1n)
  let shifts = b.map(() => 0n)
  const partial = rounds.map((_, round): PartialRound => {
    const next = rounds[round + 1] ?? []
    // x' = m u' + Σ e u + inX: the shift of u' is such that inX vanishes.
    const inX = dot(c, inW) + (next[0] ?? 0n)
    const shift = reduce((inX - dot(e, shifts)) * inverseOfM)
    const entry = { scale: fifth(x.scale), inverse: fifth(x.inverse) }
    const after = { scale: reduce(m * entry.scale), inverse: reduce(inverseOfM * entry.inverse) }
    const factors = (values: readonly bigint[], by: bigint) =>
      values.map((value, j) => reduce(reduce(value * (scales[j] ?? 0n)) * by))
    const result = {
      feedback: factors(b, entry.inverse),
      constant: reduce((shift - dot(b, shifts)) * entry.inverse),
      output: factors(e, after.inverse),
    }
    inW = add(
      apply(B, inW),
      b.map((_, i) => next[i + 1] ?? 0n),
    )
    x = after
    scales = [entry.scale, ...scales.slice(0, -1)]
    shifts = [shift, ...shifts.slice(0, -1)]
    return result
  })

  const zeros = b.map(() => 0n)
  const enter: Layer = {
    matrix: [matrix[0] ?? [], ...multiply(inverse(T), rest)],
    constants: [rounds[0]?.[0] ?? 0n, ...zeros],
  }
  const unscaled = T.map((row) => [0n, ...row.map((value, j) => reduce(value * (scales[j] ?? 0n)))])
  const exit: Layer = {
    matrix: [[x.scale, ...zeros], ...unscaled],
    constants: [0n, ...add(inW, scale(apply(T, shifts), -1n))],
  }
  return { enter, partial, exit }
}

/** b of the characteristic polynomial λ^n - b1 λ^(n-1) - … - bn, by Faddeev and LeVerrier. */
function characteristic(B: Matrix): bigint[] {
  const coefficients: bigint[] = []
  let power = identity(B.length)
  for (let k = 1; k <= B.length; k++) {
    const product = multiply(B, power)
    const trace = product.reduce((sum, row, i) => sum + (row[i] ?? 0n), 0n)
    const b = reduce(trace * invert(BigInt(k), FIELD_MODULUS))
    coefficients.push(b)
    power = product.map((row, i) => row.map((value, j) => (i === j ? reduce(value - b) : value)))
  }
  return coefficients
}

/** T with w = T u: its columns are t1 = v and t(j+1) = B tj - bj v. */
function basis(B: Matrix, v: readonly bigint[], b: readonly bigint[]): bigint[][] {
  const columns: (readonly bigint[])[] = [v]
  for (const bj of b.slice(0, -1)) columns.push(add(apply(B, columns.at(-1) ?? []), scale(v, -bj)))
  return transpose(columns)
}
