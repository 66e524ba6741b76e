// A thin, typed view of mcl's alt_bn128 in WebAssembly: functions over addresses in its memory.
//
// The package's own JavaScript copies every operand in and out of that memory and keeps one curve per process.
// Here each engine has an instance of its own and values stay where they are.

import { PostriderError } from '@postrider/protocol/errors'
import createModule from 'mcl-wasm/dist/mcl_c.js'
import { ELEMENT_BYTES } from './constants.ts'

/** mcl's number for alt_bn128 with the EVM's parameters, and the sizes it was compiled with. */
const CURVE_BN_SNARK1 = 4
const COMPILED_TIME_VAR = 46

/** Bytes of mcl's values: coordinates are in Montgomery form, points in Jacobian coordinates. */
export const SIZE = { fp: 48, fp2: 96, g1: 144, g2: 288, gt: 576, fr: 32 } as const

type Unary = (to: number, from: number) => void
type Binary = (to: number, left: number, right: number) => void
type Test = (left: number, right: number) => number

type RawModule = {
  wasmMemory: WebAssembly.Memory
  _malloc(bytes: number): number
  _mclBn_init(curve: number, compiledTimeVar: number): number
  _mclBn_verifyOrderG2(on: number): void
  _mclBnFp_setLittleEndian(to: number, bytes: number, length: number): number
  _mclBnFr_setLittleEndian(to: number, bytes: number, length: number): number
  _mclBnFp_setInt32(to: number, value: number): void
  _mclBnFp_neg: Unary
  _mclBnFp2_mul: Binary
  _mclBnG1_isValid(point: number): number
  _mclBnG1_neg: Unary
  _mclBnG1_mul: Binary
  _mclBnG1_normalize: Unary
  _mclBnG1_mulVec(to: number, points: number, scalars: number, count: number): void
  _mclBnG2_isValid(point: number): number
  _mclBnG2_add: Binary
  _mclBnG2_sub: Binary
  _mclBnG2_dbl: Unary
  _mclBnG2_isEqual: Test
  _mclBnGT_setInt32(to: number, value: number): void
  _mclBnGT_mul: Binary
  _mclBnGT_pow: Binary
  _mclBnGT_isEqual: Test
  _mclBn_pairing: Binary
  _mclBn_finalExp: Unary
  _mclBn_millerLoopVec(to: number, g1: number, g2: number, count: number): void
  _mclBn_getUint64NumToPrecompute(): number
  _mclBn_precomputeG2: Unary
  _mclBn_precomputedMillerLoop2(to: number, p1: number, q1: number, p2: number, q2: number): void
}

export type Mcl = RawModule & {
  /** Current view of memory: take it anew after any call, because memory may have grown. */
  memory(): Uint8Array
  /** Scratch for one field element on its way in. */
  readonly scratch: number
  /** Writes coordinate `value` < q. */
  setFp(to: number, value: bigint): void
  /** Writes scalar `value` < r. */
  setFr(to: number, value: bigint): void
}

export async function createMcl(): Promise<Mcl> {
  const raw = (await createModule({
    cryptoGetRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
  })) as RawModule
  if (raw._mclBn_init(CURVE_BN_SNARK1, COMPILED_TIME_VAR) !== 0) {
    throw new PostriderError('CIRCUITS_ENGINE_FAILED', { detail: 'mcl does not know the curve' })
  }
  // Group membership is checked here, with the endomorphism; mcl's check multiplies by r and is four times slower.
  raw._mclBn_verifyOrderG2(0)

  const scratch = raw._malloc(ELEMENT_BYTES)
  const memory = () => new Uint8Array(raw.wasmMemory.buffer)
  function toScratch(value: bigint): void {
    const view = new DataView(raw.wasmMemory.buffer, scratch)
    for (let word = 0; word < 4; word++) {
      view.setBigUint64(8 * word, BigInt.asUintN(64, value >> BigInt(64 * word)), true)
    }
  }
  return {
    ...raw,
    memory,
    scratch,
    setFp(to: number, value: bigint) {
      toScratch(value)
      raw._mclBnFp_setLittleEndian(to, scratch, ELEMENT_BYTES)
    },
    setFr(to: number, value: bigint) {
      toScratch(value)
      raw._mclBnFr_setLittleEndian(to, scratch, ELEMENT_BYTES)
    },
  }
}
