/** What a person, a program and an HTTP client are told about one error code. */
export type ErrorEntry = {
  /** One sentence: what went wrong. */
  readonly title: string
  /** True when the same call may succeed later without a change by the caller. */
  readonly retryable: boolean
  /** One sentence: what to do about it. */
  readonly fix: string
  /** HTTP status of the API's answer; 500 when absent. */
  readonly http?: number
}

/** The codes of one domain. Each code starts with the domain's name in capitals and an underscore. */
export type ErrorSection = { readonly [code: string]: ErrorEntry }
