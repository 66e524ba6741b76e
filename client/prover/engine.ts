// The client's side of the prover's worker.
import type { ProveResult } from '@postrider/circuits/engine'
import { type ErrorCode, errorTable, PostriderError } from '@postrider/protocol/errors'
import type { KeySetup } from '@postrider/protocol/rln'
import { abortReason, throwIfAborted } from '../core/abort.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import type { PreparedProof, ProofEngine, ProverOptions } from '../rln/types.ts'
import type { Call, WorkerAnswer, WorkerFailure, WorkerRequest } from './messages.ts'

/** A worker that runs `serveProver`. */
export interface ProverWorker {
  post(request: WorkerRequest): void
  /** Ends it at once, whatever it is doing. */
  end(): Promise<void> | void
}

/** What a worker tells. */
export type WorkerEvents = {
  onAnswer(answer: WorkerAnswer): void
  /** It is gone, or nothing that it says can be relied on. */
  onFailure(detail: string, cause?: unknown): void
}

export type EngineComponents = {
  clock?: Clock
  startWorker(events: WorkerEvents): ProverWorker
  /** How the keys were made, without loading them. */
  setup(): Promise<KeySetup>
}

/**
 * How long a worker may be silent while an aborted call is under way, ms: a step takes some 0.15 s, on a busy machine
 * many times that. After this it will never answer: some browsers end one that takes too much memory and tell nobody.
 */
const ABORT_GRACE_MS = 10_000

type Pending = ProverOptions & { resolve(result: unknown): void; reject(error: PostriderError): void }

/**
 * Proves and verifies in one worker, started at the first use. An abort stops the work at its next step, within some
 * 0.2 s; the keys stay loaded. A worker that dies, or says nothing for 10 s after an abort, fails the calls under way
 * and is started again by the next one.
 *
 * @param source where the worker gets its keys
 */
export function createEngine(components: EngineComponents, source?: unknown): ProofEngine {
  const { clock = systemClock, startWorker, setup } = components
  const pending = new Map<number, Pending>()
  let ids = 0
  let heard = 0
  let worker: ProverWorker | undefined
  let closed = false

  const failAll = (detail: string, cause?: unknown) => {
    const error = new PostriderError('CLIENT_PROVER_FAILED', { detail, cause })
    const calls = [...pending.values()]
    pending.clear()
    for (const { reject } of calls) reject(error)
  }
  const settle = (answer: WorkerAnswer) => {
    const call = pending.get(answer.id)
    heard++
    if ('progress' in answer) return call?.onProgress?.(answer.progress)
    pending.delete(answer.id)
    if (answer.ok) call?.resolve(answer.result)
    else call?.reject(toError(answer.failure))
  }
  const lose = (lost: ProverWorker, detail: string, cause?: unknown) => {
    // One that was ended or replaced has nothing more to say.
    if (worker !== lost) return
    worker = undefined
    failAll(detail, cause)
    void lost.end()
  }
  const loseIfSilent = async (asked: ProverWorker, answered: AbortSignal) => {
    for (let before = -1; before !== heard; ) {
      before = heard
      await clock.sleep(ABORT_GRACE_MS, answered)
    }
    lose(asked, 'the worker does not answer')
  }
  const start = (): ProverWorker => {
    if (closed) throw new PostriderError('CLIENT_CLOSED')
    if (worker) return worker
    const started = startWorker({
      onAnswer: settle,
      onFailure: (detail, cause) => lose(started, detail, cause),
    })
    worker = started
    started.post({ type: 'open', source })
    return started
  }
  const call = async (
    request: Call,
    options: ProverOptions = {},
  ): Promise<{ id: number; result: unknown }> => {
    const { signal } = options
    throwIfAborted(signal)
    const to = start()
    const id = ++ids
    const answer = new Promise<unknown>((resolve, reject) => pending.set(id, { ...options, resolve, reject }))
    const answered = new AbortController()
    const abort = () => {
      to.post({ type: 'abort', id })
      loseIfSilent(to, answered.signal).catch(() => undefined)
    }
    signal?.addEventListener('abort', abort, { once: true })
    to.post({ ...request, id })
    try {
      return { id, result: await answer }
    } catch (error) {
      throw signal?.aborted ? abortReason(signal) : error
    } finally {
      signal?.removeEventListener('abort', abort)
      answered.abort()
    }
  }
  /** A proof made ahead is in the memory of the worker that made it, and gone with it. */
  const preparedProof = (ahead: number): PreparedProof => {
    const holder = worker
    return {
      async complete(x, options) {
        if (worker !== holder)
          throw new PostriderError('CLIENT_PROVER_FAILED', { detail: 'the worker is gone' })
        const { result } = await call({ type: 'complete', ahead, x }, options)
        return result as ProveResult
      },
      drop() {
        if (worker === holder) holder?.post({ type: 'drop', ahead })
      },
    }
  }

  return {
    setup,
    async prepare(options) {
      await call({ type: 'prepare' }, options)
    },
    async warm(member, options) {
      await call({ type: 'warm', member }, options)
    },
    async prove(inputs, options) {
      return (await call({ type: 'prove', inputs }, options)).result as ProveResult
    },
    async proveAhead(inputs, options) {
      return preparedProof((await call({ type: 'proveAhead', inputs }, options)).id)
    },
    async verify(proof, signals) {
      return (await call({ type: 'verify', proof, signals })).result as boolean
    },
    async close() {
      closed = true
      const ending = worker
      worker = undefined
      failAll('the client is closing')
      await ending?.end()
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
