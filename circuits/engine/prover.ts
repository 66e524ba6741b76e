import { PostriderError } from '@postrider/protocol/errors'
import * as snarkjs from 'snarkjs'
import { encodeProof } from './codec.ts'
import { toWitnessInputs } from './inputs.ts'
import type { Groth16Proof, Prover, PublicSignals } from './types.ts'
import { createWitnessCalculator } from './witness.ts'
import { encodeWitness } from './wtns.ts'

export type ProverOptions = {
  wasm: Uint8Array
  zkey: Uint8Array
  /** Stay on this thread: for use inside a worker. */
  singleThread?: boolean
}

export function createProver({ wasm, zkey, singleThread = false }: ProverOptions): Prover {
  const calculator = createWitnessCalculator(wasm)
  calculator.catch(() => {})
  let last: Promise<unknown> = Promise.resolve()
  let closed = false

  return {
    async ready() {
      await calculator
    },
    prove(inputs, { signal } = {}) {
      const job = last.then(async () => {
        if (closed) throw new PostriderError('CIRCUITS_ENGINE_CLOSED')
        if (signal?.aborted) throw new PostriderError('CIRCUITS_PROVE_ABORTED')
        const witness = (await calculator).calculate(toWitnessInputs(inputs))
        const result = await snarkjs.groth16.prove(zkey, encodeWitness(witness), undefined, { singleThread })
        return {
          proof: encodeProof(fromSnarkjs(result.proof)),
          signals: result.publicSignals.map(BigInt) as unknown as PublicSignals,
        }
      })
      last = job.catch(() => {})
      return job
    },
    async close() {
      await last
      closed = true
      const curve = (globalThis as { curve_bn128?: { terminate(): Promise<void> } | null }).curve_bn128
      await curve?.terminate()
    },
  }
}

function fromSnarkjs({ pi_a, pi_b, pi_c }: snarkjs.ProofJson): Groth16Proof {
  const g1 = ([x = '', y = '']: string[]) => ({ x: BigInt(x), y: BigInt(y) })
  const fp2 = ([real = '', imaginary = '']: string[] = []): [bigint, bigint] => [
    BigInt(real),
    BigInt(imaginary),
  ]
  return { a: g1(pi_a), b: { x: fp2(pi_b[0]), y: fp2(pi_b[1]) }, c: g1(pi_c) }
}
