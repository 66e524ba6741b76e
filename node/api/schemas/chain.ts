import { z } from 'zod'
import {
  address,
  asOfBlock,
  bigInteger,
  count,
  etherAmount,
  postAmount,
  reason,
  timestamp,
  transactionHash,
} from './common.ts'

export const chainState = z
  .object({
    chainId: count,
    connected: z.boolean(),
    head: asOfBlock,
    confirmed: asOfBlock.describe('Newest block that the node acts upon'),
    lagSeconds: z.number().nonnegative().nullable().describe('Age of the head; null before the first block'),
    endpoints: z.array(
      z.object({
        name: z.string().describe('Host and port only: a path may hold an access key'),
        state: z.enum(['active', 'standby', 'failed']),
        latencyMs: z.number().nonnegative().nullable(),
        error: reason.nullable(),
      }),
    ),
    account: z
      .object({
        address,
        ether: etherAmount,
        post: postAmount,
        low: z.boolean().describe('Ether will not last'),
      })
      .nullable()
      .describe('The hot account; null while the chain is away'),
    pending: z.array(
      z.object({
        transaction: transactionHash,
        nonce: count,
        purpose: z.string(),
        sentAt: timestamp,
        replaced: count.describe('How often it was sent again with a higher fee'),
      }),
    ),
    reorganisations: count.describe('Since the start of the process'),
    finalised: bigInteger.nullable(),
  })
  .meta({ id: 'ChainState', description: 'How this node sees the chain' })
