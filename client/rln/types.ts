import type { MemberInputs, ProveResult, RlnInputs } from '@postrider/circuits/engine'
import type { KeySetup } from '@postrider/protocol/rln'
import type { MemberStatus } from '../chain/types.ts'

/** How the prover goes on. `done` of `total` are bytes while it fetches its keys, else a share of 1. */
export type ProverProgress = {
  stage: 'fetching' | 'checking' | 'preparing' | 'proving'
  done: number
  total: number
}

export type ProverOptions = {
  /** Stops the work, not only the waiting. */
  signal?: AbortSignal | undefined
  onProgress?: ((progress: ProverProgress) => void) | undefined
}

/** A proof that waits for its message. It lives as long as its engine's worker. */
export interface PreparedProof {
  /**
   * Works once.
   *
   * @param x the message's hash
   * @throws PostriderError `CIRCUITS_PREPARED_USED`, `CLIENT_PROVER_FAILED`
   */
  complete(x: bigint, options?: ProverOptions): Promise<ProveResult>
  /** Gives it up. */
  drop(): void
}

/** Makes and checks zero-knowledge proofs, off the thread of its caller. */
export interface ProofEngine {
  /** How the keys were made, as their manifest says; loads nothing else. @throws `CIRCUITS_ARTIFACT_*` */
  setup(): Promise<KeySetup>
  /** Loads the keys, so that the first proof does not wait for them. @throws `CIRCUITS_ARTIFACT_*` */
  prepare(options?: ProverOptions): Promise<void>
  /** Computes what all proofs of a member share, so that the first is as fast as the next. @throws as `prove` */
  warm(member: MemberInputs, options?: ProverOptions): Promise<void>
  /** @throws PostriderError `CLIENT_PROVER_FAILED`, a `CIRCUITS_…` code, the signal's reason */
  prove(inputs: RlnInputs, options?: ProverOptions): Promise<ProveResult>
  /** Does all of a proof that does not depend on the message: more work than a proof. @throws as `prove` */
  proveAhead(inputs: Omit<RlnInputs, 'x'>, options?: ProverOptions): Promise<PreparedProof>
  /** False for anything that is not a valid proof of the public signals. */
  verify(proof: Uint8Array, signals: readonly bigint[]): Promise<boolean>
  close(): Promise<void>
}

/** This client's membership, as the contract has it. */
export type MembershipState = {
  status: MemberStatus
  /** Absent while there is no identity. */
  commitment?: bigint
  /** Position in the tree, messages per epoch, and when a left deposit can be withdrawn (Unix seconds, else 0). */
  index?: number
  limit?: number
  withdrawableAt?: number
}

/** What is left of the rate limit for one pubsub topic in one epoch. */
export type RlnBudget = {
  epoch: bigint
  /** Unix time at which the next epoch starts and the ids come back, ms. */
  epochEndsAtMs: number
  /** Messages that this device may send in an epoch. */
  limit: number
  used: number
  remaining: number
}
