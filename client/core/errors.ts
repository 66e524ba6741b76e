import { type ErrorCode, isPostriderError, PostriderError } from '@postrider/protocol/errors'

/** The error itself if it is a coded one, else one with `code` and the error as its cause. */
export function toPostriderError(error: unknown, code: ErrorCode): PostriderError {
  return isPostriderError(error) ? error : new PostriderError(code, { cause: error })
}

/** Calls foreign code: what it throws is thrown again from a task of its own, where the platform reports it. */
export function callGuarded(call: () => void): void {
  try {
    call()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
