// Processes that answer calls: a role is a module that serves handlers, its parent starts it and calls them.
import { type ChildProcess, fork } from 'node:child_process'

/** Handlers of a role, by name. What they return crosses the process boundary by structured clone. */
export type Handlers = Record<string, (argument: never) => unknown>

/** Without an id no answer is wanted. */
type Request = { id?: number; name: string; argument: unknown }
type Message = { id: number; result?: unknown; error?: string } | { event: string; value: number }

/** In the child: serves the parent's calls. The process ends with its parent. */
export function serveRole(handlers: Handlers): void {
  process.on('message', async ({ id, name, argument }: Request) => {
    try {
      const result = await handlers[name]?.(argument as never)
      if (id !== undefined) process.send?.({ id, result })
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  process.once('disconnect', () => process.exit())
}

/** In the child: tells the parent a number, without an answer. */
export function tell(event: string, value: number): void {
  // The parent may have gone meanwhile; this process ends then.
  process.send?.({ event, value }, () => undefined)
}

export type Role = AsyncDisposable & {
  call<Result>(name: string, argument?: unknown): Promise<Result>
  /** A call whose answer does not matter; nothing once the process is gone. */
  notify(name: string, argument: unknown): void
  on(event: string, listener: (value: number) => void): void
}

/** In the parent: starts a module of this folder as a process of its own. */
export function startRole(module: string): Role {
  const child = fork(new URL(module, import.meta.url), [], {
    serialization: 'advanced',
    // A test runner's flags stay out; a profile of the nodes may be asked for.
    execArgv: process.env.BENCH_NODE_FLAGS?.split(' ') ?? [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const calls = new Map<number, PromiseWithResolvers<unknown>>()
  const listeners = new Map<string, (value: number) => void>()
  let lastId = 0
  child.on('message', (message: Message) => {
    if ('event' in message) return listeners.get(message.event)?.(message.value)
    const call = calls.get(message.id)
    calls.delete(message.id)
    if (message.error === undefined) call?.resolve(message.result)
    else call?.reject(new Error(`${module}: ${message.error}`))
  })
  const ended = once(child)
  ended.then((code) => {
    for (const { reject } of calls.values()) reject(new Error(`${module} ended with ${code}`))
  })
  return {
    call<Result>(name: string, argument?: unknown) {
      const id = ++lastId
      const answer = Promise.withResolvers<unknown>()
      calls.set(id, answer)
      child.send({ id, name, argument } satisfies Request)
      return answer.promise as Promise<Result>
    },
    notify(name, argument) {
      if (child.connected) child.send({ name, argument } satisfies Request)
    },
    on: (event, listener) => void listeners.set(event, listener),
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

function once(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve))
}
