import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { MAX_IDEMPOTENCY_KEY_CHARS } from '../constants.ts'
import { PROBLEM_MEDIA_TYPE, toProblem } from '../problem.ts'
import type { IdempotentAnswer } from '../types.ts'
import type { RouteContext } from './types.ts'

export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(MAX_IDEMPOTENCY_KEY_CHARS)
    .optional()
    .describe('A fresh random text; repeat it to repeat the request. Needed unless dryRun'),
})

/** What an act answers, as JSON already. */
export type Answer = { status: 200 | 202; body: string; location?: string }

/**
 * Answers a request under its Idempotency-Key; a final refusal is remembered like a success.
 *
 * @param act gets the name of the request, the same for each repetition
 * @throws PostriderError `API_IDEMPOTENCY_*`, or what `act` throws if it invites a retry
 */
export async function answerOnce(
  { once }: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  act: (name: string) => Promise<Answer>,
): Promise<FastifyReply> {
  const sent = request.headers['idempotency-key']
  if (typeof sent !== 'string') throw new PostriderError('API_IDEMPOTENCY_KEY_MISSING')
  const key = [request.token?.name, request.routeOptions.url, sent]
  const content = [request.params ?? null, request.body ?? null]
  const answer = await once({ key, content }, (name) => settle(() => act(name), request.id))
  if (answer.replayed) reply.header('idempotency-replayed', 'true')
  if (answer.location !== undefined) reply.header('location', answer.location)
  return reply.code(answer.status).type(answer.contentType).send(answer.body)
}

async function settle(
  act: () => Promise<Answer>,
  requestId: string,
): Promise<IdempotentAnswer & { keep: boolean }> {
  try {
    return { contentType: 'application/json', ...(await act()), keep: true }
  } catch (error) {
    if (!isPostriderError(error) || error.retryable) throw error
    const problem = toProblem(error, requestId)
    const body = JSON.stringify(problem)
    return { status: problem.status, contentType: PROBLEM_MEDIA_TYPE, body, keep: true }
  }
}
