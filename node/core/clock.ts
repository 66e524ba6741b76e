import { MAX_TIMER_MS } from './constants.ts'
import { abortReason } from './deadline.ts'

/** A repeating timer; `stop` (or leaving a `using` block) ends it and is safe to call twice. */
export type Timer = { stop(): void } & Disposable

/** Time as a port: nothing else in the node reads the wall clock or sets a timer. */
export type Clock = {
  /** Unix time, ms. */
  nowMs(): number
  /** Resolves after `ms`; rejects with the signal's reason if it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /**
   * Calls `run` every `ms`, the first time after one period. A run that is still pending makes the next ones
   * be skipped, never overlap. `run` handles its own errors: one that escapes is an uncaught exception.
   */
  every(ms: number, run: () => void | Promise<void>): Timer
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: systemSleep,
  every: systemEvery,
}

function systemSleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal))
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal && abortReason(signal))
    }
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      },
      Math.min(ms, MAX_TIMER_MS),
    )
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function systemEvery(ms: number, run: () => void | Promise<void>): Timer {
  const guarded = skipWhilePending(run)
  const timer = setInterval(guarded, Math.min(ms, MAX_TIMER_MS))
  return createTimer(() => clearInterval(timer))
}

/** Wraps `run` so that a call made while the previous one is pending does nothing. */
export function skipWhilePending(run: () => void | Promise<void>): () => void {
  let pending = false
  return () => {
    if (pending) return
    const result = run()
    if (!result) return
    pending = true
    // Detached on purpose: a rejection must surface as an uncaught exception, not vanish.
    void result.finally(() => {
      pending = false
    })
  }
}

/** A `Timer` over a stop function that runs at most once. */
export function createTimer(stop: () => void): Timer {
  let stopped = false
  const stopOnce = () => {
    if (stopped) return
    stopped = true
    stop()
  }
  return { stop: stopOnce, [Symbol.dispose]: stopOnce }
}
