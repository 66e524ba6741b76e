// The worker's side of worker-slot.ts.
import { parentPort } from 'node:worker_threads'
import { type Command, type Reply, toErrorReply } from './worker-slot.ts'

export type Handlers<Start, Request, Note> = {
  start(value: Start): Promise<void>
  request(value: Request): Promise<unknown>
  note?(value: Note): void
  /** A failing request brings the thread down as well: for an engine whose state nobody can vouch for afterwards. */
  fatal?: boolean
}

/**
 * Answers the parent's commands. A failing `start` brings the thread down, which the parent counts; a failing
 * request is answered with its error.
 */
export function serve<Start, Request, Note = never>(handlers: Handlers<Start, Request, Note>): void {
  const reply = (message: Reply) => parentPort?.postMessage(message)
  parentPort?.on('message', async ({ kind, value }: Command) => {
    if (kind === 'note') return handlers.note?.(value as Note)
    if (kind === 'start') {
      await handlers.start(value as Start)
      return reply({ kind: 'ready' })
    }
    try {
      reply({ kind: 'result', value: await handlers.request(value as Request) })
    } catch (error) {
      if (handlers.fatal) throw error
      reply(toErrorReply(error))
    }
  })
}
