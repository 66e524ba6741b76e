import { PostriderError } from '@postrider/protocol/errors'
import { etherJson } from '../operator/amounts.ts'
import { anyFailed, type Check, warning } from '../operator/checks.ts'
import { isSendable, type Plan, type PricedPlan, pricePlan } from '../operator/plan.ts'
import { counted, ether } from '../operator/text.ts'
import { renderChecks } from './checks.ts'
import type { Cli, Outcome } from './cli.ts'
import type { SendOptions } from './command.ts'
import type { ChainContext } from './context.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { section, sections } from './render.ts'
import { newIntentKey, openWallet, quote, type Sent } from './wallet.ts'

export type PlanOptions = SendOptions & {
  /** After the last step, before the outcome: what must be kept of it. */
  onDone?(sent: readonly Sent[]): Promise<Record<string, unknown>>
}

/**
 * Carries a plan out: checks, simulates, prices, asks, sends and waits. A dry run stops before the question. A plan
 * without steps has nothing to do, which is a success.
 *
 * @throws PostriderError `CLI_REFUSED` with the checks when one failed, `CLI_NOT_CONFIRMED`, `KEYS_*`, `CHAIN_*`
 */
export async function carryOut(
  cli: Cli,
  context: ChainContext,
  plan: Plan,
  options: PlanOptions,
): Promise<Outcome> {
  const priced = await price(cli, context, plan)
  const refused = anyFailed(priced.checks)
  if (options.dryRun) return dryRunOutcome(cli, priced)
  if (refused) throw refusal(cli, plan, priced.checks)
  if (plan.steps.length === 0) return nothingToDo(cli, priced)
  cli.say(planText(cli, priced))
  await cli.confirm(
    `Send ${plan.steps.length === 1 ? 'this transaction' : `these ${plan.steps.length} transactions`}?`,
  )
  const sent = await send(cli, context, plan, options.passwordFile)
  const kept = (await options.onDone?.(sent)) ?? {}
  return doneOutcome(cli, plan, sent, kept)
}

async function price(cli: Cli, context: ChainContext, plan: Plan): Promise<PricedPlan> {
  const { chain, account } = context
  const waiting = isSendable(plan) ? await chain.waitingOf(account) : 0
  const checks = waiting > 0 ? [...plan.checks, waitingCheck(waiting)] : plan.checks
  return pricePlan(
    { ...plan, checks },
    {
      account,
      quote: (call) => quote(cli, context, call),
      feePerGas: chain.feePerGas,
      balance: () => chain.etherOf(account),
    },
  )
}

/** A command that was killed leaves its transaction out: done again, it would happen twice. */
const waitingCheck = (waiting: number): Check =>
  warning(
    'waiting',
    `${counted(waiting, 'transaction')} of this account ${waiting === 1 ? 'is' : 'are'} sent and not mined yet`,
    'the running node may have sent it, or a command that was stopped: wait, and see what it did before you repeat one',
  )

async function send(
  cli: Cli,
  context: ChainContext,
  plan: Plan,
  passwordFile: string | undefined,
): Promise<Sent[]> {
  const wallet = await openWallet(cli, context, passwordFile)
  try {
    const sent: Sent[] = []
    for (const step of plan.steps) {
      cli.say(`${step.label} …`)
      const receipt = await wallet.send({ ...step.call, key: newIntentKey(step.call.kind) })
      cli.say(`  ${cli.style.green('✓')} ${receipt.hash} in block ${receipt.block}`)
      sent.push(receipt)
    }
    return sent
  } finally {
    await wallet.close()
  }
}

function refusal(cli: Cli, plan: Plan, checks: readonly Check[]): PostriderError {
  cli.say(renderChecks(cli.style, checks))
  const names = checks
    .filter(({ state }) => state === 'failed')
    .map(({ name, reason }) => `${name}: ${reason}`)
  return new PostriderError('CLI_REFUSED', {
    detail: names.join('; '),
    data: { action: plan.action, checks },
  })
}

/** Checks, fee and effect, for people. */
export function planText(
  { style }: Pick<Cli, 'style'>,
  {
    checks,
    steps,
    effects,
    gas,
    fee,
  }: Pick<PricedPlan, 'checks' | 'effects' | 'gas' | 'fee'> & {
    steps: readonly unknown[]
  },
): string {
  const list = checks.length === 0 ? '' : section(style, 'Checks', renderChecks(style, checks))
  if (anyFailed(checks)) return list
  if (steps.length === 0) return sections(list, 'Nothing to do.')
  return sections(
    list,
    section(
      style,
      'Fee',
      `at most ${ether(fee)} for about ${gas} gas in ${counted(steps.length, 'transaction')}`,
    ),
    section(style, 'Effect', effects.map((effect) => `- ${effect}`).join('\n')),
  )
}

function dryRunOutcome(cli: Cli, plan: PricedPlan): Outcome {
  const { checks, gas, fee } = plan
  return {
    data: {
      action: plan.action,
      dryRun: true,
      wouldSend: isSendable(plan),
      checks,
      steps: plan.steps.map(({ label, call }) => ({ label, to: call.to, call: call.kind })),
      gas: gas.toString(),
      fee: etherJson(fee),
      effects: plan.effects,
      ...plan.details,
    },
    text: sections(planText(cli, plan), cli.style.dim('dry run: nothing was sent')),
    exitCode: anyFailed(checks) ? EXIT_CODES.refused.code : EXIT_CODES.ok.code,
  }
}

function nothingToDo(cli: Cli, plan: PricedPlan): Outcome {
  return {
    data: { action: plan.action, done: false, effects: plan.effects, ...plan.details },
    text: planText(cli, plan),
  }
}

function doneOutcome(
  { style }: Cli,
  plan: Plan,
  sent: readonly Sent[],
  kept: Record<string, unknown>,
): Outcome {
  const fee = sent.reduce((sum, receipt) => sum + receipt.fee, 0n)
  return {
    data: {
      action: plan.action,
      done: true,
      transactions: sent.map(({ hash, block, gas, ...receipt }) => ({
        hash,
        block,
        gas: gas.toString(),
        fee: etherJson(receipt.fee),
      })),
      fee: etherJson(fee),
      effects: plan.effects,
      ...plan.details,
      ...kept,
    },
    text: [
      `${style.green('✓')} done for ${ether(fee)}`,
      ...plan.effects.map((effect) => `- ${effect}`),
      ...sent.map(({ hash, block }) => style.dim(`${hash} in block ${block}`)),
    ].join('\n'),
  }
}
