import { instantiate } from '../../wasm/instance.ts'
import { toLimbs } from './arithmetic.ts'
import { ELEMENT_BYTES, generateProgram, INPUTS } from './program.ts'
import type { Schedule } from './schedule.ts'

/** Pairs that are in memory at a time; more gains nothing. */
const BATCH_PAIRS = 256

/** Hashes pairs, 64 bytes each, into 32 bytes each; elements are little-endian and below p. */
export type PairHasher = (pairs: Uint8Array, to: Uint8Array) => void

/** Makes the hasher for the schedule of two inputs; undefined where WebAssembly cannot be used. */
export function createPairHasher(schedule: Schedule): PairHasher | undefined {
  const { code, constants, input, output, end } = generateProgram(schedule, BATCH_PAIRS)
  const instance = instantiate(code, end)
  const hash = instance?.functions.hash
  if (instance === undefined || hash === undefined) return undefined
  const words = new DataView(instance.memory)
  for (const { address, values } of constants) {
    for (const [i, limb] of values.flatMap(toLimbs).entries()) words.setUint32(address + 4 * i, limb, true)
  }
  const bytes = new Uint8Array(instance.memory)

  return (pairs, to) => {
    const count = pairs.length / (INPUTS * ELEMENT_BYTES)
    for (let first = 0; first < count; first += BATCH_PAIRS) {
      const last = Math.min(first + BATCH_PAIRS, count)
      const batch = pairs.subarray(first * INPUTS * ELEMENT_BYTES, last * INPUTS * ELEMENT_BYTES)
      bytes.set(batch, input)
      hash(output, input, input + batch.length)
      to.set(bytes.subarray(output, output + (last - first) * ELEMENT_BYTES), first * ELEMENT_BYTES)
    }
  }
}
