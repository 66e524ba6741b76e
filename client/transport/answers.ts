import { PostriderError } from '@postrider/protocol/errors'
import { MAX_REASON_CHARS } from './constants.ts'

/** A status without a code counts as a failure of the node. */
const NO_STATUS = 500

/** Decodes an answer. @throws PostriderError `CLIENT_BAD_RESPONSE` */
export function readAnswer<T>(protocol: string, decodeAnswer: () => T): T {
  try {
    return decodeAnswer()
  } catch (cause) {
    throw badAnswer(protocol, 'it cannot be decoded', cause)
  }
}

/**
 * Status and shortened reason of an answer.
 *
 * @throws PostriderError `CLIENT_BAD_RESPONSE` if the answer is to another request
 */
export function checkAnswer(
  protocol: string,
  requestId: string,
  answer: { requestId: string; statusCode?: number; statusDesc?: string },
): { code: number; reason: string } {
  if (answer.requestId !== requestId) throw badAnswer(protocol, 'it answers another request')
  const reason = (answer.statusDesc ?? '').slice(0, MAX_REASON_CHARS)
  return { code: answer.statusCode ?? NO_STATUS, reason }
}

export function badAnswer(protocol: string, detail: string, cause?: unknown): PostriderError {
  return new PostriderError('CLIENT_BAD_RESPONSE', {
    detail: `${protocol}: ${detail}`,
    data: { protocol },
    cause,
  })
}
