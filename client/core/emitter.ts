import { callGuarded } from './errors.ts'

/** Handlers by event name; each event carries one value. */
export interface Emitter<Events extends object> {
  /** Calls `handler` for each event until the returned function is called. */
  on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void
  clear(): void
}

/**
 * A typed emitter. A handler that throws does not stop the others: its error is thrown again from a task of
 * its own, where the platform reports it as uncaught.
 */
export function createEmitter<Events extends object>(): Emitter<Events> {
  const handlers = new Map<keyof Events, Set<(event: never) => void>>()
  return {
    on(name, handler) {
      const set = handlers.get(name) ?? new Set()
      handlers.set(name, set)
      set.add(handler)
      return () => set.delete(handler)
    },
    emit(name, event) {
      for (const handler of [...(handlers.get(name) ?? [])]) callGuarded(() => handler(event as never))
    },
    clear: () => handlers.clear(),
  }
}
