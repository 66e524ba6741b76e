import type { ProveResult, RlnInputs } from '@postrider/circuits/engine'
import { createWorkerProver, type KeySource, type ProverProgress } from '@postrider/client/browser'
import { isPostriderError } from '@postrider/protocol/errors'
import { type BreachContext, verifyBreach } from '@postrider/protocol/rln'
import { hexToBytes } from '@postrider/protocol/wire'

export const codeOf = (error: unknown): string => (isPostriderError(error) ? error.code : String(error))

async function timed<T>(task: Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now()
  return { value: await task, ms: performance.now() - started }
}

export const prover = {
  /** Three proofs of one member on a fresh worker: the first, the next, and one made ahead. */
  async prove(inputs: RlnInputs, source?: KeySource) {
    const engine = createWorkerProver(source)
    const progress: ProverProgress[] = []
    const onProgress = (step: ProverProgress) => progress.push(step)
    const load = await timed(engine.prepare({ onProgress }))
    const cold = await timed(engine.prove(inputs, { onProgress }))
    const warm = await timed(engine.prove(inputs))
    const { x, ...rest } = inputs
    const ahead = await timed(engine.proveAhead(rest))
    const finish = await timed(ahead.value.complete(x))
    const results: ProveResult[] = [cold.value, warm.value, finish.value]
    const verified = await Promise.all(results.map(({ proof, signals }) => engine.verify(proof, signals)))
    await engine.close()
    const ms = { load: load.ms, cold: cold.ms, warm: warm.ms, ahead: ahead.ms, finish: finish.ms }
    return { results, verified, progress, ms }
  },

  /** Only loads the keys. */
  async load(source?: KeySource) {
    const engine = createWorkerProver(source)
    const stages = new Set<string>()
    const failure = await engine.prepare({ onProgress: ({ stage }) => stages.add(stage) }).catch(codeOf)
    await engine.close()
    return { stages: [...stages], failure }
  },

  /** Aborts a proof while the keys are fetched, then several more as soon as the first of them is begun; then makes one. */
  async abort(inputs: RlnInputs[], fetchedBytes: number) {
    const engine = createWorkerProver()
    const outcomesWhen = async (stage: ProverProgress['stage'], least: number, all: RlnInputs[]) => {
      const stop = new AbortController()
      const onProgress = (progress: ProverProgress) => {
        if (progress.stage === stage && progress.done > least) stop.abort()
      }
      const options = { signal: stop.signal, onProgress }
      return Promise.all(all.map((one) => engine.prove(one, options).then(() => 'proved', codeOf)))
    }
    const fetching = await outcomesWhen('fetching', fetchedBytes, inputs.slice(0, 1))
    const proving = await outcomesWhen('proving', 0, inputs)
    const { proof, signals } = await engine.prove(inputs[0] as RlnInputs)
    const verified = await engine.verify(proof, signals)
    await engine.close()
    return { fetching, proving, verified }
  },

  /** What the library says of portable evidence: the secret that it gives away, or why it is none. */
  async judge(evidence: string[], network: BreachContext) {
    const engine = createWorkerProver()
    const verdicts: string[] = []
    for (const bytes of evidence) {
      const verdict = verifyBreach(hexToBytes(bytes), network, engine.verify)
      verdicts.push(await verdict.then(({ secret }) => String(secret), codeOf))
    }
    await engine.close()
    return verdicts
  },
}
