import type { MemberInputs, ProveResult, RlnInputs } from '@postrider/circuits/engine'
import type { ProverProgress } from '../rln/types.ts'

/**
 * What the worker is asked. `open` comes first and says where the keys are; it, `abort` and `drop` have no answer: the
 * call that is aborted fails.
 */
export type WorkerRequest<Source = unknown> =
  | { type: 'open'; source: Source | undefined }
  | { type: 'prepare'; id: number }
  | { type: 'warm'; id: number; member: MemberInputs }
  | { type: 'prove'; id: number; inputs: RlnInputs }
  | { type: 'proveAhead'; id: number; inputs: Omit<RlnInputs, 'x'> }
  /** Completes, or gives up, the proof that the call `ahead` has made ahead. */
  | { type: 'complete'; id: number; ahead: number; x: bigint }
  | { type: 'drop'; ahead: number }
  | { type: 'verify'; id: number; proof: Uint8Array; signals: readonly bigint[] }
  | { type: 'abort'; id: number }

/** A request that is answered, without the id that it gets when it is sent. */
export type Call = WorkerRequest extends infer R
  ? R extends { type: 'abort' }
    ? never
    : R extends { id: number }
      ? Omit<R, 'id'>
      : never
  : never

/** An error in a form that survives the way between threads. */
export type WorkerFailure = { code?: string; message: string; data?: Readonly<Record<string, unknown>> }

export type WorkerAnswer =
  | { id: number; progress: ProverProgress }
  | { id: number; ok: true; result: ProveResult | boolean | undefined }
  | { id: number; ok: false; failure: WorkerFailure }
