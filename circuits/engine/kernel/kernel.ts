// The kernel: one WebAssembly instance with alt_bn128's arithmetic, and memory that is handed out and given back.
import { PostriderError } from '@postrider/protocol/errors'
import { createModuleBuilder } from '@postrider/protocol/wasm'
import { BASE_MODULUS, SCALAR_MODULUS } from '../constants.ts'
import { TWIST_B } from '../field.ts'
import { defineBatchAddition } from './batch-addition.ts'
import { defineCurve, type Shape } from './curve.ts'
import { defineSplit } from './endomorphism.ts'
import { defineGather, defineImportBases } from './gather.ts'
import { defineInverse, defineQuadraticInverse } from './inverse.ts'
import { defineLines } from './lines.ts'
import { definePrimeField, FIELD_BYTES, LIMB_BITS, LIMBS, MONTGOMERY_BITS, toLimbs } from './prime-field.ts'
import { defineQuadraticField, QUADRATIC_BYTES } from './quadratic-field.ts'
import { defineTower } from './tower.ts'
import { defineImport, defineVectors } from './vectors.ts'

const PAGE_BYTES = 65_536

type KernelFunction = (...args: number[]) => number
type Functions<Names extends string> = Record<Names, KernelFunction>

type FieldFunctions = Functions<
  'mul' | 'sqr' | 'add' | 'sub' | 'double' | 'negate' | 'copy' | 'isZero' | 'inverse'
>
type PrimeFunctions = FieldFunctions & Functions<'fromBytes' | 'toBytes' | 'import' | 'addRaw' | 'subRaw'>
type ScalarFunctions = PrimeFunctions &
  Functions<'mulEach' | 'quotient' | 'addProducts' | 'butterflies' | 'butterfliesOfOne' | 'permute'>
type CurveFunctions = Functions<
  | 'double'
  | 'addAffine'
  | 'add'
  | 'gather'
  | 'importBases'
  | 'denominators'
  | 'denominatorsWithCare'
  | 'addPairs'
>

/** The kernel's functions by their part; arguments are addresses, the destination first. */
export type KernelFunctions = {
  fp: PrimeFunctions
  fr: ScalarFunctions
  fp2: FieldFunctions & Functions<'addXi' | 'subXi'>
  g1: CurveFunctions
  g2: CurveFunctions
  fp6: Functions<'mul' | 'add' | 'sub' | 'negate' | 'addShifted'>
  fp12: Functions<'mul' | 'sqr' | 'sqrCyclotomic' | 'conjugate'>
  line: Functions<'double' | 'add' | 'multiply'>
}

export interface Kernel {
  functions<Part extends keyof KernelFunctions>(part: Part): KernelFunctions[Part]
  /** Splits 32-byte scalars; see endomorphism.ts. */
  split(to: number, from: number, end: number): void
  readonly g1: Shape
  readonly g2: Shape
  /** Reserves memory for good. */
  reserve(bytes: number): number
  /** Runs `work` with memory that is given back afterwards; calls nest. */
  scoped<T>(work: (reserve: (bytes: number) => number) => T): T
  /** Current views of memory. Take them anew after reserving: growth detaches old ones. */
  bytes(): Uint8Array
  words(): Int32Array
  /** Writes a value's limbs as they are. */
  setRaw(to: number, value: bigint): void
  /** Writes a reduced value in Montgomery form. */
  setField(prime: 'fp' | 'fr', to: number, value: bigint): void
  /** Reads an element in Montgomery form, reduced. */
  getField(prime: 'fp' | 'fr', from: number): bigint
}

const MODULUS = { fp: BASE_MODULUS, fr: SCALAR_MODULUS } as const

export async function createKernel(): Promise<Kernel> {
  const { bytes, end, g1, g2, tripleB } = generate()
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE_BYTES) })
  const { instance } = await WebAssembly.instantiate(bytes as BufferSource, { env: { memory } })
  const exported = instance.exports as Record<string, KernelFunction>
  let top = end

  function reserve(size: number): number {
    const at = top
    top = (top + size + 7) & ~7
    const missing = top - memory.buffer.byteLength
    if (missing > 0) grow(memory, Math.ceil(missing / PAGE_BYTES))
    return at
  }
  const words = () => new Int32Array(memory.buffer)

  const parts = new Map<string, Record<string, KernelFunction>>()
  for (const [name, run] of Object.entries(exported)) {
    const [part = '', operation = ''] = name.split('_')
    parts.set(part, { ...parts.get(part), [operation]: run })
  }

  const kernel: Kernel = {
    functions: (part) => parts.get(part) as KernelFunctions[typeof part],
    split: exported.split as KernelFunction,
    g1,
    g2,
    reserve,
    scoped(work) {
      const before = top
      try {
        return work(reserve)
      } finally {
        top = before
      }
    },
    bytes: () => new Uint8Array(memory.buffer),
    words,
    setRaw(to, value) {
      words().set(toLimbs(value).map(Number), to / 4)
    },
    setField(prime, to, value) {
      kernel.setRaw(to, (value << BigInt(MONTGOMERY_BITS)) % MODULUS[prime])
    },
    getField(prime, from) {
      const limbs = words().subarray(from / 4, from / 4 + LIMBS)
      const value = limbs.reduceRight((sum, limb) => (sum << BigInt(LIMB_BITS)) + BigInt(limb), 0n)
      const reduced = (value * MONTGOMERY_INVERSE[prime]) % MODULUS[prime]
      return reduced < 0n ? reduced + MODULUS[prime] : reduced
    },
  }
  kernel.setField('fp', g1.one, 1n)
  for (const [i, value] of TWIST_B.entries()) kernel.setField('fp', tripleB + i * FIELD_BYTES, 3n * value)
  return kernel
}

function grow(memory: WebAssembly.Memory, pages: number): void {
  try {
    memory.grow(pages)
  } catch (cause) {
    throw new PostriderError('CIRCUITS_ENGINE_FAILED', { detail: 'out of memory', cause })
  }
}

const MONTGOMERY_INVERSE = { fp: inverseOfR(BASE_MODULUS), fr: inverseOfR(SCALAR_MODULUS) } as const

/** 2^-261 modulo an odd prime: halve 1 as often. */
function inverseOfR(prime: bigint): bigint {
  let value = 1n
  for (let i = 0; i < MONTGOMERY_BITS; i++) value = (value & 1n ? value + prime : value) >> 1n
  return value
}

function generate() {
  const m = createModuleBuilder()
  // G2's 1 is this one followed by an imaginary part that stays 0.
  const one = m.reserve(2 * FIELD_BYTES)
  const g1: Shape = { name: 'g1', field: 'fp', size: FIELD_BYTES, one }
  const g2: Shape = { name: 'g2', field: 'fp2', size: 2 * FIELD_BYTES, one }
  for (const prime of ['fp', 'fr'] as const) {
    definePrimeField(m, prime, MODULUS[prime])
    defineInverse(m, prime, MODULUS[prime])
    defineImport(m, prime)
  }
  defineQuadraticField(m, 'fp2', 'fp', BASE_MODULUS)
  defineQuadraticInverse(m, 'fp2', 'fp')
  defineVectors(m, 'fr')
  defineSplit(m)
  for (const shape of [g1, g2]) {
    defineCurve(m, shape)
    defineBatchAddition(m, shape)
    defineGather(m, shape)
    defineImportBases(m, shape)
  }
  const tripleB = m.reserve(QUADRATIC_BYTES)
  defineTower(m, BASE_MODULUS)
  defineLines(m, tripleB)
  return { bytes: m.bytes(), end: m.end(), g1, g2, tripleB }
}
