import { PostriderError } from '@postrider/protocol/errors'

/** A page that is loaded again comes before the browser has taken the lock back from the one it replaces, ms. */
const PATIENCE_MS = 2_000

/**
 * Takes a Web Lock, which one holder in all tabs and workers of the origin has at a time, and which the browser takes
 * back from one that is closed or crashes.
 *
 * @returns gives the lock back
 * @throws PostriderError `CLIENT_STORAGE_IN_USE` when another holder keeps it
 */
export async function acquireLock(name: string): Promise<() => void> {
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const granted = Promise.withResolvers<void>()
  navigator.locks
    .request(name, { signal: AbortSignal.timeout(PATIENCE_MS) }, () => {
      granted.resolve()
      return held
    })
    .catch((cause: DOMException) => {
      const isTaken = cause.name === 'TimeoutError'
      granted.reject(isTaken ? new PostriderError('CLIENT_STORAGE_IN_USE', { data: { name }, cause }) : cause)
    })
  await granted.promise
  return release
}
