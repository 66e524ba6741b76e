import { abortReason } from './abort.ts'
import { MAX_TIMER_MS } from './constants.ts'

/** Time as a port: nothing else in the client reads the clock or sets a timer. */
export interface Clock {
  /** Unix time, ms. */
  nowMs(): number
  /** Resolves after `ms`; rejects with the signal's reason (`CLIENT_ABORTED`) if it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal))
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal && abortReason(signal))
      }
      const onTime = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const timer = setTimeout(onTime, Math.min(ms, MAX_TIMER_MS))
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
}
