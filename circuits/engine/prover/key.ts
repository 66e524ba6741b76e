// The proving key in the kernel's memory.
import { BASE_MODULUS, ELEMENT_BYTES, PUBLIC_SIGNALS } from '../constants.ts'
import { BETA_G1, BETA_G2 } from '../kernel/endomorphism.ts'
import { baseBytes } from '../kernel/gather.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { FIELD_BYTES, MONTGOMERY_BITS } from '../kernel/prime-field.ts'
import type { Coefficients, ProvingKey } from './zkey.ts'

/** Addresses of bases, one per wire; 0 where the wire has no part in a sum, or an infinite one. */
export type Bases = Int32Array

export type LoadedKey = {
  wires: number
  power: number
  alpha1: number
  beta1: number
  beta2: number
  delta1: number
  delta2: number
  a: Bases
  b1: Bases
  b2: Bases
  c: Bases
  h: Bases
  columns: Columns
}

/** The matrices A and B by wire: entries starts[w] .. starts[w + 1] - 1 belong to wire w. */
export type Columns = {
  starts: Uint32Array
  /** Row of A, or number of rows plus row of B. */
  rows: Uint32Array
  /** Address of the first entry's value, an element in Montgomery form; the others follow in order. */
  values: number
}

/** snarkjs' Montgomery radix. */
const KEY_RADIX_BITS = 256

export function loadProvingKey(kernel: Kernel, key: ProvingKey): LoadedKey {
  const importG1 = createPointImport(kernel, 'g1')
  const importG2 = createPointImport(kernel, 'g2')
  const one = (bases: Bases) => bases[0] ?? 0
  const publicWires = new Int32Array(PUBLIC_SIGNALS + 1)
  return {
    wires: key.wires,
    power: key.power,
    alpha1: one(importG1(key.alpha1)),
    beta1: one(importG1(key.beta1)),
    beta2: one(importG2(key.beta2)),
    delta1: one(importG1(key.delta1)),
    delta2: one(importG2(key.delta2)),
    a: importG1(key.a),
    b1: importG1(key.b1),
    b2: importG2(key.b2),
    c: Int32Array.from([...publicWires, ...importG1(key.c)]),
    h: importG1(key.h),
    columns: importColumns(kernel, key.coefficients, key.wires, 2 ** key.power),
  }
}

function createPointImport(kernel: Kernel, group: 'g1' | 'g2'): (points: Uint8Array) => Bases {
  const { size } = kernel[group]
  const [factor, beta] = [kernel.reserve(FIELD_BYTES), kernel.reserve(FIELD_BYTES)]
  // x 2^256 · factor / 2^261 = x 2^261
  kernel.setRaw(factor, (1n << BigInt(2 * MONTGOMERY_BITS - KEY_RADIX_BITS)) % BASE_MODULUS)
  kernel.setField('fp', beta, group === 'g1' ? BETA_G1 : BETA_G2)
  const pointBytes = (2 * size * ELEMENT_BYTES) / FIELD_BYTES

  return (points) => {
    const count = points.byteLength / pointBytes
    const to = kernel.reserve(count * baseBytes(size))
    kernel.scoped((reserve) => {
      const from = reserve(points.byteLength)
      kernel.bytes().set(points, from)
      kernel.functions(group).importBases(to, from, factor, beta, to + count * baseBytes(size))
    })
    return Int32Array.from({ length: count }, (_, i) => {
      const point = points.subarray(i * pointBytes, (i + 1) * pointBytes)
      return point.every((byte) => byte === 0) ? 0 : to + i * baseBytes(size)
    })
  }
}

function importColumns(kernel: Kernel, coefficients: Coefficients, wires: number, rows: number): Columns {
  const { matrix, row, wire, values } = coefficients
  const starts = new Uint32Array(wires + 1)
  for (const w of wire) starts[w + 1] = (starts[w + 1] ?? 0) + 1
  for (let w = 0; w < wires; w++) starts[w + 1] = (starts[w + 1] ?? 0) + (starts[w] ?? 0)

  const next = starts.slice()
  const sortedRows = new Uint32Array(wire.length)
  const sortedValues = new Uint8Array(values.byteLength)
  for (const [i, w] of wire.entries()) {
    const to = next[w] ?? 0
    next[w] = to + 1
    sortedRows[to] = (row[i] ?? 0) + (matrix[i] ?? 0) * rows
    sortedValues.set(values.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES), to * ELEMENT_BYTES)
  }
  return { starts, rows: sortedRows, values: importValues(kernel, sortedValues) }
}

/** Coefficients carry R² for their radix: c 2^512 · 2^10 / 2^261 = c 2^261. */
function importValues(kernel: Kernel, values: Uint8Array): number {
  const bytes = (values.byteLength / ELEMENT_BYTES) * FIELD_BYTES
  const to = kernel.reserve(bytes)
  kernel.scoped((reserve) => {
    const [from, factor] = [reserve(values.byteLength), reserve(FIELD_BYTES)]
    kernel.bytes().set(values, from)
    kernel.setRaw(factor, 1n << BigInt(2 * MONTGOMERY_BITS - 2 * KEY_RADIX_BITS))
    kernel.functions('fr').import(to, from, factor, to + bytes)
  })
  return to
}
