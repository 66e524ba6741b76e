import { z } from 'zod'
import {
  address,
  asOfBlock,
  bigInteger,
  count,
  etherAmount,
  hash32,
  postAmount,
  reason,
  timestamp,
  transactionHash,
} from './common.ts'

export const redemptionMode = z
  .enum(['auto', 'oversight', 'manual'])
  .describe('auto: redeems when it pays; oversight: proposes and waits for approval; manual: only when told')

export const paymentsSummary = z
  .object({
    mode: redemptionMode,
    asOf: asOfBlock,
    earned: postAmount.describe(
      'Paid by vouchers and ticks since the node exists; equals redeemed + pending + lost',
    ),
    spent: postAmount.describe('Charged for served requests; at most earned + what may stay unpaid'),
    redeemed: postAmount.describe('Settled on chain, the burnt share included'),
    burnt: postAmount.describe('Share of redeemed that the contract burns'),
    pending: postAmount.describe('Earned and not yet settled on chain'),
    lost: postAmount.describe('Earned and not settled before the channel closed'),
    redeemable: postAmount.describe('Part of pending that is worth its gas now'),
    unpaid: postAmount.describe('Served and not paid yet over all channels: what is at risk now'),
    unpaidLimit: postAmount.describe('What one client may owe before it is refused'),
    queue: z
      .object({
        proposed: z.object({ count, amount: postAmount }).describe('Wait for approval'),
        sending: z.object({ count, amount: postAmount }).describe('On their way to the chain'),
      })
      .describe('Redemptions that have not ended'),
    channels: z.object({ open: count, closing: count, closed: count }),
    requests: z.object({ paid: count, free: count, refused: count }),
    gas: z
      .object({ balance: etherAmount, price: etherAmount.describe('For one unit of gas'), low: z.boolean() })
      .nullable()
      .describe("The hot account's means to settle; null while the chain is away"),
  })
  .meta({ id: 'PaymentsSummary', description: 'What clients paid, and how much of it has reached the chain' })

export const channelState = z.enum(['open', 'closing', 'closed'])

export const channel = z
  .object({
    id: hash32,
    state: channelState,
    payer: address,
    payee: address,
    signer: address,
    salt: hash32,
    deposit: postAmount,
    settled: postAmount.describe('Paid out on chain so far'),
    paid: postAmount.describe("The newest voucher's total plus its ticks"),
    spent: postAmount.describe('Charged so far'),
    unredeemed: postAmount.describe('paid − settled'),
    available: postAmount.describe('deposit − paid: what the client can still promise'),
    ticks: count.describe('Ticks accepted under the newest voucher'),
    redeemable: z.boolean(),
    held: reason
      .nullable()
      .describe('Why it is not redeemed now; null if it is redeemable or nothing is left'),
    withdrawableAt: timestamp.nullable().describe('closing: from here the payer can take the rest'),
    lastPaidAt: timestamp.nullable(),
    asOf: asOfBlock,
  })
  .meta({ id: 'Channel', description: 'One payment channel towards this node' })

export const ledgerEntry = z
  .object({
    id: z.string(),
    at: timestamp,
    kind: z
      .enum(['redeemed', 'burnt', 'slash-reward'])
      .describe('redeemed: settled on chain, the burnt share included; burnt: that share, taken off again'),
    amount: postAmount,
    balance: postAmount.describe('Received on chain after this entry; a running total'),
    channelId: hash32.nullable(),
    transaction: transactionHash,
    block: bigInteger,
  })
  .meta({ id: 'LedgerEntry', description: 'One confirmed movement on chain; it never changes' })

export const redemptionState = z.enum(['proposed', 'approved', 'sent', 'confirmed', 'failed', 'rejected'])

export const redemption = z
  .object({
    id: z.string(),
    state: redemptionState,
    createdAt: timestamp,
    channels: z.array(z.object({ id: hash32, amount: postAmount })),
    amount: postAmount.describe('Sum over the channels; the burnt share is still in it'),
    closes: z.boolean().describe('Whether the channels end with it'),
    fee: etherAmount.nullable().describe('Estimate until confirmed, then what was paid; null while unknown'),
    transaction: transactionHash.nullable(),
    block: bigInteger.nullable(),
    reason: reason.nullable(),
  })
  .meta({ id: 'Redemption', description: 'One batch of channels on its way to the chain' })

export const rejectRequest = z
  .strictObject({ reason: z.string().max(200).default('rejected by the operator') })
  .meta({ id: 'RejectRequest' })

export const rewards = z
  .object({
    asOf: asOfBlock,
    mode: redemptionMode,
    total: z.object({
      earned: postAmount.describe('claimed + pending; what was lost is in /v1/payments'),
      claimed: postAmount,
      pending: postAmount,
      redeemable: postAmount,
    }),
    sources: z.array(
      z.object({
        source: z.enum(['channels', 'slashing']),
        earned: postAmount,
        claimed: postAmount,
        pending: postAmount.describe('Of slashing: what open cases bring if no other node is first'),
        redeemable: postAmount.describe('Worth its gas now'),
        fee: etherAmount.nullable().describe('Estimate to claim redeemable; null while the chain is away'),
        held: z
          .array(z.object({ amount: postAmount, items: count, reason }))
          .describe('Pending parts that are not claimed now, and why; with redeemable they make up pending'),
      }),
    ),
  })
  .meta({ id: 'Rewards', description: 'Everything the operator has earned, by source' })
