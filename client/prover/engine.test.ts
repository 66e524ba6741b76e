import { beforeEach, expect, it } from 'vitest'
import { memberInputs } from '../../circuits/testing/member.ts'
import type { ProofEngine } from '../rln/types.ts'
import { createManualClock, type ManualClock } from '../testing/clock.ts'
import { createEngine, type WorkerEvents } from './engine.ts'
import type { WorkerRequest } from './messages.ts'

/** Workers that do nothing by themselves. */
let workers: { events: WorkerEvents; asked: WorkerRequest[]; ended: boolean }[]
let engine: ProofEngine
let clock: ManualClock
const { x, ...rest } = memberInputs()

beforeEach(() => {
  workers = []
  clock = createManualClock()
  engine = createEngine({
    clock,
    setup: async () => ({ kind: 'ceremony' }),
    startWorker(events) {
      const worker = { events, asked: [] as WorkerRequest[], ended: false }
      workers.push(worker)
      return {
        post: (request) => worker.asked.push(request),
        end: () => {
          worker.ended = true
        },
      }
    },
  })
})

const lastId = (worker = 0) => {
  const request = workers[worker]?.asked.at(-1)
  return request !== undefined && 'id' in request ? request.id : 0
}
const answer = (result?: boolean, worker = 0) =>
  workers[worker]?.events.onAnswer({ id: lastId(worker), ok: true, result })

it('starts its worker at the first use and tells it where the keys are', async () => {
  expect(workers).toHaveLength(0)
  const prepared = engine.prepare()
  expect(workers[0]?.asked.map(({ type }) => type)).toEqual(['open', 'prepare'])
  answer()
  await prepared
})

it('fails the calls under way when the worker dies, and starts another one', async () => {
  const lost = engine.prove(memberInputs())
  workers[0]?.events.onFailure('out of memory')
  await expect(lost).rejects.toMatchObject({ code: 'CLIENT_PROVER_FAILED', retryable: true })
  expect(workers[0]?.ended).toBe(true)
  const verdict = engine.verify(new Uint8Array(256), [])
  // What the dead one still says is no answer to the living.
  workers[0]?.events.onFailure('exit')
  answer(true, 1)
  expect(await verdict).toBe(true)
})

it('loses proofs made ahead with their worker', async () => {
  const making = engine.proveAhead(rest)
  answer()
  const prepared = await making
  workers[0]?.events.onFailure('gone')
  await expect(prepared.complete(x)).rejects.toMatchObject({ code: 'CLIENT_PROVER_FAILED' })
  prepared.drop()
  expect(workers[0]?.asked.at(-1)?.type).toBe('proveAhead')
})

it('passes an abort on and rejects with its reason', async () => {
  const stop = new AbortController()
  const proving = engine.prove(memberInputs(), { signal: stop.signal })
  const id = lastId()
  stop.abort()
  expect(workers[0]?.asked.at(-1)).toEqual({ type: 'abort', id })
  const failure = { code: 'CIRCUITS_PROVE_ABORTED', message: 'aborted' }
  workers[0]?.events.onAnswer({ id, ok: false, failure })
  await expect(proving).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
})

it('does not wait for a worker that is silent after an abort, and starts another one', async () => {
  const stop = new AbortController()
  const proving = engine.prove(memberInputs(), { signal: stop.signal })
  const id = lastId()
  const outcome = expect(proving).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
  stop.abort()
  await clock.advance(9_000)
  // Slow, but alive: it has its time again.
  workers[0]?.events.onAnswer({ id, progress: { stage: 'proving', done: 0.5, total: 1 } })
  await clock.advance(10_000)
  expect(workers[0]?.ended).toBe(false)
  await clock.advance(10_000)
  await outcome
  expect(workers[0]?.ended).toBe(true)
  const verdict = engine.verify(new Uint8Array(256), [])
  answer(true, 1)
  expect(await verdict).toBe(true)
})

it('asks nothing for a call that was aborted before it', async () => {
  await expect(engine.prepare({ signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'CLIENT_ABORTED',
  })
  expect(workers).toHaveLength(0)
})

it('ends the worker at once when it closes, whatever it is doing', async () => {
  const proving = engine.prove(memberInputs())
  await engine.close()
  await expect(proving).rejects.toMatchObject({ code: 'CLIENT_PROVER_FAILED' })
  expect(workers[0]?.ended).toBe(true)
  await expect(engine.prepare()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
})
