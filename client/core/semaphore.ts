import { raceAbort } from './abort.ts'

/** Lets at most so many tasks run at once; the others wait in order. */
export interface Semaphore {
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** A first-come, first-served gate of the given width. */
export function createSemaphore(width: number): Semaphore {
  let running = 0
  const waiting = new Set<() => void>()

  const enter = async (signal?: AbortSignal) => {
    if (running < width) {
      running++
      return
    }
    const turn = Promise.withResolvers<void>()
    waiting.add(turn.resolve)
    try {
      await raceAbort(turn.promise, signal)
    } catch (error) {
      // Aborted in the same moment as its turn came: the place goes to the next one.
      if (!waiting.delete(turn.resolve)) leave()
      throw error
    }
  }
  const leave = () => {
    const [next] = waiting
    if (!next) {
      running--
      return
    }
    waiting.delete(next)
    next()
  }
  return {
    async run(task, signal) {
      await enter(signal)
      try {
        return await task()
      } finally {
        leave()
      }
    },
  }
}
