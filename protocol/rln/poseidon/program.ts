// The schedule of two inputs as a WebAssembly module: `hash(to, from, end)` hashes the pairs from `from` to `end`.
import {
  block,
  type Code,
  createModuleBuilder,
  i32,
  type Local,
  type ModuleBuilder,
} from '../../wasm/assembler.ts'
import { FIELD_MODULUS } from '../constants.ts'
import {
  defineFromBytes,
  defineSquare,
  defineSum,
  defineToBytes,
  LIMB_BYTES,
  MONTGOMERY_BITS,
} from './arithmetic.ts'
import type { Layer, PartialRound, Schedule } from './schedule.ts'

/** An element on the outside: 32 bytes, little-endian, below p. */
export const ELEMENT_BYTES = 32

/** Inputs of one hash. The state has one element more, the register as many. */
export const INPUTS = 2

export type Program = {
  code: Uint8Array
  /** What must be in memory before the first call, as limbs. */
  constants: readonly { address: number; values: readonly bigint[] }[]
  /** Where pairs and hashes go, and the first address behind them. */
  input: number
  output: number
  end: number
}

/** @param pairs how many pairs there is room for */
export function generateProgram(schedule: Schedule, pairs: number): Program {
  const m = createModuleBuilder()
  const constants: { address: number; values: readonly bigint[] }[] = []
  const place: Place = (values) => {
    const address = room(m, values.length)
    constants.push({ address, values })
    return i32.const(address)
  }
  defineFromBytes(m, 'fromBytes')
  defineToBytes(m, 'toBytes')
  defineSquare(m, 'square')
  defineSum(m, 'product', [1], 1)
  defineSum(m, 'mixInputs', [INPUTS], 1)
  defineSum(m, 'mixState', [1, INPUTS], 1)
  definePartialRounds(m)
  const zero = place([0n])
  defineFifth(m, zero)
  defineHash(m, schedule, place, zero)
  const input = m.reserve(pairs * INPUTS * ELEMENT_BYTES)
  const output = m.reserve(pairs * ELEMENT_BYTES)
  return { code: m.bytes(), constants, input, output, end: m.end() }
}

/** Reserves constant elements and leaves their address. */
type Place = (values: readonly bigint[]) => Code

const room = (m: ModuleBuilder, elements: number): number => m.reserve(LIMB_BYTES * elements)
const montgomery = (value: bigint) => (value << MONTGOMERY_BITS) % FIELD_MODULUS
const element = (from: Code, index: number): Code => i32.add(from, i32.const(LIMB_BYTES * index))

/** fifth(at, from): at = from^5. */
function defineFifth(m: ModuleBuilder, zero: Code): void {
  const power = i32.const(room(m, 1))
  m.define('fifth', 2, ({ params }) => {
    const [to, from] = params as [Local, Local]
    return [
      m.call('square', power, from.get),
      m.call('square', power, power),
      m.call('product', to.get, power, from.get, zero),
    ]
  })
}

/**
 * partialRounds(x, register, constants, end): each appends an entry to the register, which stands before the newest
 * ones, oldest first, and makes the next x.
 */
function definePartialRounds(m: ModuleBuilder): void {
  const power = i32.const(room(m, 1))
  m.define('partialRounds', 4, ({ params }) => {
    const [x, register, constants, end] = params as [Local, Local, Local, Local]
    const entry = element(register.get, INPUTS)
    const constant = element(constants.get, INPUTS)
    const output = element(constants.get, INPUTS + 1)
    const advance = (pointer: Local, elements: number) => pointer.set(element(pointer.get, elements))
    return block.doWhile(
      [
        m.call('square', power, x.get),
        m.call('square', power, power),
        m.call('mixState', entry, power, x.get, register.get, constants.get, constant),
        m.call('mixInputs', x.get, register.get, output, entry),
        advance(register, 1),
        advance(constants, CONSTANTS_OF_A_ROUND),
      ],
      i32.ltU(constants.get, end.get),
    )
  })
}

