import { Worker } from 'node:worker_threads'
import { type ArtifactSource, loadManifest } from '@postrider/circuits'
import { createEngine, type WorkerEvents } from '../prover/engine.ts'
import { checkPinned } from '../prover/source.ts'
import type { ProofEngine } from '../rln/types.ts'

/**
 * Proves and verifies in one worker thread: see `createEngine`. By default with the keys of this package.
 *
 * @throws PostriderError `CLIENT_OPTION_INVALID` for a URL without a hash
 */
export function createWorkerProver(source?: ArtifactSource): ProofEngine {
  if (source && 'url' in source) checkPinned(source)
  const setup = async () => (await loadManifest(source)).setup
  return createEngine({ startWorker, setup }, source)
}

function startWorker({ onAnswer, onFailure }: WorkerEvents) {
  const worker = new Worker(new URL('./prover-worker.ts', import.meta.url))
  worker.on('message', onAnswer)
  worker.on('error', (error) => onFailure('the worker failed', error))
  worker.on('exit', () => onFailure('the worker ended'))
  return {
    post: (request: unknown) => worker.postMessage(request),
    end: async () => void (await worker.terminate()),
  }
}
