import { type ErrorCode, errorTable } from './table.ts'

export type PostriderErrorOptions = {
  /** What is special about this case; a sentence, without secrets. */
  detail?: string
  /** Values for logs and for the API's answer; no secrets. */
  data?: Record<string, unknown>
  cause?: unknown
}

/**
 * The one error class of Postrider. `code` is stable and documented in docs/errors.md;
 * `message` is for people and may change.
 */
export class PostriderError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly fix: string
  readonly data: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, options: PostriderErrorOptions = {}) {
    const { title, retryable, fix } = errorTable[code]
    super(options.detail ? `${title}: ${options.detail}` : title, { cause: options.cause })
    this.name = 'PostriderError'
    this.code = code
    this.retryable = retryable
    this.fix = fix
    this.data = Object.freeze({ ...options.data })
  }
}

/** True for a PostriderError, also for one of another copy of this package (worker, bundle). */
export function isPostriderError(error: unknown): error is PostriderError {
  return (
    error instanceof Error &&
    error.name === 'PostriderError' &&
    'code' in error &&
    typeof error.code === 'string' &&
    Object.hasOwn(errorTable, error.code)
  )
}
