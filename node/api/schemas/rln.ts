import { z } from 'zod'
import {
  asOfBlock,
  base64Bytes,
  bigInteger,
  count,
  hash32,
  postAmount,
  reason,
  timestamp,
  transactionHash,
} from './common.ts'

export const rlnState = z
  .object({
    asOf: asOfBlock,
    membership: z
      .object({
        state: z
          .enum(['none', 'pending', 'active', 'leaving', 'withdrawn', 'slashed'])
          .describe('none: the node has no identity; pending: it has one that is not in the group yet'),
        index: count.nullable(),
        commitment: bigInteger.nullable(),
        limit: count.nullable().describe('Messages per epoch'),
        deposit: postAmount.nullable(),
        releasedAt: timestamp.nullable().describe('leaving: when the deposit can be withdrawn'),
      })
      .describe("The node's own membership, with which it sends for stock clients"),
    epoch: z.object({ number: bigInteger, startsAt: timestamp, endsAt: timestamp }),
    budget: z
      .object({ limit: count, used: count, remaining: count, firstId: count })
      .nullable()
      .describe(
        'Messages of this epoch; firstId is where the range of this device begins. null without membership',
      ),
    tree: z.object({
      root: bigInteger,
      members: count,
      rootsKnown: count.describe('Recent roots that a proof may refer to'),
      rootsLimit: count,
      accumulator: hash32.describe("Must equal the contract's at the same block"),
    }),
    nullifiers: z
      .object({ entries: count, limit: count, epochs: count })
      .describe('The log that finds breaches'),
  })
  .meta({
    id: 'RlnState',
    description: 'Rate limiting: membership, epoch budget, member tree, nullifier log',
  })

export const slashState = z.enum(['found', 'committed', 'revealable', 'revealed', 'lost', 'failed'])

const slashFields = {
  id: z.string(),
  state: slashState,
  foundAt: timestamp,
  commitment: bigInteger.describe('The member that broke the limit'),
  memberIndex: count.nullable(),
  pubsubTopic: z.string(),
  epoch: bigInteger,
  commitTransaction: transactionHash.nullable(),
  revealTransaction: transactionHash.nullable(),
  reward: postAmount.nullable().describe('To this node; null until revealed'),
  burnt: postAmount.nullable(),
  reason: reason.nullable().describe('lost or failed: why'),
}

export const slashSummary = z
  .object(slashFields)
  .meta({ id: 'SlashCase', description: 'A breach this node found' })

export const slashCase = z
  .object({
    ...slashFields,
    evidence: z
      .object({
        format: z.literal('postrider.v1.RlnBreach').describe('Protobuf; docs/protocol/rln.md'),
        bytes: base64Bytes,
      })
      .describe('Anyone can check it offline: postrider slash verify FILE'),
  })
  .meta({ id: 'SlashCaseWithEvidence' })
