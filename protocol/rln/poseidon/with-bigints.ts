import { FIELD_MODULUS } from '../constants.ts'
import { dot } from './linear.ts'
import type { Layer, Schedule } from './schedule.ts'

const P = FIELD_MODULUS

function fifth(value: bigint): bigint {
  const square = (value * value) % P
  return (((square * square) % P) * value) % P
}

function mix(state: readonly bigint[], { matrix, constants }: Layer): bigint[] {
  return matrix.map((row, i) => dot(row, state) + (constants[i] ?? 0n))
}

const passFully = (state: readonly bigint[], layer: Layer): bigint[] => mix(state.map(fifth), layer)

/** Poseidon with bigints alone: for the widths that nothing hashes in bulk, and where WebAssembly is not allowed. */
export function hashWithBigints(schedule: Schedule, inputs: readonly bigint[]): bigint {
  const { start, opening, partial, exit, closing } = schedule
  const state = start.map((constant, i) => constant + (inputs[i] ?? 0n))
  let [x = 0n, ...register] = opening.reduce(passFully, state)
  for (const { feedback, constant, output } of partial) {
    const square = (x * x) % P
    let entry = ((square * square) % P) * x + constant
    let sum = 0n
    for (const [j, value] of register.entries()) {
      entry += (feedback[j] ?? 0n) * value
      sum += (output[j] ?? 0n) * value
    }
    entry %= P
    x = (entry + sum) % P
    register = [entry, ...register.slice(0, -1)]
  }
  const [hash = 0n] = closing.reduce(passFully, mix([x, ...register], exit))
  return hash % P
}
