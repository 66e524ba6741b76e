import type { ProveResult, RlnInputs } from '@postrider/circuits/engine'
import type { ErrorCode } from '@postrider/protocol/errors'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'

/** Checks proofs on worker threads. What the relay sees of it; the relay declares the same shape itself. */
export interface ProofVerifier {
  /** False when `verify` would refuse for want of room or because no worker runs. Ask before decoding more. */
  canAccept(): boolean
  /** Whether the proofs of this source are checked in batches, before those of the others. */
  isTrusted(from: string): boolean
  /**
   * @param proof 256 bytes
   * @param signals y, root, nullifier, x, externalNullifier
   * @param from the peer that sent it: budgets and suspicion are per source. Own proofs leave it out.
   * @throws ZK_QUEUE_FULL, ZK_SOURCE_BUDGET, ZK_WORKER_FAILED, ZK_STOPPED, all retryable: none says that the
   * proof is bad
   */
  verify(proof: Uint8Array, signals: readonly bigint[], from?: string): Promise<boolean>
}

/** Proves on a worker thread. */
export interface ProverPool {
  /** False when `prove` would refuse for want of room or because no worker runs. Ask before using up a message id. */
  canAccept(): boolean
  /**
   * @throws CIRCUITS_INPUT_INVALID, CIRCUITS_WITNESS_INVALID, CIRCUITS_PROVE_ABORTED, ZK_QUEUE_FULL,
   * ZK_WORKER_FAILED, ZK_STOPPED
   */
  prove(inputs: RlnInputs, options?: { signal?: AbortSignal }): Promise<ProveResult>
}

export interface Service {
  /** What waits, and why nothing is taken now: ZK_STOPPED, or ZK_WORKER_FAILED once the threads are given up. */
  stats(): { waiting: number; limit: number; refusal: ErrorCode | undefined }
  /** Resolves when every worker is ready. */
  start(): Promise<void>
  /** Rejects what waits with ZK_STOPPED and ends the threads. */
  stop(): Promise<void>
}

export type PoolComponents = { logger: Logger; metrics: Metrics; clock?: Clock }
