import { raceAbort, throwIfAborted } from './abort.ts'

/**
 * Work that is done once for all callers. It is stopped when the last caller who waits for it has given up; after
 * that, or after it failed, the next call begins it anew.
 */
export function createShared<T>(
  work: (signal: AbortSignal) => Promise<T>,
): (signal?: AbortSignal) => Promise<T> {
  type Run = { result: Promise<T>; stop: AbortController; waiting: number; done: boolean }
  let running: Run | undefined
  const begin = (): Run => {
    const stop = new AbortController()
    const run: Run = { result: work(stop.signal), stop, waiting: 0, done: false }
    run.result.then(
      () => {
        run.done = true
      },
      () => forget(run),
    )
    return run
  }
  const forget = (run: Run) => {
    if (running === run) running = undefined
  }
  return async (signal) => {
    throwIfAborted(signal)
    running ??= begin()
    const run = running
    run.waiting++
    try {
      return await raceAbort(run.result, signal)
    } finally {
      run.waiting--
      if (run.waiting === 0 && signal?.aborted && !run.done) {
        forget(run)
        run.stop.abort()
      }
    }
  }
}
