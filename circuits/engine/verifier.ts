import { PostriderError } from '@postrider/protocol/errors'
import * as snarkjs from 'snarkjs'
import { areCanonicalSignals, decodeProofStrictly } from './codec.ts'
import type { VerificationKey, Verifier } from './types.ts'

export function createVerifier(
  key: VerificationKey,
  { singleThread = false }: { singleThread?: boolean } = {},
): Verifier {
  const shared = globalThis as { curve_bn128?: unknown }
  let closed = false
  const verify = async (proof: Uint8Array, signals: readonly bigint[]): Promise<boolean> => {
    if (closed) throw new PostriderError('CIRCUITS_ENGINE_CLOSED')
    const points = decodeProofStrictly(proof)
    if (points === undefined || !areCanonicalSignals(signals)) return false
    if (singleThread) shared.curve_bn128 ??= await snarkjs.curves.getCurveFromName('bn128', { singleThread })
    const { a, b, c } = points
    return snarkjs.groth16.verify(key, signals.map(String), {
      pi_a: [`${a.x}`, `${a.y}`, '1'],
      pi_b: [b.x.map(String), b.y.map(String), ['1', '0']],
      pi_c: [`${c.x}`, `${c.y}`, '1'],
    })
  }
  return {
    verify,
    async verifyBatch(items) {
      const verdicts: boolean[] = []
      for (const { proof, signals } of items) verdicts.push(await verify(proof, signals))
      return verdicts
    },
    async close() {
      closed = true
      const curve = (globalThis as { curve_bn128?: { terminate(): Promise<void> } | null }).curve_bn128
      await curve?.terminate()
    },
  }
}
