import type { ProveResult, RlnInputs } from '@postrider/circuits/engine'
import type { KeySetup } from '@postrider/protocol/rln'
import type { MemberStatus } from '../chain/types.ts'

/** Makes and checks zero-knowledge proofs, off the thread of its caller. */
export interface ProofEngine {
  /** How the keys were made, as their manifest says; loads nothing else. @throws `CIRCUITS_ARTIFACT_*` */
  setup(): Promise<KeySetup>
  /** Loads the keys, so that the first proof does not wait for them. @throws `CIRCUITS_ARTIFACT_*` */
  prepare(): Promise<void>
  /** @throws PostriderError `CLIENT_PROVER_FAILED`, a `CIRCUITS_…` code, the signal's reason */
  prove(inputs: RlnInputs, signal?: AbortSignal): Promise<ProveResult>
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
