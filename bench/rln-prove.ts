// The same statements: snarkjs from memory with its default threads, and ours, which needs one.
import { loadArtifacts } from '@postrider/circuits'
import { createProver, type PreparedProof, type RlnInputs } from '@postrider/circuits/engine'
import { memberInputs } from '../circuits/testing/member.ts'
import { closeSnarkjs, proveWithSnarkjs, verifyWithSnarkjs } from '../circuits/testing/reference.ts'
import { missedBounds } from './bounds.ts'
import { medians, round } from './measure.ts'
import type { Outcome } from './types.ts'

export const title = 'RLN proving: snarkjs with its default threads against ours on one thread'

const ROUNDS = 7

export async function run(): Promise<Outcome> {
  const artifacts = await loadArtifacts()
  const prover = createProver(artifacts)
  let message = 0n
  const next = (): RlnInputs => {
    message++
    return memberInputs({ x: message, messageId: message % 10n, externalNullifier: message / 10n })
  }
  const prepared: PreparedProof[] = []
  await prover.ready()
  const times = await medians(
    {
      snarkjs: () => proveWithSnarkjs(artifacts, next(), { singleThread: false }),
      // Everything anew: code, keys, the member's constant part.
      cold: async () => {
        const fresh = createProver(artifacts)
        await fresh.prove(next())
        await fresh.close()
      },
      warm: () => prover.prove(next()),
      ahead: async () => prepared.push(await prover.proveAhead(next())),
      message: () => prepared.pop()?.prove(next().x),
    },
    ROUNDS,
  )
  const { proof, signals } = await prover.prove(next())
  await prover.close()
  await closeSnarkjs()
  if (!(await verifyWithSnarkjs(artifacts.verificationKey, proof, signals)))
    throw new Error('not a valid proof')

  const row = (what: string, ms: number) => ({
    prover: what,
    'ms per proof': round(ms),
    'times snarkjs': round(times.snarkjs / ms),
  })
  return {
    rows: [
      row('snarkjs, default threads', times.snarkjs),
      row('ours, first proof', times.cold),
      row('ours, next ones', times.warm),
      row('ours, ahead of the message', times.ahead),
      row('ours, the rest of it', times.message),
    ],
    result: {
      snarkjs_ms: round(times.snarkjs),
      cold_ms: round(times.cold),
      warm_ms: round(times.warm),
      speedup_warm: round(times.snarkjs / times.warm),
      ahead_ms: round(times.ahead),
      prepared_ms: round(times.message),
    },
    missed: missedBounds([{ what: 'speedup_warm', value: times.snarkjs / times.warm, atLeast: 4 }]),
  }
}
