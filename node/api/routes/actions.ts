import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { action, actionPlan, claimRequest, plainRequest, stakeAddRequest } from '../schemas/actions.ts'
import { hash32, pageOf, pageQuery } from '../schemas/common.ts'
import { redemption, rejectRequest } from '../schemas/payments.ts'
import type { Action, ActionPlan, Command } from '../types.ts'
import { actionAnswers, answers, doc, found } from './answers.ts'
import { type Answer, answerOnce, idempotencyHeaders } from './once.ts'
import type { App, RouteContext } from './types.ts'

const config = { scope: 'operate' } as const

/** What an operator tells the node to do, and what became of it. */
export function registerActionRoutes(app: App, context: RouteContext): void {
  // A request without a body is one with an empty body.
  app.addHook('preValidation', async (request) => {
    if (request.method === 'POST') request.body ??= {}
  })
  registerActionLists(app, context)
  registerStakeActions(app, context)
  registerChannelActions(app, context)
  registerRewardActions(app, context)
  registerReject(app, context)
}

function registerActionLists(app: App, { views: { actions } }: RouteContext): void {
  const config = { scope: 'read' } as const

  app.get(
    '/v1/actions',
    {
      config,
      schema: {
        ...doc(
          { id: 'listActions', tag: 'actions', summary: 'What the operator asked for, newest first' },
          'read',
        ),
        querystring: pageQuery,
        response: answers(pageOf(action)),
      },
    },
    async ({ query }) => actions.list(query),
  )

  app.get(
    '/v1/actions/:id',
    {
      config,
      schema: {
        ...doc({ id: 'getAction', tag: 'actions', summary: 'How far an action is' }, 'read'),
        params: z.object({ id: z.string() }),
        response: answers(action),
      },
    },
    async ({ params: { id } }) => found(await actions.get(id), id),
  )
}

function registerStakeActions(app: App, context: RouteContext): void {
  app.post(
    '/v1/stake/add',
    {
      config,
      schema: {
        ...doc({ id: 'addStake', tag: 'actions', summary: 'Add to the stake' }, 'operate'),
        headers: idempotencyHeaders,
        body: stakeAddRequest,
        response: actionAnswers(),
      },
    },
    (request, reply) =>
      act(context, request, reply, { kind: 'stake.add', amount: request.body.amount }, 'the stake'),
  )

  const plain = [
    { kind: 'stake.exit', id: 'exitStake', summary: 'Announce that the node leaves' },
    { kind: 'stake.withdraw', id: 'withdrawStake', summary: 'Pay the stake out after the unbonding time' },
  ] as const
  for (const { kind, id, summary } of plain) {
    app.post(
      `/v1/${kind.replace('.', '/')}`,
      {
        config,
        schema: {
          ...doc({ id, tag: 'actions', summary }, 'operate'),
          headers: idempotencyHeaders,
          body: plainRequest,
          response: actionAnswers(),
        },
      },
      (request, reply) => act(context, request, reply, { kind }, 'the stake'),
    )
  }
}

function registerChannelActions(app: App, context: RouteContext): void {
  const both = [
    { what: 'settle', id: 'settleChannel', summary: 'Settle what a channel owes, whatever it is worth' },
    { what: 'close', id: 'closeChannel', summary: 'Settle and end a channel at once' },
  ] as const
  for (const { what, id, summary } of both) {
    app.post(
      `/v1/channels/:id/${what}`,
      {
        config,
        schema: {
          ...doc({ id, tag: 'actions', summary }, 'operate'),
          headers: idempotencyHeaders,
          params: z.object({ id: hash32 }),
          body: plainRequest,
          response: actionAnswers(),
        },
      },
      (request, reply) => {
        const { id: channelId } = request.params
        const command: Command =
          what === 'close'
            ? { kind: 'channel.close', channelId }
            : { kind: 'rewards.claim', channels: [channelId], force: true }
        return act(context, request, reply, command, channelId)
      },
    )
  }

  app.post(
    '/v1/channels/close',
    {
      config,
      schema: {
        ...doc(
          {
            id: 'closeChannels',
            tag: 'actions',
            summary: 'Settle and end every channel at once; repeat it until nothing is left',
          },
          'operate',
        ),
        headers: idempotencyHeaders,
        body: plainRequest,
        response: actionAnswers(),
      },
    },
    (request, reply) => act(context, request, reply, { kind: 'channel.close', channelId: null }, 'a channel'),
  )
}

function registerRewardActions(app: App, context: RouteContext): void {
  app.post(
    '/v1/rewards/claim',
    {
      config,
      schema: {
        ...doc({ id: 'claimRewards', tag: 'actions', summary: 'Settle vouchers on chain now' }, 'operate'),
        headers: idempotencyHeaders,
        body: claimRequest,
        response: actionAnswers(),
      },
    },
    (request, reply) => {
      const { channels, force } = request.body
      return act(context, request, reply, { kind: 'rewards.claim', channels, force }, 'a channel')
    },
  )

  app.post(
    '/v1/payments/redemptions/:id/approve',
    {
      config,
      schema: {
        ...doc(
          { id: 'approveRedemption', tag: 'actions', summary: 'Oversight: let a proposal go' },
          'operate',
        ),
        headers: idempotencyHeaders,
        params: z.object({ id: z.string() }),
        body: plainRequest,
        response: actionAnswers(),
      },
    },
    (request, reply) => {
      const { id } = request.params
      return act(context, request, reply, { kind: 'rewards.claim', redemption: id }, id)
    },
  )
}

function registerReject(app: App, context: RouteContext): void {
  app.post(
    '/v1/payments/redemptions/:id/reject',
    {
      config,
      schema: {
        ...doc({ id: 'rejectRedemption', tag: 'actions', summary: 'Oversight: drop a proposal' }, 'operate'),
        headers: idempotencyHeaders,
        params: z.object({ id: z.string() }),
        body: rejectRequest,
        response: answers(redemption, 'The rejected redemption; nothing is sent for it'),
      },
    },
    async (request, reply) =>
      answerOnce(context, request, reply, async () => {
        const { id } = request.params
        const rejected = found(await context.views.actions.reject(id, request.body.reason), id)
        return { status: 200, body: JSON.stringify(z.encode(redemption, rejected)) }
      }),
  )
}

/** Plans a command, or begins it once; `named` is what the answer 404 speaks of. */
async function act(
  context: RouteContext,
  request: FastifyRequest<{ Body: { dryRun: boolean } }>,
  reply: FastifyReply,
  command: Command,
  named: string,
): Promise<ActionPlan | FastifyReply> {
  const { actions } = context.views
  if (request.body.dryRun) return found(await actions.plan(command), named)
  return answerOnce(context, request, reply, async (name) =>
    toAnswer(found(await actions.begin(name, command), named)),
  )
}

function toAnswer(begun: Action | ActionPlan): Answer {
  if (!('id' in begun)) return { status: 200, body: JSON.stringify(z.encode(actionPlan, begun)) }
  const location = `/v1/actions/${encodeURIComponent(begun.id)}`
  return { status: 202, body: JSON.stringify(z.encode(action, begun)), location }
}
