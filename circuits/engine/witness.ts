// Runs the witness calculator that circom compiled: inputs in, the value of every wire out.
import { PostriderError } from '@postrider/protocol/errors'
import { ELEMENT_BYTES, SCALAR_MODULUS } from './constants.ts'

/** What a circuit compiled by circom 2 exports. Values cross through a small buffer in its memory. */
type WitnessExports = {
  memory: WebAssembly.Memory
  init(sanityCheck: number): void
  getFieldNumLen32(): number
  getRawPrime(): void
  getWitnessSize(): number
  getWitness(wire: number): void
  getInputSize(): number
  getInputSignalSize(hashHigh: number, hashLow: number): number
  setInputSignal(hashHigh: number, hashLow: number, index: number): void
  getSharedRWMemoryStart(): number
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
  /** Overwrites its memory, which holds the inputs and wires of the last calculation. It cannot calculate afterwards. */
  wipe(): void
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
    wipe: () => void new Uint8Array(circuit.memory.buffer).fill(0),
  }
}

/** The buffer as of now: memory does not move while a circuit calculates. */
const sharedBuffer = ({ memory, getSharedRWMemoryStart }: WitnessExports) =>
  new DataView(memory.buffer, getSharedRWMemoryStart(), ELEMENT_BYTES)

function rawPrime(circuit: WitnessExports): bigint {
  circuit.getRawPrime()
  const buffer = sharedBuffer(circuit)
  return [3, 2, 1, 0].reduce((value, word) => (value << 64n) | buffer.getBigUint64(8 * word, true), 0n)
}

function setInputs(circuit: WitnessExports, inputs: WitnessInputs): void {
  const given = Object.values(inputs).reduce((sum, values) => sum + values.length, 0)
  if (given !== circuit.getInputSize()) {
    throw new PostriderError('CIRCUITS_INPUT_INVALID', {
      detail: `${given} input values instead of ${circuit.getInputSize()}`,
    })
  }
  const buffer = sharedBuffer(circuit)
  for (const [name, values] of Object.entries(inputs)) {
    const [high, low] = fnv1a(name)
    if (circuit.getInputSignalSize(high, low) !== values.length) {
      throw new PostriderError('CIRCUITS_INPUT_INVALID', { detail: `${name} has ${values.length} values` })
    }
    for (const [index, value] of values.entries()) {
      for (let word = 0; word < 4; word++) {
        buffer.setBigUint64(8 * word, BigInt.asUintN(64, value >> BigInt(64 * word)), true)
      }
      circuit.setInputSignal(high, low, index)
    }
  }
}

function readWitness(circuit: WitnessExports, wires: number): Uint8Array {
  const witness = new Uint8Array(wires * ELEMENT_BYTES)
  const buffer = new Uint8Array(circuit.memory.buffer, circuit.getSharedRWMemoryStart(), ELEMENT_BYTES)
  for (let wire = 0; wire < wires; wire++) {
    circuit.getWitness(wire)
    witness.set(buffer, wire * ELEMENT_BYTES)
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
