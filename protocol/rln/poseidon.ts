import { PostriderError } from '../errors/index.ts'
import { isFieldElement } from './field.ts'
import { createPairHasher, type PairHasher } from './poseidon/kernel.ts'
import { poseidonParameters, type Width } from './poseidon/parameters.ts'
import { type Schedule, scheduleOf } from './poseidon/schedule.ts'
import { hashWithBigints } from './poseidon/with-bigints.ts'

/** A field element among many: 32 bytes, little-endian. */
export const PACKED_BYTES = 32

/**
 * Poseidon over BN254 with circomlib's parameters, 1 to 3 field elements.
 * @throws RLN_VALUE_INVALID for another number of inputs, or one that is no field element.
 */
export function poseidon(inputs: readonly bigint[]): bigint {
  if (inputs.length < 1 || inputs.length > 3 || !inputs.every(isFieldElement)) {
    throw new PostriderError('RLN_VALUE_INVALID', { detail: 'poseidon takes 1 to 3 field elements' })
  }
  if (inputs.length !== 2) return hashWithBigints(scheduleFor(inputs.length), inputs)
  for (const [i, value] of inputs.entries()) pack(value, pair, i)
  poseidonPairs(pair, single)
  return unpack(single, 0)
}

const pair = new Uint8Array(2 * PACKED_BYTES)
const single = new Uint8Array(PACKED_BYTES)

/**
 * Hashes many pairs of packed elements at once.
 *
 * @param pairs 64 bytes a pair, all elements below p
 * @param to 32 bytes a pair
 */
export function poseidonPairs(pairs: Uint8Array, to: Uint8Array): void {
  pairHasher ??= createPairHasher(scheduleFor(2)) ?? hashPairsWithBigints
  pairHasher(pairs, to)
}

let pairHasher: PairHasher | undefined

/** Writes an element at a position among packed ones. */
export function pack(value: bigint, to: Uint8Array, index: number): void {
  const view = new DataView(to.buffer, to.byteOffset + PACKED_BYTES * index, PACKED_BYTES)
  for (let word = 0; word < 4; word++) view.setBigUint64(8 * word, value >> BigInt(64 * word), true)
}

/** Reads the element at a position among packed ones. */
export function unpack(from: Uint8Array, index: number): bigint {
  const view = new DataView(from.buffer, from.byteOffset + PACKED_BYTES * index, PACKED_BYTES)
  let value = 0n
  for (let word = 3; word >= 0; word--) value = (value << 64n) | view.getBigUint64(8 * word, true)
  return value
}

/** For platforms that do not let us use WebAssembly. */
export function hashPairsWithBigints(pairs: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < pairs.length / (2 * PACKED_BYTES); i++) {
    pack(hashWithBigints(scheduleFor(2), [unpack(pairs, 2 * i), unpack(pairs, 2 * i + 1)]), to, i)
  }
}

const schedules = new Map<number, Schedule>()

/** Made at first use: a few ms for each number of inputs. */
function scheduleFor(inputs: number): Schedule {
  const known = schedules.get(inputs) ?? scheduleOf(poseidonParameters((inputs + 1) as Width))
  schedules.set(inputs, known)
  return known
}
