// One thread each, the same proofs: snarkjs, ours one by one, ours in batches of 64.
import { loadArtifacts } from '@postrider/circuits'
import { createProver, createVerifier, type ProofItem } from '@postrider/circuits/engine'
import { rerandomize, seededRandom } from '../circuits/testing/corrupt.ts'
import { memberInputs } from '../circuits/testing/member.ts'
import { verifyWithSnarkjs } from '../circuits/testing/reference.ts'
import { missedBounds } from './bounds.ts'
import { medians, round } from './measure.ts'
import type { Outcome } from './types.ts'

export const title = 'RLN proof verification: snarkjs against ours, one thread each'

const BATCH = 64
const ROUNDS = 7
/** Proofs per round of the slow ones. */
const SINGLES = 16

export async function run(): Promise<Outcome> {
  const artifacts = await loadArtifacts()
  const { verificationKey: key } = artifacts
  const verifier = createVerifier(key)
  const proofs = await makeProofs(artifacts)
  const check = (valid: boolean) => {
    if (!valid) throw new Error('a valid proof was refused')
  }
  const times = await medians(
    {
      snarkjs: async () => {
        for (const { proof, signals } of proofs.slice(0, SINGLES))
          check(await verifyWithSnarkjs(key, proof, signals))
      },
      single: async () => {
        for (const { proof, signals } of proofs.slice(0, SINGLES))
          check(await verifier.verify(proof, signals))
      },
      batch: async () => {
        for (const valid of await verifier.verifyBatch(proofs)) check(valid)
      },
    },
    ROUNDS,
  )
  const snarkjs = times.snarkjs / SINGLES
  const single = times.single / SINGLES
  const batch = times.batch / BATCH
  const row = (what: string, ms: number) => ({
    verifier: what,
    'ms per proof': round(ms),
    'proofs per second': Math.round(1000 / ms),
    'times snarkjs': round(snarkjs / ms),
  })
  return {
    rows: [row('snarkjs', snarkjs), row('ours, one by one', single), row(`ours, batch of ${BATCH}`, batch)],
    result: {
      snarkjs_ms: round(snarkjs),
      single_ms: round(single),
      batch64_ms_per_proof: round(batch),
      speedup_single: round(snarkjs / single),
      speedup_batch64: round(snarkjs / batch),
    },
    missed: missedBounds([
      { what: 'speedup_single', value: snarkjs / single, atLeast: 3 },
      { what: 'speedup_batch64', value: snarkjs / batch, atLeast: 6 },
    ]),
  }
}

/** Different statements and, for numbers' sake, re-randomised copies: each is as much work as a fresh one. */
async function makeProofs(artifacts: { wasm: Uint8Array; zkey: Uint8Array }): Promise<ProofItem[]> {
  const prover = createProver(artifacts)
  const random = seededRandom(64)
  const proofs: ProofItem[] = []
  for (let i = 0; i < 8; i++) {
    const { proof, signals } = await prover.prove(memberInputs({ x: BigInt(i + 1), messageId: i }))
    for (let copy = 0; copy < BATCH / 8; copy++) proofs.push({ proof: rerandomize(proof, random), signals })
  }
  await prover.close()
  return proofs
}
