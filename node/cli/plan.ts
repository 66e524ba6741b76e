import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { TransactionIntent } from '../chain/transaction-runner.ts'
import { anyFailed, type Check, failed, ok, renderChecks, skipped } from './checks.ts'
import type { Cli, Outcome } from './cli.ts'
import type { SendOptions } from './command.ts'
import type { ChainContext } from './context.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { ether, etherJson, section, sections } from './render.ts'
import { openWallet, quote, type Sent } from './wallet.ts'

/** One transaction of a plan. */
export type Step = {
  /** What it does, for people. */
  label: string
  intent: TransactionIntent
  /** It cannot be simulated before the step above is mined; this much gas is assumed. */
  assumedGas?: bigint
}

/** An act on the chain before anything is sent: checked, priced and explained. */
export type Plan = {
  /** For example `stake register`. */
  action: string
  checks: readonly Check[]
  steps: readonly Step[]
  /** What will be different afterwards, for people. */
  effects: readonly string[]
  /** The same for programs. */
  details: Record<string, unknown>
}

type Priced = { checks: Check[]; gas: bigint; fee: bigint }

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
  if (options.dryRun) return dryRunOutcome(cli, plan, priced, refused)
  if (refused) throw refusal(cli, plan, priced.checks)
  if (plan.steps.length === 0) return nothingToDo(cli, plan)
  cli.say(planText(cli, plan, priced))
  await cli.confirm(
    `Send ${plan.steps.length === 1 ? 'this transaction' : `these ${plan.steps.length} transactions`}?`,
  )
  const sent = await send(cli, context, plan, options.passwordFile)
  const kept = (await options.onDone?.(sent)) ?? {}
  return doneOutcome(cli, plan, sent, kept)
}

async function price(cli: Cli, context: ChainContext, plan: Plan): Promise<Priced> {
  if (anyFailed(plan.checks) || plan.steps.length === 0) return { checks: [...plan.checks], gas: 0n, fee: 0n }
  const { chain, account } = context
  const simulated: Check[] = []
  let gas = 0n
  for (const step of plan.steps) {
    const result = await simulate(cli, context, step)
    simulated.push(result.check)
    gas += result.gas
  }
  const fee = gas * (await chain.feePerGas())
  const balance = await chain.etherOf(account)
  const funds =
    balance >= fee
      ? ok('gas', `${ether(balance)} for a fee of at most ${ether(fee)}`)
      : failed('gas', `${ether(balance)}, the fee may be ${ether(fee)}`, `send ETH to ${account}`)
  return { checks: [...plan.checks, ...simulated, funds], gas, fee }
}

/** What would stop the transaction for good; an endpoint that does not answer is no verdict on it. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CHAIN_REVERTED',
  'CHAIN_INSUFFICIENT_GAS_MONEY',
  'CHAIN_FEE_TOO_HIGH',
])

async function simulate(cli: Cli, context: ChainContext, step: Step): Promise<{ check: Check; gas: bigint }> {
  const name = `simulation: ${step.label}`
  if (step.assumedGas !== undefined) {
    return { check: skipped(name, 'not possible before the step above it'), gas: step.assumedGas }
  }
  try {
    const { gas } = await quote(cli, context, step.intent)
    return { check: ok(name, `passes with ${gas} gas`), gas }
  } catch (error) {
    if (!isPostriderError(error) || !REFUSALS.has(error.code)) throw error
    return { check: failed(name, error.message, error.fix), gas: 0n }
  }
}

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
      const receipt = await wallet.send(step.intent)
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

function planText({ style }: Cli, plan: Plan, { checks, gas, fee }: Priced): string {
  const list = section(style, 'Checks', renderChecks(style, checks))
  if (anyFailed(checks)) return list
  if (plan.steps.length === 0) return sections(list, 'Nothing to do.')
  return sections(
    list,
    section(style, 'Fee', `at most ${ether(fee)} for about ${gas} gas in ${plan.steps.length} transactions`),
    section(style, 'Effect', plan.effects.map((effect) => `- ${effect}`).join('\n')),
  )
}

function dryRunOutcome(cli: Cli, plan: Plan, priced: Priced, refused: boolean): Outcome {
  const { checks, gas, fee } = priced
  return {
    data: {
      action: plan.action,
      dryRun: true,
      wouldSend: !refused && plan.steps.length > 0,
      checks,
      steps: plan.steps.map(({ label, intent }) => ({ label, to: intent.to, call: intent.kind })),
      gas: gas.toString(),
      fee: etherJson(fee),
      effects: plan.effects,
      ...plan.details,
    },
    text: sections(planText(cli, plan, priced), cli.style.dim('dry run: nothing was sent')),
    exitCode: refused ? EXIT_CODES.refused.code : EXIT_CODES.ok.code,
  }
}

function nothingToDo(cli: Cli, plan: Plan): Outcome {
  return {
    data: { action: plan.action, done: false, effects: plan.effects, ...plan.details },
    text: planText(cli, plan, { checks: [...plan.checks], gas: 0n, fee: 0n }),
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
