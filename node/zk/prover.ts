import type { Artifacts, ProveResult, RlnInputs } from '@postrider/circuits/engine'
import { type ErrorCode, PostriderError } from '@postrider/protocol/errors'
import { systemClock } from '../core/clock.ts'
import { MAX_ATTEMPTS, PROVE_QUEUE_LIMIT } from './constants.ts'
import { createProverMetrics } from './metrics.ts'
import type { ProveRequest, ProveStart } from './prove-worker.ts'
import type { PoolComponents, ProverPool, Service } from './types.ts'
import { type Assignment, createWorkerPool } from './worker-pool.ts'

export type ProverPoolOptions = PoolComponents & {
  artifacts: Pick<Artifacts, 'wasm' | 'zkey'>
  /** Jobs that may wait. */
  queueLimit?: number
  /** Worker module; tests bring their own. */
  entry?: URL
}

type Job = {
  readonly inputs: RlnInputs
  readonly startedAtMs: number
  readonly signal: AbortSignal | undefined
  attempts: number
  resolve(result: ProveResult): void
  reject(error: PostriderError): void
}

/**
 * One prover thread behind a bounded first-in first-out queue. One thread, because the cache of a member's
 * constant part lives in it, and because the machine's other cores have messages to check.
 */
export function createProverPool(options: ProverPoolOptions): ProverPool & Service {
  const { artifacts, queueLimit = PROVE_QUEUE_LIMIT, logger, clock = systemClock } = options
  const waiting: Job[] = []
  const metrics = createProverMetrics(options.metrics, () => waiting.length)
  const startData: ProveStart = { wasm: artifacts.wasm, zkey: artifacts.zkey }
  let refusal: ErrorCode | undefined = 'ZK_STOPPED'

  const pool = createWorkerPool({
    workers: 1,
    entry: options.entry ?? new URL('./prove-worker.ts', import.meta.url),
    startData,
    logger,
    next: nextJob,
    onRestart: () => metrics.restarts.inc(),
    onDead: () => refuseAll('ZK_WORKER_FAILED'),
  })

  function nextJob(): Assignment | undefined {
    const job = waiting.shift()
    if (job === undefined) return undefined
    const request: ProveRequest = { inputs: job.inputs }
    return {
      request,
      abort: job.signal,
      done(result) {
        metrics.seconds.observe((clock.nowMs() - job.startedAtMs) / 1000)
        job.resolve(result as ProveResult)
      },
      failed(error) {
        job.attempts++
        const retry =
          error.code === 'ZK_WORKER_FAILED' && job.attempts < MAX_ATTEMPTS && refusal === undefined
        if (retry) waiting.unshift(job)
        else fail(job, error)
        pool.poke()
      },
    }
  }

  function fail(job: Job, error: PostriderError): void {
    metrics.refused.inc({ code: error.code })
    job.reject(error)
  }

  function refuseAll(code: ErrorCode): void {
    refusal = code
    for (const job of waiting.splice(0)) fail(job, new PostriderError(code))
  }

  function refusalOf(signal: AbortSignal | undefined): ErrorCode | undefined {
    if (refusal !== undefined) return refusal
    if (waiting.length >= queueLimit) return 'ZK_QUEUE_FULL'
    return signal?.aborted ? 'CIRCUITS_PROVE_ABORTED' : undefined
  }

  /** An aborted job that still waits leaves at once; one that runs is told through its assignment. */
  function leaveQueue(job: Job): void {
    const at = waiting.indexOf(job)
    if (at < 0) return
    waiting.splice(at, 1)
    fail(job, new PostriderError('CIRCUITS_PROVE_ABORTED'))
  }

  return {
    canAccept: () => refusalOf(undefined) === undefined,
    prove(inputs, { signal } = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<ProveResult>()
      const job: Job = { inputs, signal, startedAtMs: clock.nowMs(), attempts: 0, resolve, reject }
      const code = refusalOf(signal)
      if (code !== undefined) {
        fail(job, new PostriderError(code))
        return promise
      }
      waiting.push(job)
      signal?.addEventListener('abort', () => leaveQueue(job), { once: true })
      pool.poke()
      return promise
    },
    stats: () => ({ waiting: waiting.length, limit: queueLimit, refusal }),
    async start() {
      await pool.start()
      refusal = undefined
    },
    async stop() {
      refuseAll('ZK_STOPPED')
      await pool.stop()
    },
  }
}
