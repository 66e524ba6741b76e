import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Clock } from './clock.ts'

/** Why a timer is called off that nobody waits for any more. One for all: making an error costs more than a frame. */
const DONE = new PostriderError('CLIENT_ABORTED', { detail: 'no longer waited for' })

/** The signal's reason as an error; anything but a coded reason becomes `CLIENT_ABORTED`. */
export function abortReason(signal: AbortSignal): PostriderError {
  return isPostriderError(signal.reason)
    ? signal.reason
    : new PostriderError('CLIENT_ABORTED', { cause: signal.reason })
}

/** @throws PostriderError the signal's reason if it has aborted */
export function throwIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw abortReason(signal)
}

/** A signal that aborts with the first of the given ones; undefined ones are left out. */
export function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined))
}

/**
 * Runs `task` with a signal that aborts after `ms` or when `signal` does, and rejects at that moment even if
 * the task ignores its signal.
 *
 * @throws PostriderError `CLIENT_TIMEOUT` (data: what, ms), the signal's reason, or what the task throws
 */
export async function withDeadline<T>(
  clock: Clock,
  options: { what: string; ms: number; signal?: AbortSignal | undefined },
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { what, ms, signal } = options
  throwIfAborted(signal)
  const controller = new AbortController()
  const done = new AbortController()
  const cut = Promise.withResolvers<never>()
  const end = (reason: PostriderError) => {
    controller.abort(reason)
    cut.reject(reason)
  }
  const forward = () => signal && end(abortReason(signal))
  signal?.addEventListener('abort', forward, { once: true })
  clock.sleep(ms, done.signal).then(
    () => end(new PostriderError('CLIENT_TIMEOUT', { detail: what, data: { what, ms } })),
    () => undefined,
  )
  try {
    return await Promise.race([task(controller.signal), cut.promise])
  } finally {
    signal?.removeEventListener('abort', forward)
    done.abort(DONE)
  }
}

/** The promise, or a rejection with the signal's reason, whichever is first. */
export function raceAbort<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
