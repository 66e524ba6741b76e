import type { Hex } from '@postrider/protocol/wire'
import { postAmount } from '../api/schemas/common.ts'
import type { ActionPlan, Command } from '../api/types.ts'
import { closeAllPlan, closePlan, settlePlan } from '../operator/channel-plans.ts'
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
    case 'channel.close':
      return command.channelId === null
        ? draftCloseAll(command, { context, payments })
        : draftClose(command.channelId as Hex, { context, payments })
    case 'rewards.claim':
      return 'redemption' in command
        ? draftApproval(command.redemption, { context, payments })
        : draftClaims(command, { context, payments })
  }
}

/** What the payment engine is asked for. */
export function toRedeemRequest(
  command: Extract<Command, { kind: 'channel.close' } | { force: boolean }>,
): RedeemRequest {
  if (command.kind === 'channel.close') {
    const { channelId } = command
    return { force: true, close: true, ...(channelId !== null && { channels: [channelId as Hex] }) }
  }
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
type Close = Extract<Command, { kind: 'channel.close' }>

async function draftClose(channelId: Hex, { context, payments }: Sources): Promise<Draft | undefined> {
  const channel = await payments.channel(channelId)
  if (!channel) return undefined
  const taken = await payments.redemption.preview(toRedeemRequest({ kind: 'channel.close', channelId }))
  return draftOfChannels(closePlan(context, channel, taken !== undefined), [channel])
}

async function draftCloseAll(command: Close, { context, payments }: Sources): Promise<Draft> {
  const record = await payments.redemption.preview(toRedeemRequest(command))
  const chosen = record ? await reportsOf(record, payments) : []
  const { open, closing } = payments.figures().channels
  const left = open + closing - chosen.length
  return draftOfChannels(closeAllPlan(context, chosen, left), chosen)
}

async function draftClaims(command: Claims, { context, payments }: Sources): Promise<Draft | undefined> {
  const named = await Promise.all((command.channels ?? []).map((id) => payments.channel(id as Hex)))
  if (named.includes(undefined)) return undefined
  const record = await payments.redemption.preview(toRedeemRequest(command))
  if (record) return draftRecord(command.kind, record, { context, payments })
  const plan = { action: command.kind, checks: [], steps: [], effects: [], details: {} }
  const known = named.filter((channel) => channel !== undefined)
  const reason = command.channels ? whyNotThese(known, payments) : whyNothing(payments)
  return { plan, amount: 0n, channels: [], reason }
}

async function draftApproval(id: string, sources: Sources): Promise<Draft | undefined> {
  const record = await sources.payments.findRedemption(id)
  return record?.state === 'proposed' ? draftRecord('rewards.claim', record, sources) : undefined
}

async function draftRecord(
  action: string,
  record: RedemptionRecord,
  { context, payments }: Sources,
): Promise<Draft> {
  const channels = await reportsOf(record, payments)
  const payout = await context.chain.payoutOf(context.account)
  return draftOfChannels(settlePlan(context, { action, channels, payout }), channels)
}

async function reportsOf({ items }: RedemptionRecord, payments: Payments): Promise<ChannelReport[]> {
  const found = await Promise.all(items.map(({ channelId }) => payments.channel(channelId)))
  return found.filter((channel) => channel !== undefined)
}

/** What holds back the channel with most to claim. */
function whyNotThese(channels: readonly ChannelReport[], { claimThreshold }: Payments): Reason | null {
  const [most] = channels
    .filter(({ held }) => held !== undefined && held !== 'manual')
    .sort((a, b) => (a.unredeemed < b.unredeemed ? 1 : -1))
  return heldReason(most?.held, claimThreshold())
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
