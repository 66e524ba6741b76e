import { z } from 'zod'
import { action } from './actions.ts'
import { asOfBlock, bigInteger, count, hash32, postAmount } from './common.ts'
import { subsystem } from './health.ts'
import { channelState, redemption } from './payments.ts'
import { slashSummary } from './rln.ts'

/** What the event stream can say; `type` is also the SSE event name. */
export const nodeEvent = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('peer.connected'), data: z.object({ peerId: z.string() }) }),
    z.object({ type: z.literal('peer.disconnected'), data: z.object({ peerId: z.string() }) }),
    z.object({
      type: z.literal('relay.verdicts'),
      data: z
        .object({ accept: count, ignore: count, reject: count, breach: count })
        .describe('Totals since the start'),
    }),
    z.object({
      type: z.literal('channel.updated'),
      data: z.object({
        id: hash32,
        state: channelState,
        deposit: postAmount,
        paid: postAmount,
        settled: postAmount,
      }),
    }),
    z.object({ type: z.literal('redemption.updated'), data: redemption }),
    z.object({ type: z.literal('action.updated'), data: action }),
    z.object({ type: z.literal('slashing.updated'), data: slashSummary }),
    z.object({
      type: z.literal('rln.epoch'),
      data: z.object({ number: bigInteger, remaining: count.nullable() }),
    }),
    z.object({ type: z.literal('chain.head'), data: z.object({ connected: z.boolean(), head: asOfBlock }) }),
    z.object({ type: z.literal('health.changed'), data: subsystem }),
  ])
  .meta({ id: 'NodeEvent', description: 'One message of the event stream; type is also the SSE event name' })

export const eventTypes = nodeEvent.options.map((option) => option.shape.type.value)
