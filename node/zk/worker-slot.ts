// One supervised worker thread that answers one request at a time and is started again when it dies.
import { Worker } from 'node:worker_threads'
import { type ErrorCode, isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Logger } from '../core/logger.ts'
import { MAX_FAILED_STARTS } from './constants.ts'

/** Worker to parent. */
export type Reply =
  | { kind: 'ready' }
  | { kind: 'result'; value: unknown }
  | { kind: 'error'; code: ErrorCode; data: Readonly<Record<string, unknown>> }

/** Parent to worker. `start` is the first message, `request` is answered, `note` is not. */
export type Command = { kind: 'start' | 'request' | 'note'; value: unknown }

export type WorkerSlotOptions = {
  /** Module that calls `serve`; Node runs TypeScript as it is. */
  entry: URL
  /** Sent as the first message; the worker answers `ready`. */
  startData: unknown
  logger: Logger
  /** The worker is ready or has answered: it can take a request. */
  onReady(): void
  /** A worker that ran died; another one is being started. */
  onRestart(): void
  /** Given up after repeated failures to start. */
  onGiveUp(cause: unknown): void
}

export interface WorkerSlot {
  start(): void
  /** True when `request` may be called. */
  isReady(): boolean
  /** True once the worker has reported ready, also while it is busy. */
  hasStarted(): boolean
  /** Rejects with the worker's coded error, or with ZK_WORKER_FAILED when it died over this request. */
  request(value: unknown): Promise<unknown>
  /** Tells the worker something about the request that it holds. */
  note(value: unknown): void
  stop(): Promise<void>
}

type Pending = { resolve(value: unknown): void; reject(error: PostriderError): void }
type State = 'off' | 'starting' | 'ready' | 'busy' | 'given-up'

export function createWorkerSlot(options: WorkerSlotOptions): WorkerSlot {
  const { entry, startData, logger, onReady, onRestart, onGiveUp } = options
  let state: State = 'off'
  let worker: Worker | undefined
  let pending: Pending | undefined
  let failedStarts = 0

  function launch(): void {
    state = 'starting'
    // Parent's flags and environment stay out: a test runner's loader must not reach into the worker.
    const started = new Worker(entry, { execArgv: [] })
    worker = started
    let cause: unknown
    started.on('message', (reply: Reply) => {
      if (worker === started) receive(reply)
    })
    started.on('error', (error) => {
      cause = error
    })
    started.once('exit', (exitCode) => {
      if (worker === started) died(cause ?? new PostriderError('ZK_WORKER_FAILED', { data: { exitCode } }))
    })
    started.postMessage({ kind: 'start', value: startData } satisfies Command)
  }

  function receive(reply: Reply): void {
    const settled = pending
    pending = undefined
    state = 'ready'
    if (reply.kind === 'ready') failedStarts = 0
    if (reply.kind === 'result') settled?.resolve(reply.value)
    if (reply.kind === 'error') settled?.reject(new PostriderError(reply.code, { data: reply.data }))
    onReady()
  }

  function died(cause: unknown): void {
    logger.error({ err: cause, state }, 'proof worker died')
    const settled = pending
    pending = undefined
    failedStarts = state === 'starting' ? failedStarts + 1 : 0
    worker = undefined
    if (failedStarts < MAX_FAILED_STARTS) {
      launch()
      onRestart()
    } else {
      state = 'given-up'
      onGiveUp(cause)
    }
    settled?.reject(new PostriderError('ZK_WORKER_FAILED', { cause }))
  }

  return {
    start() {
      if (state === 'off') launch()
    },
    isReady: () => state === 'ready',
    hasStarted: () => state === 'ready' || state === 'busy',
    request(value) {
      return new Promise((resolve, reject) => {
        pending = { resolve, reject }
        state = 'busy'
        worker?.postMessage({ kind: 'request', value } satisfies Command)
      })
    },
    note(value) {
      worker?.postMessage({ kind: 'note', value } satisfies Command)
    },
    async stop() {
      const ended = worker
      const settled = pending
      worker = undefined
      pending = undefined
      state = 'off'
      settled?.reject(new PostriderError('ZK_STOPPED'))
      await ended?.terminate()
    },
  }
}

/** The worker's error as it crosses the thread boundary: only what is coded keeps its data. */
export function toErrorReply(error: unknown): Reply {
  return isPostriderError(error)
    ? { kind: 'error', code: error.code, data: error.data }
    : { kind: 'error', code: 'ZK_WORKER_FAILED', data: { reason: String(error) } }
}
