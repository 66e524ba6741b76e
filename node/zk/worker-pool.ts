// Workers that pull: an idle worker asks for its next assignment, so nothing is queued inside a thread.
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Logger } from '../core/logger.ts'
import { createWorkerSlot, type WorkerSlot } from './worker-slot.ts'

export type Assignment = {
  request: unknown
  /** While the assignment runs, an abort is passed on to its worker as a note. */
  abort?: AbortSignal | undefined
  done(result: unknown): void
  /** ZK_WORKER_FAILED when the worker died over it; another code when the worker refused it. */
  failed(error: PostriderError): void
}

export type WorkerPoolOptions = {
  workers: number
  entry: URL
  startData: unknown
  logger: Logger
  /** The next piece of work, or undefined when nothing waits. Called only when a worker can take it. */
  next(): Assignment | undefined
  onRestart(): void
  /** No worker is left: each failed to start several times. */
  onDead(cause: unknown): void
}

export interface WorkerPool {
  /** Resolves when every worker is ready; rejects with ZK_WORKER_FAILED when none can be started. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Work has arrived. */
  poke(): void
}

export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { workers, entry, startData, logger, next, onRestart, onDead } = options
  const slots = new Set<WorkerSlot>()
  let ready = Promise.withResolvers<void>()

  function addSlot(): void {
    const slot = createWorkerSlot({
      entry,
      startData,
      logger,
      onRestart,
      onReady() {
        if ([...slots].every((each) => each.hasStarted())) ready.resolve()
        poke()
      },
      onGiveUp(cause) {
        slots.delete(slot)
        if (slots.size > 0) return
        ready.reject(new PostriderError('ZK_WORKER_FAILED', { detail: 'no worker starts', cause }))
        onDead(cause)
      },
    })
    slots.add(slot)
  }

  function poke(): void {
    for (const slot of slots) {
      while (slot.isReady()) {
        const assignment = next()
        if (assignment === undefined) return
        void run(slot, assignment)
      }
    }
  }

  async function run(slot: WorkerSlot, assignment: Assignment): Promise<void> {
    const passOn = () => slot.note('abort')
    assignment.abort?.addEventListener('abort', passOn, { once: true })
    try {
      assignment.done(await slot.request(assignment.request))
    } catch (cause) {
      assignment.failed(isPostriderError(cause) ? cause : new PostriderError('ZK_WORKER_FAILED', { cause }))
    } finally {
      assignment.abort?.removeEventListener('abort', passOn)
    }
  }

  return {
    start() {
      ready = Promise.withResolvers<void>()
      for (let i = 0; i < workers; i++) addSlot()
      for (const slot of slots) slot.start()
      return ready.promise
    },
    async stop() {
      const ending = [...slots].map((slot) => slot.stop())
      slots.clear()
      await Promise.all(ending)
    },
    poke,
  }
}
