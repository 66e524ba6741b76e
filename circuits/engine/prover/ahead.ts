// Proving before the message is known.
//
// With member, epoch and message id fixed, every wire is a linear function of x, the message's hash: w = w0 + t w1 with
// t = x - 1. So are the sums over the wires, and the quotient is h0 + t h1 + t² h2. All the sums over many points can
// therefore be made before x is known; a dozen products of single points remain. The result is the very proof that
// proving at once would give for the same r and s, and those are drawn only when x is known.
import { encodeProof } from '../codec.ts'
import { ELEMENT_BYTES, SCALAR_MODULUS } from '../constants.ts'
import { baseBytes } from '../kernel/gather.ts'
import { FIELD_BYTES } from '../kernel/prime-field.ts'
import type { Parts } from './parts.ts'
import { randomScalar, setScalar } from './scalars.ts'
import { within } from './steps.ts'
import { select } from './wires.ts'

/** A point as a base's bytes; none at infinity. Secret: it tells as much about the member as the witness does. */
type Stored = Uint8Array | undefined

/** Coefficients of t in A, in B (both groups) and in C without its s A + r B. */
export type Ahead = {
  a: [Stored, Stored]
  b1: [Stored, Stored]
  b2: [Stored, Stored]
  c: [Stored, Stored, Stored]
}

export interface AheadProver {
  /** The steps of the work ahead, from the witnesses for x = 1 and x = 2. */
  prepare(first: Uint8Array, second: Uint8Array): Generator<number, Ahead>
  /** The proof for x = 1 + t, 256 bytes. */
  finish(ahead: Ahead, t: bigint): Uint8Array
}

type Group = 'g1' | 'g2'
/** Addresses of Jacobian points. */
type Sums = { a: number; b1: number; b2: number; c: number; h: number }

