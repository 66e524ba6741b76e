import { PostriderError } from '@postrider/protocol/errors'
import { z } from 'zod'
import { PROBLEM_MEDIA_TYPE } from '../problem.ts'
import { action, actionPlan } from '../schemas/actions.ts'
import { problem } from '../schemas/problem.ts'
import type { Scope } from '../types.ts'

type Doc = { id: string; tag: string; summary: string }

const problemAnswer = {
  description: 'Refused or failed',
  content: { [PROBLEM_MEDIA_TYPE]: { schema: problem } },
}

const json = (schema: z.ZodType, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

/** The documented head of a route: name, summary and the token it needs. */
export const doc = ({ id, tag, summary }: Doc, scope?: Scope) => ({
  operationId: id,
  tags: [tag],
  summary,
  ...(scope ? { security: [{ bearer: [scope] }] } : {}),
})

/** The answers of a route: the schema with 200, a problem with everything else. */
export const answers = (schema: z.ZodType, description = 'The answer') => ({
  200: json(schema, description),
  default: problemAnswer,
})

/** The answers of a route that acts: 202 once the action is written down, 200 with a plan when nothing is sent. */
export const actionAnswers = () => ({
  200: json(actionPlan, 'Nothing was sent: a dry run, or there is nothing to do'),
  202: json(
    action,
    'Under way; Location leads to it. Idempotency-Replayed: true if it had been asked for before',
  ),
  default: problemAnswer,
})

/** @throws PostriderError `API_NOT_FOUND` */
export function found<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new PostriderError('API_NOT_FOUND', { data: { id } })
  return value
}

/** As `answers`, with the same list as CSV when the client asks for `text/csv`. */
export const answersOrCsv = (schema: z.ZodType) => ({
  200: {
    description:
      'One page as JSON; everything from the cursor on as CSV, with a Link header if there is more',
    content: { 'application/json': { schema }, 'text/csv': { schema: z.string() } },
  },
  default: problemAnswer,
})

/** The answer of a route that speaks another format. */
export const answersAs = (mediaType: string, description: string) => ({
  200: { description, content: { [mediaType]: { schema: z.string() } } },
  default: problemAnswer,
})
