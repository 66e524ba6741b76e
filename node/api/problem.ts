import { type ErrorCode, errorTable, isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { FastifyError } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import type { problem } from './schemas/problem.ts'

/** RFC 9457 problem details. */
export type Problem = z.output<typeof problem>

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** Where this API explains a code. */
export const explanationPath = (code: string): string => `/v1/errors/${code}`

export const httpStatus = (code: ErrorCode): number => errorTable[code].http ?? 500

/** The framework's own refusals, in our codes. */
const FRAMEWORK_CODES: { readonly [code: string]: ErrorCode } = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'API_BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'API_MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'API_REQUEST_INVALID',
  FST_ERR_CTP_INVALID_JSON_BODY: 'API_REQUEST_INVALID',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'API_REQUEST_INVALID',
  FST_ERR_VALIDATION: 'API_REQUEST_INVALID',
}

/**
 * Turns anything thrown into the answer a client gets. What is not a PostriderError becomes `API_INTERNAL`
 * without its message: that belongs in the log, under the same request id.
 */
export function toProblem(thrown: unknown, requestId: string): Problem {
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const issues = thrown.validation.map(({ instancePath, message }) => ({
      path: instancePath,
      message: message ?? 'invalid',
    }))
    return { ...problemOf(new PostriderError('API_REQUEST_INVALID'), requestId), issues }
  }
  if (isPostriderError(thrown)) return problemOf(thrown, requestId)
  const framework = FRAMEWORK_CODES[(thrown as Partial<FastifyError> | undefined)?.code ?? '']
  return problemOf(new PostriderError(framework ?? 'API_INTERNAL'), requestId)
}

function problemOf(error: PostriderError, requestId: string): Problem {
  const { title } = errorTable[error.code]
  const status = httpStatus(error.code)
  // Unexpected failures may carry paths or endpoints in their data; the log has them.
  const data = status < 500 ? jsonSafe(error.data) : {}
  return {
    type: explanationPath(error.code),
    title,
    status,
    ...(error.message !== title && status !== 500 ? { detail: error.message } : {}),
    instance: requestId,
    code: error.code,
    retryable: error.retryable,
    fix: error.fix,
    ...(Object.keys(data).length > 0 ? { data } : {}),
  }
}

/** bigint as decimal text and bytes as hex, so that every PostriderError's data fits into JSON. */
function jsonSafe(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const text = JSON.stringify(data, (_key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString()
    if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
    return value
  })
  return JSON.parse(text)
}