export function createAheadProver({ kernel, key, g1, g2, points, wires, quotient }: Parts): AheadProver {
  const multiplier = { g1, g2 }
  const rowBytes = quotient.size * FIELD_BYTES

  function reserveSums(reserve: (bytes: number) => number): Sums {
    const [ofG1, ofG2] = [3 * kernel.g1.size, 3 * kernel.g2.size]
    return { a: reserve(ofG1), b1: reserve(ofG1), b2: reserve(ofG2), c: reserve(ofG1), h: reserve(ofG1) }
  }

  /** The sums of a witness, constants included, but for h. */
  function* sumWires(to: Sums, witness: Uint8Array): Generator<void, void> {
    const { wires: changed, scalars } = yield* wires.follow(witness)
    const { anchor } = wires
    g1.multiply(to.a, select(key.a, changed), scalars)
    kernel.functions('g1').add(to.a, to.a, anchor.a)
    g1.multiply(to.b1, select(key.b1, changed), scalars)
    kernel.functions('g1').addAffine(to.b1, to.b1, anchor.b1)
    g1.multiply(to.c, select(key.c, changed), scalars)
    kernel.functions('g1').add(to.c, to.c, anchor.c)
    g2.multiply(to.b2, select(key.b2, changed), scalars)
    kernel.functions('g2').add(to.b2, to.b2, anchor.b2)
  }

  function sumQuotient(to: number, rowsA: number, rowsB: number): void {
    kernel.scoped((reserve) => {
      const scalars = reserve(quotient.size * ELEMENT_BYTES)
      quotient.write(scalars, rowsA, rowsB)
      g1.multiply(to, key.h, scalars)
    })
  }

  function store(group: Group, point: number): Stored {
    if (points.isInfinite(group, point)) return undefined
    return kernel.scoped((reserve) => {
      const at = reserve(baseBytes(kernel[group].size))
      points.toBase(group, at, point)
      return kernel.bytes().slice(at, at + baseBytes(kernel[group].size))
    })
  }

  /** Value at t = 0 and its difference to the value at t = 1. */
  function line(group: Group, at0: number, at1: number): [Stored, Stored] {
    points.subtract(group, at1, at1, at0)
    return [store(group, at0), store(group, at1)]
  }

  /** Jacobian to = sum of scalar · stored point. */
  function combine(group: Group, to: number, terms: readonly (readonly [Stored, bigint])[]): void {
    kernel.scoped((reserve) => {
      const scalars = reserve(terms.length * ELEMENT_BYTES)
      const bases = terms.map(([stored, scalar], i) => {
        setScalar(kernel, scalars + i * ELEMENT_BYTES, scalar)
        if (stored === undefined) return 0
        const at = reserve(stored.byteLength)
        kernel.bytes().set(stored, at)
        return at
      })
      multiplier[group].multiply(to, Int32Array.from(bases), scalars)
    })
  }

  /** saved = rows - saved */
  function toDirection(saved: number): void {
    const { sub } = kernel.functions('fr')
    for (let at = 0; at < 2 * rowBytes; at += FIELD_BYTES) sub(saved + at, wires.rowsA + at, saved + at)
  }

  const keyPoint = (group: Group, at: number): Stored =>
    kernel.bytes().slice(at, at + baseBytes(kernel[group].size))

  // Made on first use: a prover that never works ahead needs none of it.
  let work: { at0: Sums; at1: Sums; quadratic: number; saved: number } | undefined
  const reserveWork = () => ({
    at0: reserveSums(kernel.reserve),
    at1: reserveSums(kernel.reserve),
    quadratic: kernel.reserve(3 * kernel.g1.size),
    saved: kernel.reserve(2 * rowBytes),
  })

  return {
    *prepare(first, second) {
      work ??= reserveWork()
      const { at0, at1, quadratic, saved } = work
      yield* within(sumWires(at0, first), 0, 0.2)
      kernel.bytes().copyWithin(saved, wires.rowsA, wires.rowsA + 2 * rowBytes)
      yield 0.2
      sumQuotient(at0.h, wires.rowsA, wires.rowsB)
      yield 0.4
      yield* within(sumWires(at1, second), 0.4, 0.5)
      toDirection(saved)
      yield 0.5
      sumQuotient(at1.h, wires.rowsA, wires.rowsB)
      yield 0.7
      sumQuotient(quadratic, saved, saved + rowBytes)
      points.subtract('g1', at1.h, at1.h, quadratic)
      for (const { c, h } of [at0, at1]) kernel.functions('g1').add(c, c, h)
      const ofC = line('g1', at0.c, at1.c)
      return {
        a: line('g1', at0.a, at1.a),
        b1: line('g1', at0.b1, at1.b1),
        b2: line('g2', at0.b2, at1.b2),
        c: [...ofC, store('g1', quadratic)],
      }
    },
    finish({ a, b1, b2, c }, t) {
      const [r, s] = [randomScalar(), randomScalar()]
      const mod = (value: bigint) => value % SCALAR_MODULUS
      return kernel.scoped((reserve) => {
        const [ofG1, ofG2] = [reserve(3 * kernel.g1.size), reserve(3 * kernel.g2.size)]
        combine('g1', ofG1, [
          [a[0], 1n],
          [a[1], t],
          [keyPoint('g1', key.delta1), r],
        ])
        const proofA = store('g1', ofG1)
        points.toAffine('g1', ofG1, ofG1)
        const affineA = points.readG1(ofG1)
        combine('g2', ofG2, [
          [b2[0], 1n],
          [b2[1], t],
          [keyPoint('g2', key.delta2), s],
        ])
        points.toAffine('g2', ofG2, ofG2)
        const ofC = [c[0], c[1], c[2], proofA, b1[0], b1[1]]
        const scalars = [1n, t, mod(t * t), s, r, mod(r * t)]
        combine(
          'g1',
          ofG1,
          ofC.map((point, i) => [point, scalars[i] ?? 0n] as const),
        )
        points.toAffine('g1', ofG1, ofG1)
        return encodeProof({ a: affineA, b: points.readG2(ofG2), c: points.readG1(ofG1) })
      })
    },
  }
}
