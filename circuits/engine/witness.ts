// Runs the witness calculator that circom compiled: inputs in, the value of every wire out.
import { PostriderError } from '@postrider/protocol/errors'
import { ELEMENT_BYTES, SCALAR_MODULUS } from './constants.ts'

/** What a circuit compiled by circom 2 exports. Values cross word by word through a small shared buffer. */
type WitnessExports = {
  init(sanityCheck: number): void
  getFieldNumLen32(): number
  getRawPrime(): void
  getWitnessSize(): number
  getWitness(wire: number): void
  getInputSize(): number
  getInputSignalSize(hashHigh: number, hashLow: number): number
  setInputSignal(hashHigh: number, hashLow: number, index: number): void
  readSharedRWMemory(word: number): number
  writeSharedRWMemory(word: number, value: number): void
}

export type WitnessInputs = Readonly<Record<string, readonly bigint[]>>

export interface WitnessCalculator {
  readonly wires: number
  /**
   * Every wire as 32 bytes, little-endian, in the constraint system's order; wire 0 is the constant 1.
   *
   * @throws CIRCUITS_INPUT_INVALID (names or counts), CIRCUITS_WITNESS_INVALID (a constraint fails)
   */
  calculate(inputs: WitnessInputs): Uint8Array
}

/** Compiles once; each calculation reuses the instance. */
export async function createWitnessCalculator(wasm: Uint8Array): Promise<WitnessCalculator> {
  const runtime = {
    exceptionHandler: (code: number) => {
      throw new PostriderError('CIRCUITS_WITNESS_INVALID', { data: { circomCode: code } })
    },
    printErrorMessage: () => {},
    writeBufferMessage: () => {},
    showSharedRWMemory: () => {},
  }
  const { instance } = await WebAssembly.instantiate(wasm as BufferSource, { runtime })
  const circuit = instance.exports as unknown as WitnessExports
  if (circuit.getFieldNumLen32() * 4 !== ELEMENT_BYTES || rawPrime(circuit) !== SCALAR_MODULUS) {
    throw new PostriderError('CIRCUITS_ARTIFACT_MISMATCH', {
      detail: 'the witness code is for another curve',
    })
  }
  const wires = circuit.getWitnessSize()
  return {
    wires,
    calculate(inputs) {
      circuit.init(0)
      setInputs(circuit, inputs)
      return readWitness(circuit, wires)
    },
  }
}

const WORDS = ELEMENT_BYTES / 4

function rawPrime(circuit: WitnessExports): bigint {
  circuit.getRawPrime()
  let value = 0n
  for (let word = WORDS - 1; word >= 0; word--) {
    value = (value << 32n) | BigInt(circuit.readSharedRWMemory(word) >>> 0)
  }
  return value
}

function setInputs(circuit: WitnessExports, inputs: WitnessInputs): void {
  const given = Object.values(inputs).reduce((sum, values) => sum + values.length, 0)
  if (given !== circuit.getInputSize()) {
    throw new PostriderError('CIRCUITS_INPUT_INVALID', {
      detail: `${given} input values instead of ${circuit.getInputSize()}`,
    })
  }
  for (const [name, values] of Object.entries(inputs)) {
    const [high, low] = fnv1a(name)
    if (circuit.getInputSignalSize(high, low) !== values.length) {
      throw new PostriderError('CIRCUITS_INPUT_INVALID', { detail: `${name} has ${values.length} values` })
    }
    for (const [index, value] of values.entries()) {
      for (let word = 0; word < WORDS; word++) {
        circuit.writeSharedRWMemory(word, Number((value >> BigInt(32 * word)) & 0xffffffffn))
      }
      circuit.setInputSignal(high, low, index)
    }
  }
}

function readWitness(circuit: WitnessExports, wires: number): Uint8Array {
  const witness = new Uint8Array(wires * ELEMENT_BYTES)
  const view = new DataView(witness.buffer)
  for (let wire = 0; wire < wires; wire++) {
    circuit.getWitness(wire)
    for (let word = 0; word < WORDS; word++) {
      view.setUint32(wire * ELEMENT_BYTES + word * 4, circuit.readSharedRWMemory(word), true)
    }
  }
  return witness
}

/** circom names an input by the 64-bit FNV-1a hash of its name, in two halves. */
function fnv1a(name: string): [high: number, low: number] {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  }
  return [Number(hash >> 32n), Number(hash & 0xffffffffn)]
}
