import type { Hex } from '@postrider/protocol/wire'
import { postAmount } from '../api/schemas/common.ts'
import type { ActionPlan, Command } from '../api/types.ts'
import { closePlan, settlePlan } from '../operator/channel-plans.ts'
import { isSendable, type Plan, type PricedPlan } from '../operator/plan.ts'
import { addPlan, exitPlan, withdrawPlan } from '../operator/stake-plans.ts'
import type { ChainPlanContext } from '../operator/types.ts'
import type { ChannelReport, RedeemRequest, RedemptionRecord } from '../payments/index.ts'
import { HELD_REASONS, heldReason, type Reason } from './reasons.ts'
import type { NodeParts } from './types.ts'

/** What a command comes to before it is priced. */
export type Draft = {
  plan: Plan
  /** What moves, base units; null if no tokens do. */
  amount: bigint | null
  channels: readonly { id: string; amount: bigint }[]
  /** Why there is nothing to do. */
  reason: Reason | null
}

type Payments = Pick<NodeParts['payments'], 'channel' | 'claimThreshold' | 'figures' | 'findRedemption'> & {
  redemption: Pick<NodeParts['payments']['redemption'], 'preview'>
}

/** Drafts a command; undefined if what it names does not exist. Throws `CHAIN_*` when the chain does not answer. */
export async function draftOf(command: Command, { context, payments }: Sources): Promise<Draft | undefined> {
  switch (command.kind) {
    case 'stake.add': {
      const { amount } = command
      return stakeDraft(await addPlan(context, amount === null ? { all: true } : { all: false, amount }))
    }
    case 'stake.exit':
      return stakeDraft(await exitPlan(context))
    case 'stake.withdraw':
      return stakeDraft(await withdrawPlan(context))
    case 'channel.close': {
      const channel = await payments.channel(command.channelId as Hex)
      return channel && draftOfChannels(closePlan(context, channel), [channel])
    }
    case 'rewards.claim':
      return 'redemption' in command
        ? draftApproval(command.redemption, { context, payments })
        : draftClaims(command, { context, payments })
  }
}

/** What the payment engine is asked for. */
export function toRedeemRequest(
  command: Extract<Command, { channelId: string } | { force: boolean }>,
): RedeemRequest {
  if ('channelId' in command) return { channels: [command.channelId as Hex], force: true, close: true }
  const { channels, force } = command
  return { force, ...(channels && { channels: channels.map((id) => id as Hex) }) }
}

function stakeDraft(plan: Plan): Draft {
  const { amount } = plan.details
  return { plan, amount: amount === undefined ? null : postAmount.parse(amount), channels: [], reason: null }
}

const draftOfChannels = (plan: Plan, channels: readonly ChannelReport[]): Draft => ({
  plan,
  amount: channels.reduce((sum, { unredeemed }) => sum + unredeemed, 0n),
  channels: channels.map(({ channelId: id, unredeemed: amount }) => ({ id, amount })),
  reason: null,
})

type Sources = { context: ChainPlanContext; payments: Payments }
type Claims = Extract<Command, { force: boolean }>

async function draftClaims(command: Claims, { context, payments }: Sources): Promise<Draft | undefined> {
  const known = await Promise.all((command.channels ?? []).map((id) => payments.channel(id as Hex)))
  if (known.includes(undefined)) return undefined
  const record = await payments.redemption.preview(toRedeemRequest(command))
  if (record) return draftRecord(command.kind, record, { context, payments })
  const plan = { action: command.kind, checks: [], steps: [], effects: [], details: {} }
  return { plan, amount: 0n, channels: [], reason: whyNothing(payments) }
}

async function draftApproval(id: string, sources: Sources): Promise<Draft | undefined> {
  const record = await sources.payments.findRedemption(id)
  return record?.state === 'proposed' ? draftRecord('rewards.claim', record, sources) : undefined
}

async function draftRecord(
  action: string,
  { items }: RedemptionRecord,
  { context, payments }: Sources,
): Promise<Draft> {
  const found = await Promise.all(items.map(({ channelId }) => payments.channel(channelId)))
  const channels = found.filter((channel) => channel !== undefined)
  const payout = await context.chain.payoutOf(context.account)
  return draftOfChannels(settlePlan(context, { action, channels, payout }), channels)
}

/** What holds back most of what is pending. */
function whyNothing({ figures, claimThreshold }: Payments): Reason | null {
  const { pendingParts } = figures()
  const [most] = HELD_REASONS.filter((name) => pendingParts[name].amount > 0n).sort((a, b) =>
    pendingParts[a].amount < pendingParts[b].amount ? 1 : -1,
  )
  return heldReason(most, claimThreshold())
}

/** A priced draft as the API shows it. */
export function toActionPlan(
  kind: ActionPlan['kind'],
  { amount, channels, reason }: Draft,
  plan: PricedPlan,
): ActionPlan {
  const { checks, steps, gas, fee, effects } = plan
  return {
    kind,
    wouldSend: isSendable(plan),
    checks: [...checks],
    steps: steps.map(({ label, call }) => ({ label, to: call.to, call: call.kind })),
    gas,
    fee,
    effects: [...effects],
    amount,
    channels: [...channels],
    reason,
  }
}
