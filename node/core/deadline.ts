import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Clock } from './clock.ts'

/**
 * Why a wait is called off that nobody waits for any more. One for all: an error and its stack would cost every request
 * more than the request's own frame.
 */
const DONE = new PostriderError('CORE_ABORTED', { detail: 'no longer waited for' })

/** The signal's reason as an error; a bare `abort()` becomes `CORE_ABORTED`. */
export function abortReason(signal: AbortSignal): Error {
  return isPostriderError(signal.reason)
    ? signal.reason
    : new PostriderError('CORE_ABORTED', { cause: signal.reason })
}

/**
 * Runs `task` with a signal that aborts after `ms` or when `signal` does, whichever is first, and rejects at
 * that moment even if the task ignores its signal.
 *
 * @throws PostriderError `CORE_DEADLINE_EXCEEDED` (data: what, ms), `CORE_ABORTED`, or what the task throws
 */
export async function withDeadline<T>(
  clock: Clock,
  options: { what: string; ms: number; signal?: AbortSignal },
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { what, ms, signal } = options
  if (signal?.aborted) throw abortReason(signal)
  const controller = new AbortController()
  const done = new AbortController()
  const cut = Promise.withResolvers<never>()
  const end = (reason: Error) => {
    controller.abort(reason)
    cut.reject(reason)
  }
  const forward = () => signal && end(abortReason(signal))
  signal?.addEventListener('abort', forward, { once: true })
  clock.sleep(ms, done.signal).then(
    () => end(new PostriderError('CORE_DEADLINE_EXCEEDED', { detail: what, data: { what, ms } })),
    () => undefined,
  )
  try {
    return await Promise.race([task(controller.signal), cut.promise])
  } finally {
    signal?.removeEventListener('abort', forward)
    done.abort(DONE)
  }
}

/** The promise, or a rejection as soon as the signal aborts; what the promise stands for may go on unheard. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined)
    throw abortReason(signal)
  }
  const done = new AbortController()
  try {
    return await Promise.race([promise, rejectOnAbort(signal, done.signal)])
  } finally {
    done.abort(DONE)
  }
}

function rejectOnAbort(signal: AbortSignal, done: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(abortReason(signal)), { once: true, signal: done })
  })
}
