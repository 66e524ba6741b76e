import { PostriderError } from '@postrider/protocol/errors'
import { ELEMENT_BYTES, PUBLIC_SIGNALS } from '../constants.ts'
import { toWitnessInputs } from '../inputs.ts'
import { createKernel } from '../kernel/kernel.ts'
import type { MemberInputs, ProveOptions, Prover, PublicSignals, RlnInputs } from '../types.ts'
import { createWitnessCalculator } from '../witness.ts'
import { createGroth16, type Groth16 } from './groth16.ts'
import { parseProvingKey } from './zkey.ts'

export type ProverKeys = {
  /** Witness calculator as circom compiles it. */
  wasm: Uint8Array
  /** Proving key in snarkjs' format. */
  zkey: Uint8Array
}

/**
 * A prover for one key. It computes on the calling thread and starts none: use it in a worker.
 *
 * What a proof shares with the one before (same member, root and limit) is kept, so the first proof takes several
 * times as long as the next ones.
 */
export function createProver(keys: ProverKeys): Prover {
  const engine = load(keys)
  let queue: Promise<unknown> = engine.catch(() => {})
  let closed = false

  /** Jobs run one after the other. */
  function enqueue<T>(job: (engine: Engine) => T | Promise<T>): Promise<T> {
    const result = queue.then(async () => {
      if (closed) throw new PostriderError('CIRCUITS_ENGINE_CLOSED')
      return job(await engine)
    })
    queue = result.catch(() => {})
    return result
  }

  return {
    ready: () => enqueue(() => {}),
    prepare: (member) => enqueue(({ witness, groth16 }) => groth16.anchor(witness(sampleMessage(member)))),
    prove: (inputs, options = {}) =>
      enqueue(async ({ witness, groth16 }) => {
        throwIfAborted(options.signal)
        const values = witness(inputs)
        const proof = await finish(groth16.prove(values), options)
        return { proof, signals: publicSignals(values) }
      }),
    async close() {
      await queue
      closed = true
      await engine.then(({ wipe }) => wipe()).catch(() => {})
    },
  }
}

type Engine = {
  witness(inputs: RlnInputs): Uint8Array
  groth16: Groth16
  /** Overwrites the secrets that proofs have left in memory. */
  wipe(): void
}

async function load({ wasm, zkey }: ProverKeys): Promise<Engine> {
  const [calculator, kernel] = await Promise.all([createWitnessCalculator(wasm), createKernel()])
  const groth16 = createGroth16(kernel, parseProvingKey(zkey))
  if (groth16.wires !== calculator.wires) {
    throw new PostriderError('CIRCUITS_KEY_INVALID', { detail: 'proving key and witness code differ' })
  }
  return {
    witness: (inputs) => calculator.calculate(toWitnessInputs(inputs)),
    groth16,
    wipe: () => void kernel.bytes().fill(0),
  }
}

/** Runs the steps of a proof, looking at the caller's wishes in between. */
async function finish(steps: Generator<number, Uint8Array>, options: ProveOptions): Promise<Uint8Array> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    options.onProgress?.(value)
    if (options.signal === undefined) continue
    await pause()
    throwIfAborted(options.signal)
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new PostriderError('CIRCUITS_PROVE_ABORTED')
}

/** Lets the event loop deliver an abort. */
function pause(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void }
  return new Promise((resolve) => {
    if (setImmediate === undefined) setTimeout(resolve, 0)
    else setImmediate(resolve)
  })
}

/** Any message: what it shares with the next one is all that counts. */
function sampleMessage(member: MemberInputs): RlnInputs {
  return { ...member, messageId: 0, x: 1n, externalNullifier: 0n }
}

/** Wire 0 is the constant 1; the public signals follow. */
function publicSignals(witness: Uint8Array): PublicSignals {
  const view = new DataView(witness.buffer, witness.byteOffset)
  const signals = Array.from({ length: PUBLIC_SIGNALS }, (_, i) => {
    const at = (i + 1) * ELEMENT_BYTES
    return [3, 2, 1, 0].reduce((value, word) => (value << 64n) | view.getBigUint64(at + 8 * word, true), 0n)
  })
  return signals as unknown as PublicSignals
}
