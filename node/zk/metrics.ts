import type { Metrics } from '../core/metrics.ts'

/** Batch sizes are powers of two up to MAX_BATCH. */
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64]

export type VerifierMetrics = ReturnType<typeof createVerifierMetrics>

export function createVerifierMetrics(metrics: Metrics, depth: () => number) {
  metrics.gauge('zk_verify_queue', {
    help: 'Proofs that wait for a verifier worker',
    collect: (gauge) => gauge.set(depth()),
  })
  return {
    verdicts: metrics.counter('zk_verdict_total', {
      help: 'Proofs checked, by verdict',
      labels: ['verdict'],
    }),
    refused: metrics.counter('zk_verify_refused_total', {
      help: 'Proofs not checked, by error code',
      labels: ['code'],
    }),
    batch: metrics.histogram('zk_verify_batch_size', {
      help: 'Proofs per batch',
      labels: ['apart'],
      buckets: BATCH_BUCKETS,
    }),
    seconds: metrics.histogram('zk_verify_seconds', { help: 'From arrival to verdict' }),
    restarts: metrics.counter('zk_verify_worker_restarts_total', { help: 'Verifier workers that died' }),
  }
}

export type ProverMetrics = ReturnType<typeof createProverMetrics>

export function createProverMetrics(metrics: Metrics, depth: () => number) {
  metrics.gauge('zk_prove_queue', {
    help: 'Jobs that wait for the prover worker',
    collect: (gauge) => gauge.set(depth()),
  })
  return {
    refused: metrics.counter('zk_prove_refused_total', {
      help: 'Proving jobs that failed, by error code',
      labels: ['code'],
    }),
    seconds: metrics.histogram('zk_prove_seconds', { help: 'From call to proof' }),
    restarts: metrics.counter('zk_prove_worker_restarts_total', { help: 'Prover workers that died' }),
  }
}
