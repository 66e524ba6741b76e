import { PostriderError } from '@postrider/protocol/errors'
import { ELEMENT_BYTES, PUBLIC_SIGNALS, SCALAR_MODULUS } from '../constants.ts'
import { toWitnessInputs } from '../inputs.ts'
import type { MemberInputs, PreparedProof, ProveOptions, Prover, PublicSignals, RlnInputs } from '../types.ts'
import { createWitnessCalculator } from '../witness.ts'
import { type Ahead, type AheadProver, createAheadProver } from './ahead.ts'
import { createGroth16, type Groth16 } from './groth16.ts'
import { createParts, type Parts } from './parts.ts'
import { within } from './steps.ts'
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

  function createPreparedProof(work: Ahead, signalsAt: (t: bigint) => PublicSignals): PreparedProof {
    let unused: Ahead | undefined = work
    return {
      prove(x) {
        const ours = unused
        unused = undefined
        return enqueue(({ ahead }) => {
          if (ours === undefined) throw new PostriderError('CIRCUITS_PREPARED_USED')
          if (x <= 0n || x >= SCALAR_MODULUS)
            throw new PostriderError('CIRCUITS_INPUT_INVALID', { detail: 'x' })
          const t = x - 1n
          return { proof: ahead.finish(ours, t), signals: signalsAt(t) }
        })
      },
    }
  }

  return {
    ready: () => enqueue(() => {}),
    prepare: (member, options = {}) =>
      enqueue(async ({ witness, wires }) => {
        throwIfAborted(options.signal)
        await runSteps(within(wires.follow(witness(sampleMessage(member))), 0, 1), options)
      }),
    prove: (inputs, options = {}) =>
      enqueue(async ({ witness, groth16 }) => {
        throwIfAborted(options.signal)
        const values = witness(inputs)
        const proof = await runSteps(groth16(values), options)
        return { proof, signals: publicSignals(values) }
      }),
    proveAhead: (inputs, options = {}) =>
      enqueue(async ({ witness, ahead }) => {
        throwIfAborted(options.signal)
        const witnesses = [1n, 2n, 3n].map((x) => witness({ ...inputs, x })) as [
          Uint8Array,
          Uint8Array,
          Uint8Array,
        ]
        const signals = linearSignals(witnesses)
        const work = await runSteps(ahead.prepare(witnesses[0], witnesses[1]), options)
        return createPreparedProof(work, signals)
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
  wires: Parts['wires']
  groth16: Groth16
  ahead: AheadProver
  /** Overwrites the secrets that proofs have left in memory. */
  wipe(): void
}

async function load({ wasm, zkey }: ProverKeys): Promise<Engine> {
  const key = parseProvingKey(zkey)
  const [calculator, parts] = await Promise.all([createWitnessCalculator(wasm), createParts(key)])
  if (key.wires !== calculator.wires) {
    throw new PostriderError('CIRCUITS_KEY_INVALID', { detail: 'proving key and witness code differ' })
  }
  return {
    witness: (inputs) => calculator.calculate(toWitnessInputs(inputs)),
    wires: parts.wires,
    groth16: createGroth16(parts),
    ahead: createAheadProver(parts),
    wipe() {
      parts.kernel.bytes().fill(0)
      calculator.wipe()
    },
  }
}

/** Runs the steps of a job, looking at the caller's wishes in between. */
async function runSteps<T>(steps: Generator<number, T>, options: ProveOptions): Promise<T> {
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
  return Array.from({ length: PUBLIC_SIGNALS }, (_, i) => wire(witness, i + 1)) as unknown as PublicSignals
}

function wire(witness: Uint8Array, index: number): bigint {
  const view = new DataView(witness.buffer, witness.byteOffset + index * ELEMENT_BYTES, ELEMENT_BYTES)
  return [3, 2, 1, 0].reduce((value, word) => (value << 64n) | view.getBigUint64(8 * word, true), 0n)
}

/**
 * Public signals as functions of t = x - 1, from the witnesses for x = 1, 2 and 3.
 *
 * @throws CIRCUITS_KEY_INVALID when some wire of this circuit is not linear in x
 */
function linearSignals([first, second, third]: [Uint8Array, Uint8Array, Uint8Array]): (
  t: bigint,
) => PublicSignals {
  const wires = first.byteLength / ELEMENT_BYTES
  for (let i = 0; i < wires; i++) {
    const [w1, w2, w3] = [wire(first, i), wire(second, i), wire(third, i)]
    if ((w1 - 2n * w2 + w3) % SCALAR_MODULUS === 0n) continue
    throw new PostriderError('CIRCUITS_KEY_INVALID', { detail: 'this circuit cannot be proved ahead' })
  }
  const [at0, at1] = [publicSignals(first), publicSignals(second)]
  return (t) =>
    at0.map((signal, i) => {
      const value = (signal + t * ((at1[i] ?? 0n) - signal)) % SCALAR_MODULUS
      return value < 0n ? value + SCALAR_MODULUS : value
    }) as unknown as PublicSignals
}
