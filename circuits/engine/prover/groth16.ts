// Groth16's prover for one key:
//
//   A  = alpha + sum w_i A_i + r delta            B = beta + sum w_i B_i + s delta, in G2 and in G1
//   C  = sum w_i C_i + sum h_j H_j + s A + r B - r s delta
//
// with fresh random r and s, and h the quotient (A·w × B·w - C·w) / Z by its values on the odd coset, for which the key
// has the H_j. Written out, r s delta cancels: C = ... + s A + r (beta + sum w_i B_i).
import { encodeProof } from '../codec.ts'
import { ELEMENT_BYTES, SCALAR_MODULUS } from '../constants.ts'
import { baseBytes } from '../kernel/gather.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createMultiplier } from '../kernel/multiply.ts'
import { FIELD_BYTES } from '../kernel/prime-field.ts'
import { createTransform } from '../kernel/transform.ts'
import { type Bases, loadProvingKey } from './key.ts'
import { createPoints } from './points.ts'
import { createWires, type Differences, select } from './wires.ts'
import type { ProvingKey } from './zkey.ts'

export interface Groth16 {
  readonly wires: number
  /** Makes the witness the anchor of those to come, if the present one is far. */
  anchor(witness: Uint8Array): void
  /** The steps of one proof, in order; the last one returns it, 256 bytes. */
  prove(witness: Uint8Array): Generator<number, Uint8Array>
}

export function createGroth16(kernel: Kernel, provingKey: ProvingKey): Groth16 {
  const key = loadProvingKey(kernel, provingKey)
  const points = createPoints(kernel)
  const [g1, g2] = [createMultiplier(kernel, 'g1'), createMultiplier(kernel, 'g2')]
  const wires = createWires({ kernel, key, g1, g2, points })
  const transform = createTransform(kernel, key.power)
  const fr = kernel.functions('fr')
  const rowBytes = transform.size * FIELD_BYTES
  const [rowsA, rowsB, rowsC] = [wires.rows, wires.rows + rowBytes, kernel.reserve(rowBytes)]
  const [a, c] = [kernel.reserve(3 * kernel.g1.size), kernel.reserve(3 * kernel.g1.size)]
  const b = kernel.reserve(3 * kernel.g2.size)
  const baseOfA = kernel.reserve(baseBytes(kernel.g1.size))
  const random = kernel.reserve(FIELD_BYTES)

  /** Scalars for the points H_j, at `to`. */
  function setQuotient(to: number): void {
    fr.mulEach(rowsC, rowsA, rowsB, rowsC + rowBytes)
    for (const row of [rowsA, rowsB, rowsC]) transform.toOddCoset(row, row)
    fr.quotient(to, rowsA, rowsB, rowsC, to + transform.size * ELEMENT_BYTES)
  }

  /** to = sum of scalars · bases, where the last scalars are given as numbers. */
  function multiply(
    group: 'g1' | 'g2',
    to: number,
    differences: Differences,
    bases: Bases,
    last: Term,
  ): void {
    kernel.scoped((reserve) => {
      const count = differences.wires.length
      const scalars = reserve((count + 1) * ELEMENT_BYTES)
      kernel.bytes().copyWithin(scalars, differences.scalars, differences.scalars + count * ELEMENT_BYTES)
      setScalar(kernel, scalars + count * ELEMENT_BYTES, last.scalar)
      const all = Int32Array.from([...select(bases, differences.wires), last.base])
      const multiplier = group === 'g1' ? g1 : g2
      multiplier.multiply(to, all, scalars)
    })
  }

  /** c = everything of C but the anchor's part, in one sum. */
  function multiplyC(differences: Differences, r: bigint, s: bigint): void {
    kernel.scoped((reserve) => {
      const count = differences.wires.length
      const scalars = reserve((transform.size + 2 * count + 2) * ELEMENT_BYTES)
      setQuotient(scalars)
      let at = scalars + transform.size * ELEMENT_BYTES
      kernel.bytes().copyWithin(at, differences.scalars, differences.scalars + count * ELEMENT_BYTES)
      at += count * ELEMENT_BYTES
      // r times a difference, out of Montgomery form: r itself is not in it.
      kernel.setRaw(random, r)
      for (let i = 0; i < count; i++, at += ELEMENT_BYTES) {
        fr.mul(rowsC, differences.elements + i * FIELD_BYTES, random)
        fr.toBytes(at, rowsC)
      }
      setScalar(kernel, at, s)
      setScalar(kernel, at + ELEMENT_BYTES, r)
      const [ofC, ofB] = [select(key.c, differences.wires), select(key.b1, differences.wires)]
      const bases = Int32Array.from([...key.h, ...ofC, ...ofB, baseOfA, wires.anchor.b1])
      g1.multiply(c, bases, scalars)
    })
  }

  return {
    wires: key.wires,
    anchor(witness) {
      wires.follow(witness)
    },
    *prove(witness) {
      const { anchor } = wires
      const differences = wires.follow(witness)
      const [r, s] = [randomScalar(), randomScalar()]
      yield 0.1
      multiply('g1', a, differences, key.a, { base: key.delta1, scalar: r })
      kernel.functions('g1').add(a, a, anchor.a)
      points.toBase(baseOfA, a)
      yield 0.2
      multiply('g2', b, differences, key.b2, { base: key.delta2, scalar: s })
      kernel.functions('g2').add(b, b, anchor.b2)
      points.toAffine('g2', b, b)
      yield 0.4
      multiplyC(differences, r, s)
      kernel.functions('g1').add(c, c, anchor.c)
      points.toAffine('g1', c, c)
      return encodeProof({ a: points.readG1(baseOfA), b: points.readG2(b), c: points.readG1(c) })
    },
  }
}

type Term = { base: number; scalar: bigint }

function setScalar(kernel: Kernel, to: number, value: bigint): void {
  const view = new DataView(kernel.bytes().buffer, to, ELEMENT_BYTES)
  for (let i = 0; i < 4; i++) view.setBigUint64(8 * i, BigInt.asUintN(64, value >> BigInt(64 * i)), true)
}

/** Uniform but for 2^-250: twice as many random bits as the modulus has. */
function randomScalar(): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array(2 * ELEMENT_BYTES))
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) % SCALAR_MODULUS
}
