import { callOf } from '../../chain/contracts.ts'
import { postJson } from '../../operator/amounts.ts'
import { type Check, skipped } from '../../operator/checks.ts'
import type { Plan, Step } from '../../operator/plan.ts'
import { withdrawPlan } from '../../operator/stake-plans.ts'
import { duration, post } from '../../operator/text.ts'
import type { Cli, Outcome } from '../cli.ts'
import type { SendOptions } from '../command.ts'
import { type ChainContext, withChain } from '../context.ts'
import { carryOut } from '../plan.ts'
import { readMembership } from './rln.ts'

/** One thing that may be withdrawable: its transaction, or why there is none now. */
type Source = { name: string; amount: bigint; step?: Step; receiver?: string; reason?: string }

export function withdrawAll(cli: Cli, options: SendOptions): Promise<Outcome> {
  return withChain(cli, async (context) => carryOut(cli, context, await withdrawAllPlan(context), options))
}

async function withdrawAllPlan(context: ChainContext): Promise<Plan> {
  const sources = await Promise.all([stakeSource(context), depositSource(context), refundSource(context)])
  const free = sources.filter((source) => source.step !== undefined)
  const checks: Check[] = sources
    .filter((source) => source.step === undefined)
    .map(({ name, reason }) => skipped(name, reason ?? 'nothing there'))
  return {
    action: 'withdraw',
    checks,
    steps: free.flatMap(({ step }) => step ?? []),
    effects: free.map(({ name, amount, receiver }) => `${post(amount)} of ${name} move to ${receiver}`),
    details: {
      total: postJson(free.reduce((sum, { amount }) => sum + amount, 0n)),
      sources: sources.map(({ name, amount, receiver, reason, step }) => ({
        name,
        amount: postJson(amount),
        free: step !== undefined,
        receiver: receiver ?? null,
        reason: reason ?? null,
      })),
    },
  }
}

async function stakeSource(context: ChainContext): Promise<Source> {
  const name = 'stake'
  const [node, plan] = await Promise.all([context.chain.node(context.account), withdrawPlan(context)])
  if (!node) return { name, amount: 0n, reason: 'this account is not registered' }
  const obstacle = plan.checks.find(({ state }) => state === 'failed')
  const source = { name, amount: node.stake, receiver: node.withdrawal }
  if (obstacle) return { ...source, reason: `${post(node.stake)}: ${obstacle.reason}` }
  const [step] = plan.steps
  return step ? { ...source, step } : source
}

async function depositSource(context: ChainContext): Promise<Source> {
  const name = 'RLN deposit'
  const { chain } = context
  const [membership, { timestamp }] = await Promise.all([readMembership(context), chain.newestBlock()])
  const { file, member } = membership ?? {}
  if (!file || !member) return { name, amount: 0n, reason: 'there is no membership' }
  const { deposit } = await chain.membershipCost(file.limit)
  const source = { name, amount: deposit, receiver: member.owner }
  if (member.status !== 'leaving' || member.withdrawableAt === null) {
    const fix = member.status === 'active' ? '; postrider rln leave frees it' : ''
    return { ...source, reason: `the membership is ${member.status}${fix}` }
  }
  const waitMs = member.withdrawableAt - timestamp * 1000
  if (waitMs > 0) return { ...source, reason: `${post(deposit)}: frozen for another ${duration(waitMs)}` }
  const step: Step = {
    label: `withdraw the RLN deposit of ${post(deposit)}`,
    call: callOf(chain.network, 'rlnMembership', 'withdraw', [file.commitment]),
  }
  return { ...source, step }
}

async function refundSource({ chain, account }: ChainContext): Promise<Source> {
  const name = 'refunds'
  const amount = await chain.refundOf(account)
  if (amount === 0n) return { name, amount, reason: 'no closed channel owes this account anything' }
  const step: Step = {
    label: `withdraw refunds of ${post(amount)}`,
    call: callOf(chain.network, 'paymentChannels', 'withdrawRefund', [account]),
  }
  return { name, amount, receiver: account, step }
}
