// Worker thread: holds the keys, proves and verifies. Started by prover.ts; talks in prover-messages.ts.
import { parentPort } from 'node:worker_threads'
import { type ArtifactSource, loadArtifacts } from '@postrider/circuits'
import { createProver, createVerifier, type Prover, type Verifier } from '@postrider/circuits/engine'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { WorkerAnswer, WorkerFailure, WorkerRequest } from './prover-messages.ts'

type Engine = { prover: Prover; verifier: Verifier }

const aborts = new Map<number, AbortController>()
let engine: Promise<Engine> | undefined

async function load(source?: ArtifactSource): Promise<Engine> {
  const { wasm, zkey, verificationKey } = await loadArtifacts(source)
  const verifier = createVerifier(verificationKey)
  return { prover: createProver({ wasm, zkey }), verifier }
}

async function answer(request: WorkerRequest): Promise<WorkerAnswer | undefined> {
  const { id } = request
  try {
    switch (request.type) {
      case 'abort':
        aborts.get(id)?.abort()
        return undefined
      case 'prepare':
        engine ??= load(request.source)
        await engine
        return { id, ok: true, result: undefined }
      case 'prove':
        return { id, ok: true, result: await prove(request) }
      case 'verify':
        return {
          id,
          ok: true,
          result: await (await loaded()).verifier.verify(request.proof, request.signals),
        }
    }
  } catch (error) {
    return { id, ok: false, failure: describe(error) }
  }
}

async function prove({ id, inputs }: Extract<WorkerRequest, { type: 'prove' }>) {
  const abort = new AbortController()
  aborts.set(id, abort)
  try {
    return await (await loaded()).prover.prove(inputs, { signal: abort.signal })
  } finally {
    aborts.delete(id)
  }
}

function loaded(): Promise<Engine> {
  if (!engine) throw new PostriderError('CLIENT_PROVER_FAILED', { detail: 'the keys are not loaded' })
  return engine
}

function describe(error: unknown): WorkerFailure {
  if (isPostriderError(error)) return { code: error.code, message: error.message, data: error.data }
  return { message: error instanceof Error ? error.message : String(error) }
}

parentPort?.on('message', async (request: WorkerRequest) => {
  const result = await answer(request)
  if (result) parentPort?.postMessage(result)
})
