// Reads a proving key in snarkjs' zkey format. Numbers are little-endian; points are affine, their coordinates in
// Montgomery form with R = 2^256, (0, 0) at infinity; coefficients carry R².
import { PostriderError } from '@postrider/protocol/errors'
import { BASE_MODULUS, ELEMENT_BYTES, PUBLIC_SIGNALS, SCALAR_MODULUS } from '../constants.ts'

export type ProvingKey = {
  /** Wires, the constant 1 and the public ones included. */
  wires: number
  /** log2 of the number of roots of unity. */
  power: number
  /** One point each. */
  alpha1: Uint8Array
  beta1: Uint8Array
  beta2: Uint8Array
  delta1: Uint8Array
  delta2: Uint8Array
  /** A point per wire; `c` starts at the first private wire; `h` has one per root of unity. */
  a: Uint8Array
  b1: Uint8Array
  b2: Uint8Array
  c: Uint8Array
  h: Uint8Array
  coefficients: Coefficients
}

/** Entries of the matrices A and B: matrix (0 or 1), row, wire, and the value's bytes. */
export type Coefficients = { matrix: Uint8Array; row: Uint32Array; wire: Uint32Array; values: Uint8Array }

const SECTION = { header: 1, groth16: 2, coefficients: 4, a: 5, b1: 6, b2: 7, c: 8, h: 9 } as const
const PROTOCOL_GROTH16 = 1
const G1_BYTES = 2 * ELEMENT_BYTES
const G2_BYTES = 4 * ELEMENT_BYTES
const COEFFICIENT_BYTES = 12 + ELEMENT_BYTES

/** @throws CIRCUITS_KEY_INVALID */
export function parseProvingKey(zkey: Uint8Array): ProvingKey {
  const sections = findSections(zkey)
  const section = (id: number, bytes?: number): Uint8Array => {
    const found = sections.get(id)
    if (found === undefined || (bytes !== undefined && found.byteLength !== bytes))
      throw invalid(`section ${id}`)
    return found
  }
  if (view(section(SECTION.header)).getUint32(0, true) !== PROTOCOL_GROTH16) throw invalid('not Groth16')

  const header = createReader(section(SECTION.groth16))
  if (header.number() !== BASE_MODULUS || header.number() !== SCALAR_MODULUS) throw invalid('another curve')
  const [wires, publicWires, domain] = [header.word(), header.word(), header.word()]
  const power = Math.log2(domain)
  if (publicWires !== PUBLIC_SIGNALS || !Number.isInteger(power)) throw invalid('another circuit')
  const [alpha1, beta1] = [header.take(G1_BYTES), header.take(G1_BYTES)]
  // beta2, gamma2 (the verifier's), delta1, delta2.
  const [beta2, , delta1, delta2] = [G2_BYTES, G2_BYTES, G1_BYTES, G2_BYTES].map((bytes) =>
    header.take(bytes),
  )
  if (beta2 === undefined || delta1 === undefined || delta2 === undefined) throw invalid('header')
  return {
    ...{ wires, power, alpha1, beta1, beta2, delta1, delta2 },
    a: section(SECTION.a, wires * G1_BYTES),
    b1: section(SECTION.b1, wires * G1_BYTES),
    b2: section(SECTION.b2, wires * G2_BYTES),
    c: section(SECTION.c, (wires - publicWires - 1) * G1_BYTES),
    h: section(SECTION.h, domain * G1_BYTES),
    coefficients: readCoefficients(section(SECTION.coefficients), wires, domain),
  }
}

function findSections(zkey: Uint8Array): Map<number, Uint8Array> {
  const reader = createReader(zkey)
  if (new TextDecoder().decode(reader.take(4)) !== 'zkey' || reader.word() !== 1) throw invalid('not a zkey')
  const sections = new Map<number, Uint8Array>()
  const count = reader.word()
  for (let i = 0; i < count; i++) {
    const id = reader.word()
    const bytes = reader.word() + reader.word() * 2 ** 32
    sections.set(id, reader.take(bytes))
  }
  return sections
}

function readCoefficients(bytes: Uint8Array, wires: number, rows: number): Coefficients {
  const reader = createReader(bytes)
  const count = reader.word()
  if (bytes.byteLength !== 4 + count * COEFFICIENT_BYTES) throw invalid('coefficients')
  const result: Coefficients = {
    matrix: new Uint8Array(count),
    row: new Uint32Array(count),
    wire: new Uint32Array(count),
    values: new Uint8Array(count * ELEMENT_BYTES),
  }
  for (let i = 0; i < count; i++) {
    const [matrix, row, wire] = [reader.word(), reader.word(), reader.word()]
    if (matrix > 1 || row >= rows || wire >= wires) throw invalid('coefficients')
    result.matrix[i] = matrix
    result.row[i] = row
    result.wire[i] = wire
    result.values.set(reader.take(ELEMENT_BYTES), i * ELEMENT_BYTES)
  }
  return result
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function createReader(bytes: Uint8Array) {
  const data = view(bytes)
  let at = 0
  function take(count: number): Uint8Array {
    if (at + count > bytes.byteLength) throw invalid('cut off')
    at += count
    return bytes.subarray(at - count, at)
  }
  function word(): number {
    if (at + 4 > bytes.byteLength) throw invalid('cut off')
    at += 4
    return data.getUint32(at - 4, true)
  }
  /** A number with its byte length in front. */
  function number(): bigint {
    const digits = take(word()).toReversed()
    return digits.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
  }
  return { take, word, number }
}

function invalid(detail: string): PostriderError {
  return new PostriderError('CIRCUITS_KEY_INVALID', { detail })
}