const CONSTANTS_OF_A_ROUND = 2 * INPUTS + 1

/** In the order in which the register stands: oldest entry first. */
function constantsOf({ feedback, constant, output }: PartialRound): bigint[] {
  return [...feedback.toReversed(), constant, ...output.toReversed()]
}

/** Elements one after the other, or one at an address of its own and the others after it. */
type Source = { first?: Code; rest: Code }

/** hash(to, from, end): 32 bytes for each 64. */
function defineHash(m: ModuleBuilder, schedule: Schedule, place: Place, zero: Code): void {
  const { start, opening, partial, exit, closing } = schedule
  const states = [0, 1].map(() => i32.const(room(m, INPUTS + 1))) as [Code, Code]
  const x = i32.const(room(m, 1))
  const register = i32.const(room(m, INPUTS + partial.length))
  const rounds = place(partial.flatMap(constantsOf).map(montgomery))
  const endOfRounds = element(rounds, CONSTANTS_OF_A_ROUND * partial.length)

  const mix = (to: readonly Code[], { first, rest }: Source, { matrix, constants }: Layer): Code =>
    matrix.map((row, i) => {
      const factors = row.map(montgomery)
      const target = to[i] ?? zero
      const constant = place([montgomery(constants[i] ?? 0n)])
      return first === undefined
        ? m.call('mixInputs', target, rest, place(factors), constant)
        : m.call(
            'mixState',
            target,
            first,
            place(factors.slice(0, 1)),
            rest,
            place(factors.slice(1)),
            constant,
          )
    })
  const stateOf = (index: number) => states[index % 2] as Code
  const elements = (state: Code) => Array.from({ length: INPUTS + 1 }, (_, i) => element(state, i))
  const source = (state: Code): Source => ({ first: state, rest: element(state, 1) })
  const full = (to: readonly Code[], from: Code, layer: Layer): Code => [
    elements(from).map((at) => m.call('fifth', at, at)),
    mix(to, source(from), layer),
  ]
  /** Layers after the first, from one state to the other; the last one ends where it is told. */
  const layers = (of: readonly Layer[], end: readonly Code[]): Code =>
    of.map((layer, i) => full(i === of.length - 1 ? end : elements(stateOf(i + 1)), stateOf(i), layer))

  const [first = exit, ...others] = opening
  const inputs = element(stateOf(1), 1)
  const newestFirst = Array.from({ length: INPUTS }, (_, age) => element(register, INPUTS - 1 - age))
  const oldestFirst: Layer = {
    ...exit,
    matrix: exit.matrix.map(([ofX = 0n, ...row]) => [ofX, ...row.toReversed()]),
  }
  m.define('permute', 0, () => [
    Array.from({ length: INPUTS }, (_, i) => m.call('fifth', element(inputs, i), element(inputs, i))),
    mix(elements(stateOf(0)), { rest: inputs }, first),
    layers(others, [x, ...newestFirst]),
    m.call('partialRounds', x, register, rounds, endOfRounds),
    mix(elements(stateOf(0)), { first: x, rest: element(register, partial.length) }, oldestFirst),
    layers(closing, [x]),
  ])

  const toMontgomery = place([montgomery(montgomery(1n))])
  const fromMontgomery = place([1n])
  const starts = start.map((value) => place([montgomery(value)]))
  m.define('hash', 3, ({ params }) => {
    const [to, from, end] = params as [Local, Local, Local]
    const bytes = (pointer: Local, count: number): Code =>
      i32.add(pointer.get, i32.const(ELEMENT_BYTES * count))
    return block.doWhile(
      [
        starts.map((constant, i) => [
          m.call('fromBytes', x, bytes(from, i)),
          m.call('product', element(inputs, i), x, toMontgomery, constant),
        ]),
        m.call('permute'),
        m.call('product', x, x, fromMontgomery, zero),
        m.call('toBytes', to.get, x),
        from.set(bytes(from, INPUTS)),
        to.set(bytes(to, 1)),
      ],
      i32.ltU(from.get, end.get),
    )
  })
}
