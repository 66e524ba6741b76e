import type { ArtifactSource } from '@postrider/circuits'
import type { ProveResult, RlnInputs } from '@postrider/circuits/engine'

/** What the worker is asked. Abort has no answer of its own: the call that it aborts fails. */
export type WorkerRequest =
  | { type: 'prepare'; id: number; source?: ArtifactSource | undefined }
  | { type: 'prove'; id: number; inputs: RlnInputs }
  | { type: 'verify'; id: number; proof: Uint8Array; signals: readonly bigint[] }
  | { type: 'abort'; id: number }

/** An error in a form that survives the way between threads. */
export type WorkerFailure = { code?: string; message: string; data?: Readonly<Record<string, unknown>> }

export type WorkerAnswer =
  | { id: number; ok: true; result: ProveResult | boolean | undefined }
  | { id: number; ok: false; failure: WorkerFailure }
