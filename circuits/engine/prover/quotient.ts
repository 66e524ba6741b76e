import { ELEMENT_BYTES } from '../constants.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { FIELD_BYTES } from '../kernel/prime-field.ts'
import type { Transform } from '../kernel/transform.ts'

export interface Quotient {
  /** Scalars that `write` writes: one per point of the key's h. */
  readonly size: number
  /**
   * Writes (a b - c) / Z on the odd coset as 32-byte scalars, up to the constant that the key's points carry, where
   * a and b take the values of the rows and c those of their products. Uses the rows up.
   */
  write(to: number, rowsA: number, rowsB: number): void
}

export function createQuotient(kernel: Kernel, transform: Transform): Quotient {
  const { size } = transform
  const fr = kernel.functions('fr')
  const rowBytes = size * FIELD_BYTES
  const rowsC = kernel.reserve(rowBytes)
  return {
    size,
    write(to, rowsA, rowsB) {
      fr.mulEach(rowsC, rowsA, rowsB, rowsC + rowBytes)
      for (const row of [rowsA, rowsB, rowsC]) transform.toOddCoset(row, row)
      fr.quotient(to, rowsA, rowsB, rowsC, to + size * ELEMENT_BYTES)
    },
  }
}
