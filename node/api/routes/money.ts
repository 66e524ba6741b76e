import { z } from 'zod'
import { hash32, pageOf, pageQuery } from '../schemas/common.ts'
import {
  channel,
  channelState,
  ledgerEntry,
  paymentsSummary,
  redemption,
  redemptionState,
  rewards,
} from '../schemas/payments.ts'
import { answers, answersOrCsv, doc, found } from './answers.ts'
import { channelColumns, ledgerColumns, sendCsv, wantsCsv } from './tables.ts'
import type { App, RouteContext } from './types.ts'

/** Channels, earnings and redemption as they are; what acts on them is in actions.ts. */
export function registerMoneyRoutes(app: App, context: RouteContext): void {
  registerSummaries(app, context)
  registerLists(app, context)
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

  app.get(
    '/v1/payments/redemptions/:id',
    {
      config,
      schema: {
        ...doc({ id: 'getRedemption', tag: 'money', summary: 'One batch with its channels' }, 'read'),
        params: z.object({ id: z.string() }),
        response: answers(redemption),
      },
    },
    async ({ params: { id } }) => found(await views.payments.redemption(id), id),
  )
}
