import { createEngine, type WorkerEvents } from '../prover/engine.ts'
import type { WorkerAnswer } from '../prover/messages.ts'
import { checkPinned } from '../prover/source.ts'
import type { ProofEngine } from '../rln/types.ts'
import { absolute, type KeySource, readSetup } from './keys.ts'

/**
 * Proves and verifies in one Web Worker: see `createEngine`. By default with the keys of this package, which the
 * bundler serves. What was fetched and checked is kept in IndexedDB by its hash, and checked again when it is read.
 *
 * @throws PostriderError `CLIENT_OPTION_INVALID` for a source without a hash
 */
export function createWorkerProver(source?: KeySource): ProofEngine {
  const keys = source && absolute(checkPinned(source))
  return createEngine({ startWorker, setup: () => readSetup(keys) }, keys)
}

function startWorker({ onAnswer, onFailure }: WorkerEvents) {
  // Bundlers find the worker by this very expression.
  const worker = new Worker(new URL('./prover-worker.ts', import.meta.url), { type: 'module' })
  worker.onmessage = ({ data }: MessageEvent<WorkerAnswer>) => onAnswer(data)
  worker.onmessageerror = () => onFailure('an answer of the worker cannot be read')
  worker.onerror = ({ message }) => onFailure(message || 'the worker cannot be loaded')
  return {
    post: (request: unknown) => worker.postMessage(request),
    end: () => worker.terminate(),
  }
}
