// Groth16's sums over the wires, kept from one proof to the next.
//
// A prover needs the sums of w_i A_i, w_i B_i and w_i C_i over all wires w, and the products of the matrices A and B
// with w. All are linear in w, and from one message of a member to the next few wires change. So the sums of one
// witness, the anchor, are kept, and a later witness adds only its differences. The results are the very same group
// and field elements: nothing of a proof depends on whether there was an anchor, or on which.
import { ELEMENT_BYTES } from '../constants.ts'
import { baseBytes } from '../kernel/gather.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Multiplier } from '../kernel/multiply.ts'
import { FIELD_BYTES, MONTGOMERY_BITS } from '../kernel/prime-field.ts'
import type { Bases, LoadedKey } from './key.ts'
import type { Points } from './points.ts'

/** Share of the wires that may differ from the anchor before a new one is worth its cost. */
const MAX_CHANGED_SHARE = 1 / 4

/** Wires that differ from the anchor, and by how much. */
export type Differences = {
  wires: Int32Array
  /** Address of the differences as field elements. */
  elements: number
  /** Address of the differences as 32-byte scalars. */
  scalars: number
}

/** Addresses of the anchor's sums with the key's constants added: points, but for b1, which is a base. */
export type Anchor = { a: number; b1: number; b2: number; c: number }

export interface Wires {
  readonly anchor: Anchor
  /** Elements of A · w and, right behind them, of B · w, as of the last `follow`. */
  readonly rowsA: number
  readonly rowsB: number
  /**
   * Brings rows and differences in line with this witness; makes it the anchor when the old one is too far. Between
   * its steps the caller may give up: the next witness then gets an anchor of its own.
   */
  follow(witness: Uint8Array): Generator<void, Differences>
}

type Parts = { kernel: Kernel; key: LoadedKey; g1: Multiplier; g2: Multiplier; points: Points }

export function createWires({ kernel, key, g1, g2, points }: Parts): Wires {
  const rowBytes = 2 * 2 ** key.power * FIELD_BYTES
  const [rows, anchorRows] = [kernel.reserve(rowBytes), kernel.reserve(rowBytes)]
  const witnessBytes = key.wires * ELEMENT_BYTES
  const [current, anchored] = [kernel.reserve(witnessBytes), kernel.reserve(witnessBytes)]
  const subtract = createSubtraction(kernel, key.wires)
  const anchor: Anchor = {
    a: kernel.reserve(3 * kernel.g1.size),
    b1: kernel.reserve(baseBytes(kernel.g1.size)),
    b2: kernel.reserve(3 * kernel.g2.size),
    c: kernel.reserve(3 * kernel.g1.size),
  }
  let hasAnchor = false

  /** rows += A · differences, B · differences. */
  function addToRows({ wires, elements }: Differences): void {
    const { starts, rows: rowOf, values } = key.columns
    const count = wires.reduce((sum, w) => sum + (starts[w + 1] ?? 0) - (starts[w] ?? 0), 0)
    if (count === 0) return
    kernel.scoped((reserve) => {
      const list = reserve(12 * count)
      const words = kernel.words()
      let at = list / 4
      for (const [i, w] of wires.entries()) {
        for (let entry = starts[w] ?? 0; entry < (starts[w + 1] ?? 0); entry++) {
          words[at++] = rows + (rowOf[entry] ?? 0) * FIELD_BYTES
          words[at++] = values + entry * FIELD_BYTES
          words[at++] = elements + i * FIELD_BYTES
        }
      }
      kernel.functions('fr').addProducts(list, list + 12 * count)
    })
  }

  function* makeAnchor(): Generator<void, void> {
    hasAnchor = false
    // Differences from nothing: the witness itself.
    const all = subtract(current, undefined, indexes(key.wires))
    kernel.bytes().fill(0, rows, rows + rowBytes)
    addToRows(all)
    kernel.bytes().copyWithin(anchorRows, rows, rows + rowBytes)
    const bases = (column: Bases) => select(column, all.wires)
    g1.multiply(anchor.a, bases(key.a), all.scalars)
    kernel.functions('g1').addAffine(anchor.a, anchor.a, key.alpha1)
    yield
    g1.multiply(anchor.c, bases(key.c), all.scalars)
    yield
    g2.multiply(anchor.b2, bases(key.b2), all.scalars)
    kernel.functions('g2').addAffine(anchor.b2, anchor.b2, key.beta2)
    yield
    kernel.scoped((reserve) => {
      const sum = reserve(3 * kernel.g1.size)
      g1.multiply(sum, bases(key.b1), all.scalars)
      kernel.functions('g1').addAffine(sum, sum, key.beta1)
      points.toBase('g1', anchor.b1, sum)
    })
    yield
    kernel.bytes().copyWithin(anchored, current, current + witnessBytes)
    hasAnchor = true
  }

  return {
    anchor,
    rowsA: rows,
    rowsB: rows + rowBytes / 2,
    *follow(witness) {
      kernel.bytes().set(witness, current)
      const limit = key.wires * MAX_CHANGED_SHARE
      if (!hasAnchor || differing(kernel, current, anchored, key.wires).length > limit) yield* makeAnchor()
      const differences = subtract(current, anchored, differing(kernel, current, anchored, key.wires))
      kernel.bytes().copyWithin(rows, anchorRows, anchorRows + rowBytes)
      addToRows(differences)
      return differences
    },
  }
}

/** The bases of some wires. */
export function select(bases: Bases, wires: Int32Array): Bases {
  return wires.map((wire) => bases[wire] ?? 0)
}

const indexes = (count: number) => Int32Array.from({ length: count }, (_, i) => i)

/** Wires at which two witnesses differ. */
function differing(kernel: Kernel, left: number, right: number, wires: number): Int32Array {
  const words = kernel.words()
  const width = ELEMENT_BYTES / 4
  return indexes(wires).filter((wire) => {
    const [l, r] = [left / 4 + wire * width, right / 4 + wire * width]
    for (let i = 0; i < width; i++) if (words[l + i] !== words[r + i]) return true
    return false
  })
}

/** Computes left - right at some wires, as elements and as scalars; without `right`, left itself. */
function createSubtraction(kernel: Kernel, wires: number) {
  const fr = kernel.functions('fr')
  const elements = kernel.reserve(wires * FIELD_BYTES)
  const scalars = kernel.reserve(wires * ELEMENT_BYTES)
  const [minuend, subtrahend] = [kernel.reserve(FIELD_BYTES), kernel.reserve(FIELD_BYTES)]
  const [toMontgomery, fromMontgomery] = [kernel.reserve(FIELD_BYTES), kernel.reserve(FIELD_BYTES)]
  kernel.setField('fr', toMontgomery, 1n << BigInt(MONTGOMERY_BITS))
  kernel.setRaw(fromMontgomery, 1n)

  return (left: number, right: number | undefined, at: Int32Array): Differences => {
    for (const [i, wire] of at.entries()) {
      const element = elements + i * FIELD_BYTES
      fr.import(minuend, left + wire * ELEMENT_BYTES, toMontgomery, minuend + FIELD_BYTES)
      if (right === undefined) fr.copy(element, minuend)
      else {
        fr.import(subtrahend, right + wire * ELEMENT_BYTES, toMontgomery, subtrahend + FIELD_BYTES)
        fr.sub(element, minuend, subtrahend)
      }
      fr.mul(minuend, element, fromMontgomery)
      fr.toBytes(scalars + i * ELEMENT_BYTES, minuend)
    }
    return { wires: at, elements, scalars }
  }
}
