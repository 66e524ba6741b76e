import { isPostriderError, PostriderError } from '@postrider/protocol/errors'

/** What SQLite or the file system said, as a coded error. */
export function storageError(cause: unknown, path?: string): PostriderError {
  if (isPostriderError(cause)) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const busy = /database is locked|SQLITE_BUSY/.test(message)
  return new PostriderError(busy ? 'CLIENT_STORAGE_IN_USE' : 'CLIENT_STORAGE_FAILED', {
    detail: path ? `${path}: ${message}` : message,
    cause,
  })
}
