import { invert, mod } from '@noble/curves/abstract/modular.js'
import { FIELD_MODULUS } from '../constants.ts'
import type { Matrix } from './linear.ts'

/** Bits of the field's modulus. */
const FIELD_BITS = 254

/** Rounds with an S-box on every element; circomlib's choice for all widths. */
export const FULL_ROUNDS = 8

/** Rounds with an S-box on the first element only, by the state's width; circomlib's choice. */
const PARTIAL_ROUNDS = { 2: 56, 3: 57, 4: 56 } as const

/** Elements of the state: one more than the inputs. */
export type Width = keyof typeof PARTIAL_ROUNDS

/** Poseidon as its paper defines it: add the round's constants, apply the S-box, multiply by the matrix. */
export type Parameters = {
  width: Width
  partialRounds: number
  /** One row for each round, full and partial alike. */
  constants: bigint[][]
  matrix: Matrix
}

/**
 * The parameters that circomlib uses, computed rather than listed: everything follows from field, width and number
 * of rounds by the Grain generator of the Poseidon paper (appendix E, eprint.iacr.org/2019/458).
 */
export function poseidonParameters(width: Width): Parameters {
  const partialRounds = PARTIAL_ROUNDS[width]
  const sample = createGrain(width, partialRounds)
  const constants = range(FULL_ROUNDS + partialRounds).map(() => range(width).map(() => sampleBelow(sample)))
  // A Cauchy matrix, 1 / (x + y). Its samples are reduced, not drawn again, as in the reference.
  const [xs, ys] = [0, 1].map(() => range(width).map(() => mod(sample(), FIELD_MODULUS))) as [
    bigint[],
    bigint[],
  ]
  const matrix = xs.map((x) => ys.map((y) => invert(mod(x + y, FIELD_MODULUS), FIELD_MODULUS)))
  return { width, partialRounds, constants, matrix }
}

const range = (length: number) => Array.from({ length }, (_, index) => index)

function sampleBelow(sample: () => bigint): bigint {
  for (;;) {
    const value = sample()
    if (value < FIELD_MODULUS) return value
  }
}

/** Bits of the generator's state. */
const GRAIN_BITS = 80

/** Bits that are thrown away before the first sample. */
const GRAIN_WARM_UP = 160

/** Bits made at a time. */
const GRAIN_CHUNK = 4096

/** The Grain shift register in self-shrinking mode; each call gives an integer of as many bits as the field. */
function createGrain(width: number, partialRounds: number): () => bigint {
  const seed: [value: number, bits: number][] = [
    [1, 2], // a prime field
    [0, 4], // S-box x^5
    [FIELD_BITS, 12],
    [width, 12],
    [FULL_ROUNDS, 10],
    [partialRounds, 10],
    [2 ** 30 - 1, 30],
  ]
  const bits = new Uint8Array(GRAIN_BITS + GRAIN_CHUNK)
  bits.set(seed.flatMap(([value, size]) => [...value.toString(2).padStart(size, '0')].map(Number)))
  extend(bits)
  let at = GRAIN_BITS + GRAIN_WARM_UP
  const next = (): number => {
    if (at === bits.length) {
      bits.copyWithin(0, GRAIN_CHUNK)
      extend(bits)
      at = GRAIN_BITS
    }
    return bits[at++] ?? 0
  }
  /** Of each pair of bits the first decides whether the second is used. */
  const useful = (): number => {
    for (;;) {
      const decides = next()
      const bit = next()
      if (decides === 1) return bit
    }
  }
  return () => {
    let digits = '0b'
    for (let i = 0; i < FIELD_BITS; i++) digits += useful()
    return BigInt(digits)
  }
}

/** Fills what follows the first 80 bits. */
function extend(bits: Uint8Array): void {
  const bit = (at: number) => bits[at] ?? 0
  for (let i = 0; i < GRAIN_CHUNK; i++) {
    bits[i + GRAIN_BITS] = bit(i + 62) ^ bit(i + 51) ^ bit(i + 38) ^ bit(i + 23) ^ bit(i + 13) ^ bit(i)
  }
}
