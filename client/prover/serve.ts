// The worker's side: holds the keys, proves and verifies. The same in a worker thread of Node and in a Web Worker.
import {
  type Artifacts,
  createProver,
  createVerifier,
  type PreparedProof,
  type ProveOptions,
  type Prover,
  type Verifier,
} from '@postrider/circuits/engine'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { createShared } from '../core/shared.ts'
import type { ProverProgress } from '../rln/types.ts'
import type { WorkerAnswer, WorkerFailure, WorkerRequest } from './messages.ts'

export type LoadOptions = {
  /** Bytes that have come, and bytes that there are. */
  onBytes(done: number, total: number): void
  /** A file's hash is being computed. */
  onCheck(): void
  signal: AbortSignal
}

export type ProverHost<Source> = {
  /** Gets the keys and checks them. */
  load(source: Source | undefined, options: LoadOptions): Promise<Artifacts>
  post(answer: WorkerAnswer): void
}

type Engine = { prover: Prover; verifier: Verifier }
type Result = Extract<WorkerAnswer, { ok: true }>['result']
type Report = (progress: ProverProgress) => void
type Answered = Extract<WorkerRequest, { id: number }>

/** Takes the requests that come to the worker. */
export function serveProver<Source>({
  load,
  post,
}: ProverHost<Source>): (request: WorkerRequest<Source>) => void {
  const calls = new Map<number, { abort: AbortController; report: Report }>()
  const prepared = new Map<number, PreparedProof>()
  let source: Source | undefined

  /** Loading is reported to all who wait for it. */
  const report: Report = (progress) => {
    for (const call of calls.values()) call.report(progress)
  }
  const loaded = createShared(async (signal): Promise<Engine> => {
    const { wasm, zkey, verificationKey } = await load(source, {
      signal,
      onBytes: (done, total) => report({ stage: 'fetching', done, total }),
      onCheck: () => report({ stage: 'checking', done: 0, total: 1 }),
    })
    report({ stage: 'preparing', done: 0, total: 1 })
    const engine = { prover: createProver({ wasm, zkey }), verifier: createVerifier(verificationKey) }
    await Promise.all([engine.prover.ready(), engine.verifier.ready()])
    report({ stage: 'preparing', done: 1, total: 1 })
    return engine
  })

  async function run(request: Answered, signal: AbortSignal, tell: Report): Promise<Result> {
    const { prover, verifier } = await loaded(signal)
    const options: ProveOptions = {
      signal,
      onProgress: (done) => tell({ stage: 'proving', done, total: 1 }),
    }
    switch (request.type) {
      case 'warm':
        await prover.prepare(request.member, options)
        return undefined
      case 'prove': {
        const proved = await prover.prove(request.inputs, options)
        tell({ stage: 'proving', done: 1, total: 1 })
        return proved
      }
      case 'proveAhead':
        prepared.set(request.id, await prover.proveAhead(request.inputs, options))
        return undefined
      case 'complete':
        return take(request.ahead).prove(request.x)
      case 'verify':
        return verifier.verify(request.proof, request.signals)
      default:
        return undefined
    }
  }
  function take(id: number): PreparedProof {
    const found = prepared.get(id)
    prepared.delete(id)
    if (found === undefined) throw new PostriderError('CIRCUITS_PREPARED_USED')
    return found
  }
  async function answer(request: Answered): Promise<void> {
    const { id } = request
    const abort = new AbortController()
    const tell: Report = (progress) => post({ id, progress })
    calls.set(id, { abort, report: tell })
    try {
      const result = await run(request, abort.signal, tell)
      post({ id, ok: true, result })
    } catch (error) {
      post({ id, ok: false, failure: describe(error) })
    } finally {
      calls.delete(id)
    }
  }

  return (request) => {
    if (request.type === 'open') source = request.source
    else if (request.type === 'abort') calls.get(request.id)?.abort.abort()
    else if (request.type === 'drop') prepared.delete(request.ahead)
    else void answer(request)
  }
}

function describe(error: unknown): WorkerFailure {
  if (isPostriderError(error)) return { code: error.code, message: error.message, data: error.data }
  return { message: error instanceof Error ? error.message : String(error) }
}
