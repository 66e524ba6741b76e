import { PostriderError } from '@postrider/protocol/errors'
import { z } from 'zod'
import { pageOf, pageQuery } from '../schemas/common.ts'
import { rlnState, slashCase, slashState, slashSummary } from '../schemas/rln.ts'
import { answers, doc } from './answers.ts'
import type { App, RouteContext } from './types.ts'

/** Rate limiting and slashing. */
export function registerRlnRoutes(app: App, { views }: RouteContext): void {
  const config = { scope: 'read' } as const

  app.get(
    '/v1/rln',
    {
      config,
      schema: {
        ...doc({ id: 'getRln', tag: 'rln', summary: 'Membership, epoch budget, member tree' }, 'read'),
        response: answers(rlnState),
      },
    },
    async () => views.rln.state(),
  )

  app.get(
    '/v1/slashing',
    {
      config,
      schema: {
        ...doc(
          { id: 'listSlashCases', tag: 'rln', summary: 'Breaches this node found, newest first' },
          'read',
        ),
        querystring: pageQuery.extend({ state: slashState.optional() }),
        response: answers(pageOf(slashSummary)),
      },
    },
    async ({ query }) => views.slashing.list(query),
  )

  app.get(
    '/v1/slashing/:id',
    {
      config,
      schema: {
        ...doc(
          { id: 'getSlashCase', tag: 'rln', summary: 'One case with the evidence that anyone can check' },
          'read',
        ),
        params: z.object({ id: z.string() }),
        response: answers(slashCase),
      },
    },
    async ({ params: { id } }) => {
      const found = await views.slashing.get(id)
      if (!found) throw new PostriderError('API_NOT_FOUND', { data: { id } })
      return found
    },
  )
}
