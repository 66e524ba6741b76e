import { z } from 'zod'
import {
  address,
  bigInteger,
  etherAmount,
  hash32,
  postAmount,
  reason,
  timestamp,
  transactionHash,
} from './common.ts'

/** What an operator can tell a node to do that sends transactions. */
export const actionKind = z.enum([
  'stake.add',
  'stake.exit',
  'stake.withdraw',
  'channel.close',
  'rewards.claim',
])

export const check = z
  .object({
    name: z.string(),
    state: z.enum(['ok', 'warning', 'failed', 'skipped']),
    reason: z.string(),
    fix: z.string().nullable().describe('A command or an act; null if nothing needs to be done'),
  })
  .meta({ id: 'Check' })

export const actionPlan = z
  .object({
    kind: actionKind,
    wouldSend: z.boolean().describe('false: a check failed, or there is nothing to do'),
    checks: z.array(check),
    steps: z.array(
      z.object({
        label: z.string(),
        to: address,
        call: z.string().describe('Function of the contract'),
      }),
    ),
    gas: bigInteger,
    fee: etherAmount.describe('The most that all transactions may cost'),
    effects: z.array(z.string()),
    amount: postAmount.nullable().describe('What moves; null if no tokens do'),
    channels: z.array(z.object({ id: hash32, amount: postAmount })).describe('What is settled, by channel'),
    reason: reason.nullable().describe('Why there is nothing to do'),
  })
  .meta({ id: 'ActionPlan', description: 'What an action would do: checked, simulated, priced, not sent' })

export const actionState = z
  .enum(['accepted', 'sent', 'done', 'failed'])
  .describe(
    'accepted: on disk, not sent yet; sent: a transaction is out; done and failed: ended. An accepted action survives a restart',
  )

export const action = z
  .object({
    id: z.string(),
    kind: actionKind,
    state: actionState,
    createdAt: timestamp,
    effects: z.array(z.string()),
    transactions: z.array(
      z.object({
        label: z.string(),
        hash: transactionHash.nullable().describe('null until it is sent'),
        state: z.enum(['waiting', 'sent', 'done', 'reverted', 'replaced']),
        block: bigInteger.nullable(),
        fee: etherAmount.nullable().describe('What was paid; null until it is mined'),
      }),
    ),
    redemption: z.string().nullable().describe('Of what settles channels: the redemption'),
    reason: reason.nullable().describe('failed: why; done: what was not honoured'),
  })
  .meta({ id: 'Action', description: 'Something an operator told the node to do on chain' })

export const dryRun = z.boolean().default(false).describe('Answer checks, fee and effect, and send nothing')

export const plainRequest = z.strictObject({ dryRun }).meta({ id: 'ActionRequest' })

export const stakeAddRequest = z
  .strictObject({
    amount: postAmount.nullable().describe('More than 0; null: everything that the account has'),
    dryRun,
  })
  .refine(({ amount }) => amount !== 0n, { path: ['amount', 'amount'], message: 'more than 0 expected' })
  .meta({ id: 'StakeAddRequest' })

export const claimRequest = z
  .strictObject({
    channels: z
      .array(hash32)
      .min(1)
      .max(100)
      .optional()
      .describe('Only these; absent: everything redeemable'),
    force: z.boolean().default(false).describe('Also what is not worth its gas'),
    dryRun,
  })
  .meta({ id: 'ClaimRequest' })
