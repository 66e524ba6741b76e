import { Worker } from 'node:worker_threads'
import type { Config } from '@libsql/client'
import { PostriderError } from '@postrider/protocol/errors'

export type SqlStatement = { sql: string; values: (string | bigint | number | null)[] }

/**
 * Transactions on a thread of their own. SQLite waits for the disk in the thread that asked, several milliseconds for
 * one commit; here that is never the thread that serves peers.
 */
export type DbWriter = {
  /**
   * Runs statements in one transaction, after those of earlier calls; resolves when they survive a power cut.
   *
   * @throws PostriderError `CORE_DB_FAILED`; nothing of the transaction was kept, unless the thread itself died
   */
  write(statements: readonly SqlStatement[]): Promise<void>
  /** Ends the thread after what was asked so far. */
  stop(): Promise<void>
}

/** How the thread opens the file. */
export type WriterSetup = { config: Config; settings: string }
/** To the thread. */
export type WriteRequest = { id: number; statements: readonly SqlStatement[] }
/** Back; `failure` is the text of what SQLite said. */
export type WriteReply = { id: number; failure?: string }

/** The thread is started by the first write, and again by the next one after it died. */
export function createDbWriter(setup: WriterSetup): DbWriter {
  const waiting = new Map<number, PromiseWithResolvers<void>>()
  let worker: Worker | undefined
  let requests = 0

  const fail = (cause: unknown) => {
    worker = undefined
    for (const { reject } of waiting.values()) reject(new PostriderError('CORE_DB_FAILED', { cause }))
    waiting.clear()
  }

  const receive = ({ id, failure }: WriteReply) => {
    const request = waiting.get(id)
    waiting.delete(id)
    if (failure === undefined) request?.resolve()
    else request?.reject(new PostriderError('CORE_DB_FAILED', { detail: failure }))
    // Nothing to wait for: the thread must not keep the process alive.
    if (waiting.size === 0) worker?.unref()
  }

  const launch = (): Worker => {
    const started = new Worker(new URL('./writer-thread.ts', import.meta.url), {
      execArgv: [],
      workerData: setup,
    })
    started.on('message', receive)
    started.once('error', fail)
    return started
  }

  return {
    write(statements) {
      worker ??= launch()
      worker.ref()
      const id = requests++
      const done = Promise.withResolvers<void>()
      waiting.set(id, done)
      worker.postMessage({ id, statements } satisfies WriteRequest)
      return done.promise
    },
    async stop() {
      await Promise.allSettled([...waiting.values()].map(({ promise }) => promise))
      await worker?.terminate()
      worker = undefined
    },
  }
}
