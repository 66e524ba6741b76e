import { type ErrorCode, errorTable, PostriderError } from '@postrider/protocol/errors'
import { z } from 'zod'
import { httpStatus } from '../problem.ts'
import { errorExplanation } from '../schemas/problem.ts'
import { answers, doc } from './answers.ts'
import type { App } from './types.ts'

/** The API about itself: its description, and what each error code means. */
export function registerMetaRoutes(app: App): void {
  app.get('/openapi.json', { config: { scope: 'open' }, schema: { hide: true } }, async () => app.swagger())

  app.get(
    '/v1/errors/:code',
    {
      config: { scope: 'open' },
      schema: {
        ...doc({
          id: 'explainError',
          tag: 'meta',
          summary: 'What an error code means and what to do about it',
        }),
        params: z.object({ code: z.string() }),
        response: answers(errorExplanation),
      },
    },
    async ({ params: { code } }) => {
      if (!isErrorCode(code)) throw new PostriderError('API_NOT_FOUND', { data: { code } })
      const { title, retryable, fix } = errorTable[code]
      return { code, title, retryable, fix, http: httpStatus(code) }
    },
  )
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code)
