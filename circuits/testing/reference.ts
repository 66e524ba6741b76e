// What our engine is compared with: snarkjs on one thread, fed with our encodings.
import * as snarkjs from 'snarkjs'
import { encodeProof, type ProveResult, type PublicSignals, type VerificationKey } from '../engine/index.ts'
import { toWitnessInputs } from '../engine/inputs.ts'
import type { RlnInputs } from '../engine/types.ts'

const shared = globalThis as { curve_bn128?: { terminate(): Promise<void> } | null }

/** snarkjs' verdict. Coordinates and signals reach it as they are, without our checks. */
export async function verifyWithSnarkjs(
  key: VerificationKey,
  proof: Uint8Array,
  signals: readonly bigint[],
): Promise<boolean> {
  // Its verifier takes the curve from this global when there is one, and starts threads when there is none.
  shared.curve_bn128 ??= await snarkjs.curves.getCurveFromName('bn128', { singleThread: true })
  const hex = Buffer.from(proof).toString('hex')
  const at = (i: number) => BigInt(`0x${hex.slice(64 * i, 64 * i + 64)}`).toString()
  return snarkjs.groth16.verify(key, signals.map(String), {
    pi_a: [at(0), at(1), '1'],
    pi_b: [
      [at(3), at(2)],
      [at(5), at(4)],
      ['1', '0'],
    ],
    pi_c: [at(6), at(7), '1'],
    protocol: 'groth16',
    curve: 'bn128',
  })
}

/** A proof by snarkjs in our encoding. */
export async function proveWithSnarkjs(
  artifacts: { wasm: Uint8Array; zkey: Uint8Array },
  inputs: RlnInputs,
  options: { singleThread: boolean } = { singleThread: true },
): Promise<ProveResult> {
  const { wasm, zkey } = artifacts
  const { proof, publicSignals } = await snarkjs.groth16.fullProve(
    toWitnessInputs(inputs),
    wasm,
    zkey,
    undefined,
    {},
    options,
  )
  const g1 = ([x = '', y = '']: string[]) => ({ x: BigInt(x), y: BigInt(y) })
  const fp2 = ([re = '', im = '']: string[] = []): [bigint, bigint] => [BigInt(re), BigInt(im)]
  return {
    proof: encodeProof({
      a: g1(proof.pi_a),
      b: { x: fp2(proof.pi_b[0]), y: fp2(proof.pi_b[1]) },
      c: g1(proof.pi_c),
    }),
    signals: publicSignals.map(BigInt) as unknown as PublicSignals,
  }
}

/** Ends the threads that proving with several has started. */
export async function closeSnarkjs(): Promise<void> {
  await shared.curve_bn128?.terminate()
  shared.curve_bn128 = null
}
