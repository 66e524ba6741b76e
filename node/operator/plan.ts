import { isPostriderError } from '@postrider/protocol/errors'
import type { ContractCall } from '../chain/contracts.ts'
import type { Quote } from '../chain/transaction-runner.ts'
import { anyFailed, type Check, failed, ok, skipped } from './checks.ts'
import { ether } from './text.ts'

/** One transaction of a plan. */
export type Step = {
  /** What it does, for people. */
  label: string
  call: ContractCall
  /** It cannot be simulated before the step above is mined; this much gas is assumed. */
  assumedGas?: bigint
}

/** An act on the chain before anything is sent: checked and explained. */
export type Plan = {
  /** For example `stake register`. */
  action: string
  checks: readonly Check[]
  steps: readonly Step[]
  /** What will be different afterwards, for people. */
  effects: readonly string[]
  /** The same for programs, as JSON. */
  details: Record<string, unknown>
}

/** A plan that was simulated: its checks have the simulations too; `fee` is the most that all steps may cost, wei. */
export type PricedPlan = Plan & { gas: bigint; fee: bigint }

/** What a price is made of. Each may throw a `CHAIN_*` error. */
export type Pricing = {
  account: string
  /** Throws `CHAIN_REVERTED` if the call would be refused. */
  quote(call: ContractCall): Promise<Pick<Quote, 'gas'>>
  /** Wei per unit of gas that a transaction would offer now. */
  feePerGas(): Promise<bigint>
  /** Wei that the account has. */
  balance(): Promise<bigint>
}

/** Whether there is something to send and nothing against it. */
export const isSendable = ({ checks, steps }: Pick<Plan, 'checks' | 'steps'>): boolean =>
  steps.length > 0 && !anyFailed(checks)

/**
 * Simulates and prices a plan. One that a check refuses, or that has nothing to send, costs nothing.
 *
 * @throws PostriderError `CHAIN_*` when the chain does not answer; a refusal of the chain is a failed check
 */
export async function pricePlan(plan: Plan, pricing: Pricing): Promise<PricedPlan> {
  if (!isSendable(plan)) return { ...plan, gas: 0n, fee: 0n }
  const simulated: Check[] = []
  let gas = 0n
  for (const step of plan.steps) {
    const result = await simulate(step, pricing)
    simulated.push(result.check)
    gas += result.gas
  }
  const fee = gas * (await pricing.feePerGas())
  const balance = await pricing.balance()
  const funds =
    balance >= fee
      ? ok('gas', `${ether(balance)} for a fee of at most ${ether(fee)}`)
      : failed('gas', `${ether(balance)}, the fee may be ${ether(fee)}`, `send ETH to ${pricing.account}`)
  return { ...plan, checks: [...plan.checks, ...simulated, funds], gas, fee }
}

/** What would stop the transaction for good; an endpoint that does not answer is no verdict on it. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CHAIN_REVERTED',
  'CHAIN_INSUFFICIENT_GAS_MONEY',
  'CHAIN_FEE_TOO_HIGH',
])

async function simulate(step: Step, { quote }: Pricing): Promise<{ check: Check; gas: bigint }> {
  const name = `simulation: ${step.label}`
  if (step.assumedGas !== undefined) {
    return { check: skipped(name, 'not possible before the step above it'), gas: step.assumedGas }
  }
  try {
    const { gas } = await quote(step.call)
    return { check: ok(name, `passes with ${gas} gas`), gas }
  } catch (error) {
    if (!isPostriderError(error) || !REFUSALS.has(error.code)) throw error
    return { check: failed(name, error.message, error.fix), gas: 0n }
  }
}
