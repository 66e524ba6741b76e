// Groth16's prover:
//
//   A = alpha + sum w_i A_i + r delta          B = beta + sum w_i B_i + s delta, in G2 and in G1
//   C = sum w_i C_i + sum h_j H_j + s A + r B - r s delta
//
// with fresh random r and s, and h the quotient by its values on the odd coset, for which the key has the H_j. Written
// out, r s delta cancels: C = ... + s A + r (beta + sum w_i B_i).
import { encodeProof } from '../codec.ts'
import { ELEMENT_BYTES } from '../constants.ts'
import { baseBytes } from '../kernel/gather.ts'
import { FIELD_BYTES } from '../kernel/prime-field.ts'
import type { Bases } from './key.ts'
import type { Parts } from './parts.ts'
import { randomScalar, setScalar } from './scalars.ts'
import { within } from './steps.ts'
import { type Differences, select } from './wires.ts'

/** The steps of one proof: yields the share of the work done, returns 256 bytes. */
export type Groth16 = (witness: Uint8Array) => Generator<number, Uint8Array>

export function createGroth16({ kernel, key, g1, g2, points, wires, quotient }: Parts): Groth16 {
  const fr = kernel.functions('fr')
  const [a, c] = [kernel.reserve(3 * kernel.g1.size), kernel.reserve(3 * kernel.g1.size)]
  const b = kernel.reserve(3 * kernel.g2.size)
  const baseOfA = kernel.reserve(baseBytes(kernel.g1.size))
  const [randomizer, product] = [kernel.reserve(FIELD_BYTES), kernel.reserve(FIELD_BYTES)]

  /** to = sum of differences · bases + random · delta */
  function sum(group: 'g1' | 'g2', to: number, differences: Differences, bases: Bases, random: bigint): void {
    kernel.scoped((reserve) => {
      const bytes = differences.wires.length * ELEMENT_BYTES
      const scalars = reserve(bytes + ELEMENT_BYTES)
      kernel.bytes().copyWithin(scalars, differences.scalars, differences.scalars + bytes)
      setScalar(kernel, scalars + bytes, random)
      const delta = group === 'g1' ? key.delta1 : key.delta2
      const multiplier = group === 'g1' ? g1 : g2
      multiplier.multiply(to, Int32Array.from([...select(bases, differences.wires), delta]), scalars)
    })
  }

  /** c = all of C but the anchor's part, as one sum. */
  function sumC(differences: Differences, r: bigint, s: bigint): void {
    kernel.scoped((reserve) => {
      const count = differences.wires.length
      const scalars = reserve((quotient.size + 2 * count + 2) * ELEMENT_BYTES)
      quotient.write(scalars, wires.rowsA, wires.rowsB)
      let at = scalars + quotient.size * ELEMENT_BYTES
      kernel.bytes().copyWithin(at, differences.scalars, differences.scalars + count * ELEMENT_BYTES)
      at += count * ELEMENT_BYTES
      // A difference in Montgomery form times r as it is: their product as it is.
      kernel.setRaw(randomizer, r)
      for (let i = 0; i < count; i++, at += ELEMENT_BYTES) {
        fr.mul(product, differences.elements + i * FIELD_BYTES, randomizer)
        fr.toBytes(at, product)
      }
      setScalar(kernel, at, s)
      setScalar(kernel, at + ELEMENT_BYTES, r)
      const [ofC, ofB] = [select(key.c, differences.wires), select(key.b1, differences.wires)]
      const bases = Int32Array.from([...key.h, ...ofC, ...ofB, baseOfA, wires.anchor.b1])
      g1.multiply(c, bases, scalars)
    })
  }

  return function* (witness) {
    const { anchor } = wires
    const differences = yield* within(wires.follow(witness), 0, 0.4)
    const [r, s] = [randomScalar(), randomScalar()]
    yield 0.4
    sum('g1', a, differences, key.a, r)
    kernel.functions('g1').add(a, a, anchor.a)
    points.toBase('g1', baseOfA, a)
    yield 0.5
    sum('g2', b, differences, key.b2, s)
    kernel.functions('g2').add(b, b, anchor.b2)
    points.toAffine('g2', b, b)
    yield 0.6
    sumC(differences, r, s)
    kernel.functions('g1').add(c, c, anchor.c)
    points.toAffine('g1', c, c)
    return encodeProof({ a: points.readG1(baseOfA), b: points.readG2(b), c: points.readG1(c) })
  }
}
