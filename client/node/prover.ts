import { Worker } from 'node:worker_threads'
import { type ArtifactSource, loadManifest } from '@postrider/circuits'
import type { ProveResult } from '@postrider/circuits/engine'
import { type ErrorCode, errorTable, PostriderError } from '@postrider/protocol/errors'
import { abortReason, throwIfAborted } from '../core/abort.ts'
import type { ProofEngine } from '../rln/types.ts'
import type { WorkerAnswer, WorkerFailure, WorkerRequest } from './prover-messages.ts'

type Pending = { resolve(result: unknown): void; reject(error: PostriderError): void }
type Ask = WorkerRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never

/**
 * Proves and verifies in one worker thread, started at the first use. A worker that dies fails the calls under
 * way and is started again by the next one.
 */
export function createWorkerProver(source?: ArtifactSource): ProofEngine {
  const pending = new Map<number, Pending>()
  let ids = 0
  let running: { worker: Worker; ready: Promise<unknown> } | undefined
  let closed = false

  const failAll = (detail: string, cause?: unknown) => {
    running = undefined
    const error = new PostriderError('CLIENT_PROVER_FAILED', { detail, cause })
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  const settle = (answer: WorkerAnswer) => {
    const call = pending.get(answer.id)
    pending.delete(answer.id)
    if (answer.ok) call?.resolve(answer.result)
    else call?.reject(toError(answer.failure))
  }
  const ask = (worker: Worker, request: Ask): { id: number; answer: Promise<unknown> } => {
    const id = ++ids
    const answer = new Promise<unknown>((resolve, reject) => pending.set(id, { resolve, reject }))
    worker.postMessage({ ...request, id })
    return { id, answer }
  }
  const start = () => {
    if (closed) throw new PostriderError('CLIENT_CLOSED')
    if (running) return running
    const worker = new Worker(new URL('./prover-worker.ts', import.meta.url))
    worker.on('message', settle)
    worker.on('error', (error) => failAll('the worker failed', error))
    worker.on('exit', () => {
      if (running?.worker === worker) failAll('the worker ended')
    })
    const ready = ask(worker, { type: 'prepare', source }).answer
    // Each caller awaits it; without one, a failure is no unhandled rejection.
    ready.catch(() => undefined)
    running = { worker, ready }
    return running
  }

  return {
    setup: async () => (await loadManifest(source)).setup,
    async prepare() {
      await start().ready
    },
    async prove(inputs, signal) {
      throwIfAborted(signal)
      const { worker, ready } = start()
      await ready
      throwIfAborted(signal)
      const { id, answer } = ask(worker, { type: 'prove', inputs })
      const abort = () => worker.postMessage({ type: 'abort', id })
      signal?.addEventListener('abort', abort, { once: true })
      try {
        return (await answer) as ProveResult
      } catch (error) {
        throw signal?.aborted ? abortReason(signal) : error
      } finally {
        signal?.removeEventListener('abort', abort)
      }
    },
    async verify(proof, signals) {
      const { worker, ready } = start()
      await ready
      return (await ask(worker, { type: 'verify', proof, signals }).answer) as boolean
    },
    async close() {
      closed = true
      const worker = running?.worker
      failAll('the client is closing')
      await worker?.terminate()
    },
  }
}

function toError({ code, message, data }: WorkerFailure): PostriderError {
  const known = code !== undefined && Object.hasOwn(errorTable, code)
  return new PostriderError(known ? (code as ErrorCode) : 'CLIENT_PROVER_FAILED', {
    detail: message,
    ...(data ? { data } : {}),
  })
}
