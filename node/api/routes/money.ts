import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { MAX_IDEMPOTENCY_KEY_CHARS } from '../constants.ts'
import { PROBLEM_MEDIA_TYPE, toProblem } from '../problem.ts'
import { hash32, pageOf, pageQuery } from '../schemas/common.ts'
import {
  channel,
  channelState,
  ledgerEntry,
  paymentsSummary,
  redeemRequest,
  redemption,
  redemptionState,
  rejectRequest,
  rewards,
} from '../schemas/payments.ts'
import type { IdempotentAnswer, Redemption } from '../types.ts'
import { answers, answersOrCsv, doc } from './answers.ts'
import { channelColumns, ledgerColumns, sendCsv, wantsCsv } from './tables.ts'
import type { App, RouteContext } from './types.ts'

const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(MAX_IDEMPOTENCY_KEY_CHARS)
    .optional()
    .describe('A fresh random text; repeat it to repeat the request. Needed unless dryRun'),
})

/** Channels, earnings and redemption. */
export function registerMoneyRoutes(app: App, context: RouteContext): void {
  registerSummaries(app, context)
  registerLists(app, context)
  registerActions(app, context)
}

function registerSummaries(app: App, { views }: RouteContext): void {
  const config = { scope: 'read' } as const

  app.get(
    '/v1/payments',
    {
      config,
      schema: {
        ...doc(
          { id: 'getPayments', tag: 'money', summary: 'Earned, redeemed, pending, and gas to redeem' },
          'read',
        ),
        response: answers(paymentsSummary),
      },
    },
    async () => views.payments.summary(),
  )

  app.get(
    '/v1/rewards',
    {
      config,
      schema: {
        ...doc(
          { id: 'getRewards', tag: 'money', summary: 'Everything earned, by source; what is held and why' },
          'read',
        ),
        response: answers(rewards),
      },
    },
    async () => views.rewards.summary(),
  )
}

function registerLists(app: App, { views }: RouteContext): void {
  const config = { scope: 'read' } as const

  app.get(
    '/v1/channels',
    {
      config,
      schema: {
        ...doc({ id: 'listChannels', tag: 'money', summary: 'Payment channels towards this node' }, 'read'),
        querystring: pageQuery.extend({ state: channelState.optional() }),
        response: answersOrCsv(pageOf(channel)),
      },
    },
    async (request, reply) => {
      const list = (page: typeof request.query) =>
        views.channels.list({ ...page, state: request.query.state })
      if (wantsCsv(request))
        return sendCsv(request, reply, { columns: channelColumns, list, page: request.query })
      return list(request.query)
    },
  )

  app.get(
    '/v1/channels/:id',
    {
      config,
      schema: {
        ...doc({ id: 'getChannel', tag: 'money', summary: 'One payment channel' }, 'read'),
        params: z.object({ id: hash32 }),
        response: answers(channel),
      },
    },
    async ({ params: { id } }) => found(await views.channels.get(id), id),
  )

  app.get(
    '/v1/payments/ledger',
    {
      config,
      schema: {
        ...doc(
          { id: 'listLedger', tag: 'money', summary: 'Movements with a running balance, oldest first' },
          'read',
        ),
        querystring: pageQuery,
        response: answersOrCsv(pageOf(ledgerEntry)),
      },
    },
    async (request, reply) => {
      const { ledger } = views.payments
      if (wantsCsv(request)) {
        return sendCsv(request, reply, { columns: ledgerColumns, list: ledger, page: request.query })
      }
      return ledger(request.query)
    },
  )

  app.get(
    '/v1/payments/redemptions',
    {
      config,
      schema: {
        ...doc(
          { id: 'listRedemptions', tag: 'money', summary: 'Batches on their way to the chain, newest first' },
          'read',
        ),
        querystring: pageQuery.extend({ state: redemptionState.optional() }),
        response: answers(pageOf(redemption)),
      },
    },
    async ({ query }) => views.payments.redemptions(query),
  )
}

function registerActions(app: App, context: RouteContext): void {
  const { actions } = context.views
  const config = { scope: 'operate' } as const

  app.post(
    '/v1/payments/redeem',
    {
      config,
      schema: {
        ...doc({ id: 'redeem', tag: 'money', summary: 'Settle vouchers on chain now' }, 'operate'),
        headers: idempotencyHeaders,
        body: redeemRequest,
        response: answers(
          redemption,
          'What was sent, or would be; Idempotency-Replayed: true if it had been before',
        ),
      },
    },
    async (request, reply) => {
      if (request.body.dryRun) return actions.redeem(request.body)
      return answerOnce(context, request, reply, () => actions.redeem(request.body))
    },
  )

  app.post(
    '/v1/payments/redemptions/:id/approve',
    {
      config,
      schema: {
        ...doc(
          { id: 'approveRedemption', tag: 'money', summary: 'Oversight: let a proposed redemption go' },
          'operate',
        ),
        headers: idempotencyHeaders,
        params: z.object({ id: z.string() }),
        response: answers(redemption, 'The approved redemption'),
      },
    },
    async (request, reply) =>
      answerOnce(context, request, reply, async () => {
        const { id } = request.params
        return found(await actions.approve(id), id)
      }),
  )

  app.post(
    '/v1/payments/redemptions/:id/reject',
    {
      config,
      schema: {
        ...doc(
          { id: 'rejectRedemption', tag: 'money', summary: 'Oversight: drop a proposed redemption' },
          'operate',
        ),
        headers: idempotencyHeaders,
        params: z.object({ id: z.string() }),
        body: rejectRequest,
        response: answers(redemption, 'The rejected redemption'),
      },
    },
    async (request, reply) =>
      answerOnce(context, request, reply, async () => {
        const { id } = request.params
        return found(await actions.reject(id, request.body.reason), id)
      }),
  )
}

/** @throws PostriderError `API_NOT_FOUND` */
function found<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new PostriderError('API_NOT_FOUND', { data: { id } })
  return value
}

/** Answers a money call under its Idempotency-Key; a final refusal is remembered like a success. */
async function answerOnce(
  { once }: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  act: () => Promise<Redemption>,
): Promise<FastifyReply> {
  const sent = request.headers['idempotency-key']
  if (typeof sent !== 'string') throw new PostriderError('API_IDEMPOTENCY_KEY_MISSING')
  const key = JSON.stringify([request.token?.name, request.routeOptions.url, sent])
  const content = [request.params ?? null, request.body ?? null]
  const answer = await once({ key, content }, () => settleAnswer(act, request.id))
  if (answer.replayed) reply.header('idempotency-replayed', 'true')
  return reply.code(answer.status).type(answer.contentType).send(answer.body)
}

async function settleAnswer(
  act: () => Promise<Redemption>,
  requestId: string,
): Promise<IdempotentAnswer & { keep: boolean }> {
  try {
    const body = JSON.stringify(z.encode(redemption, await act()))
    return { status: 200, contentType: 'application/json', body, keep: true }
  } catch (error) {
    if (!isPostriderError(error) || error.retryable) throw error
    const problem = toProblem(error, requestId)
    return {
      status: problem.status,
      contentType: PROBLEM_MEDIA_TYPE,
      body: JSON.stringify(problem),
      keep: true,
    }
  }
}
