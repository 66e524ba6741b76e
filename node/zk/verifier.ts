import type { VerificationKey } from '@postrider/circuits/engine'
import { type ErrorCode, PostriderError } from '@postrider/protocol/errors'
import { systemClock } from '../core/clock.ts'
import { MAX_ATTEMPTS, VERIFY_QUEUE_LIMIT, VERIFY_SOURCE_SHARE } from './constants.ts'
import { createVerifierMetrics } from './metrics.ts'
import { createProofQueue, LOCAL_SOURCE } from './proof-queue.ts'
import type { PoolComponents, ProofVerifier, Service } from './types.ts'
import type { VerifyRequest, VerifyStart } from './verify-worker.ts'
import { type Assignment, createWorkerPool } from './worker-pool.ts'

export type ProofVerifierOptions = PoolComponents & {
  verificationKey: VerificationKey
  /** Threads. One on two cores: the other belongs to the network. */
  workers?: number
  /** Proofs that may wait. */
  queueLimit?: number
  /** Worker module; tests bring their own. */
  entry?: URL
}

type Job = {
  readonly source: string
  readonly proof: Uint8Array
  readonly signals: readonly bigint[]
  readonly queuedAtMs: number
  attempts: number
  resolve(valid: boolean): void
  reject(error: PostriderError): void
}

/**
 * A bounded queue in front of verifier threads. A thread takes what waits as soon as it is free: a lone proof is
 * checked at once, and under load batches form by themselves while the threads are busy.
 */
export function createProofVerifier(options: ProofVerifierOptions): ProofVerifier & Service {
  const {
    verificationKey,
    workers = 1,
    queueLimit = VERIFY_QUEUE_LIMIT,
    logger,
    clock = systemClock,
  } = options
  const sourceLimit = Math.max(1, Math.floor(queueLimit * VERIFY_SOURCE_SHARE))
  const queue = createProofQueue<Job>({ limit: queueLimit, sourceLimit })
  const metrics = createVerifierMetrics(options.metrics, queue.size)
  const startData: VerifyStart = { verificationKey }
  let refusal: ErrorCode | undefined = 'ZK_STOPPED'

  const pool = createWorkerPool({
    workers,
    entry: options.entry ?? new URL('./verify-worker.ts', import.meta.url),
    startData,
    logger,
    next: nextBatch,
    onRestart: () => metrics.restarts.inc(),
    onDead: () => refuseAll('ZK_WORKER_FAILED'),
  })

  function nextBatch(): Assignment | undefined {
    const { jobs, apart } = queue.take()
    if (jobs.length === 0) return undefined
    metrics.batch.observe({ apart: String(apart) }, jobs.length)
    const request: VerifyRequest = { items: jobs.map(({ proof, signals }) => ({ proof, signals })), apart }
    return {
      request,
      done(verdicts) {
        for (const [i, job] of jobs.entries()) settle(job, (verdicts as boolean[])[i] === true)
      },
      failed: (error) => retryOrReject(jobs, error),
    }
  }

  function settle(job: Job, valid: boolean): void {
    for (const dropped of queue.learn(job.source, valid))
      reject(dropped, new PostriderError('ZK_SOURCE_BUDGET'))
    metrics.verdicts.inc({ verdict: valid ? 'valid' : 'invalid' })
    metrics.seconds.observe((clock.nowMs() - job.queuedAtMs) / 1000)
    job.resolve(valid)
  }

  /** A worker died over these jobs. Each gets a second chance, in case another one of the batch was the cause. */
  function retryOrReject(jobs: readonly Job[], error: PostriderError): void {
    for (const job of jobs) job.attempts++
    const again = refusal === undefined ? jobs.filter((job) => job.attempts < MAX_ATTEMPTS) : []
    for (const job of jobs) if (!again.includes(job)) reject(job, error)
    queue.putBack(again)
    pool.poke()
  }

  function reject(job: Job, error: PostriderError): void {
    metrics.refused.inc({ code: error.code })
    job.reject(error)
  }

  function refuse(code: ErrorCode): PostriderError {
    metrics.refused.inc({ code })
    return new PostriderError(code)
  }

  function refuseAll(code: ErrorCode): void {
    refusal = code
    for (const job of queue.drain()) reject(job, new PostriderError(code))
  }

  return {
    canAccept: () => refusal === undefined && queue.hasRoom(),
    isTrusted: queue.isTrusted,
    verify(proof, signals, from = LOCAL_SOURCE) {
      if (refusal !== undefined) return Promise.reject(refuse(refusal))
      const { promise, resolve, reject } = Promise.withResolvers<boolean>()
      const queuedAtMs = clock.nowMs()
      const added = queue.add({ source: from, proof, signals, queuedAtMs, attempts: 0, resolve, reject })
      if (added === 'full') return Promise.reject(refuse('ZK_QUEUE_FULL'))
      if (added === 'source-full') return Promise.reject(refuse('ZK_SOURCE_BUDGET'))
      pool.poke()
      return promise
    },
    stats: () => ({ waiting: queue.size(), limit: queueLimit, refusal }),
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
