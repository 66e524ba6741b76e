import { FIELD_MODULUS } from '../constants.ts'
import type { Layer, Schedule } from './schedule.ts'

const P = FIELD_MODULUS

// Plain loops, and one reduction for each sum: what a bigint costs is mostly its memory.

/** The sum of products and a constant, reduced. */
function sumOf(start: bigint, factors: readonly bigint[], values: readonly bigint[]): bigint {
  let sum = start
  for (let i = 0; i < values.length; i++) sum += (factors[i] ?? 0n) * (values[i] ?? 0n)
  return sum % P
}

function mix(state: readonly bigint[], { matrix, constants }: Layer): bigint[] {
  return matrix.map((row, i) => sumOf(constants[i] ?? 0n, row, state))
}

function passFully(state: readonly bigint[], layer: Layer): bigint[] {
  return mix(
    state.map((value) => (fourth(value) * value) % P),
    layer,
  )
}

function fourth(value: bigint): bigint {
  const square = (value * value) % P
  return (square * square) % P
}

/** Poseidon with bigints alone: for the widths that nothing hashes in bulk, and where WebAssembly is not allowed. */
export function hashWithBigints(schedule: Schedule, inputs: readonly bigint[]): bigint {
  const { start, opening, partial, exit, closing } = schedule
  const state = start.map((constant, i) => constant + (inputs[i] ?? 0n))
  let [x = 0n, ...register] = opening.reduce(passFully, state)
  for (const { feedback, constant, output } of partial) {
    const entry = sumOf(fourth(x) * x + constant, feedback, register)
    x = sumOf(entry, output, register)
    for (let age = register.length - 1; age > 0; age--) register[age] = register[age - 1] ?? 0n
    register[0] = entry
  }
  const [hash = 0n] = closing.reduce(passFully, mix([x, ...register], exit))
  return hash
}
