// Small matrices and vectors over the scalar field.
import { invert, mod } from '@noble/curves/abstract/modular.js'
import { FIELD_MODULUS } from '../constants.ts'

/** Rows. */
export type Matrix = readonly (readonly bigint[])[]

export const reduce = (value: bigint): bigint => mod(value, FIELD_MODULUS)

export function dot(left: readonly bigint[], right: readonly bigint[]): bigint {
  return reduce(left.reduce((sum, value, i) => sum + value * (right[i] ?? 0n), 0n))
}

export function apply(matrix: Matrix, vector: readonly bigint[]): bigint[] {
  return matrix.map((row) => dot(row, vector))
}

export function transpose(matrix: Matrix): bigint[][] {
  return (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column] ?? 0n))
}

export function multiply(left: Matrix, right: Matrix): bigint[][] {
  const columns = transpose(right)
  return left.map((row) => columns.map((column) => dot(row, column)))
}

export function identity(size: number): bigint[][] {
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => (row === column ? 1n : 0n)),
  )
}

/** The inverse of a matrix of full rank, by Gauss and Jordan. */
export function inverse(matrix: Matrix): bigint[][] {
  const size = matrix.length
  const unit = identity(size)
  let rows = matrix.map((row, i) => [...row, ...(unit[i] ?? [])])
  for (let column = 0; column < size; column++) {
    const at = rows.findIndex((row, i) => i >= column && row[column] !== 0n)
    const found = rows[at] ?? []
    const scale = invert(found[column] ?? 0n, FIELD_MODULUS)
    const pivot = found.map((value) => reduce(value * scale))
    const others = rows.filter((_, i) => i !== at)
    rows = others.map((row) => row.map((value, j) => reduce(value - (row[column] ?? 0n) * (pivot[j] ?? 0n))))
    rows.splice(column, 0, pivot)
  }
  return rows.map((row) => row.slice(size))
}
