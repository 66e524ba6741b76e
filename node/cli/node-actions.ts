import { PostriderError } from '@postrider/protocol/errors'
import { z } from 'zod'
import { action, actionPlan } from '../api/schemas/actions.ts'
import type { Action, ActionPlan } from '../api/types.ts'
import { anyFailed } from '../operator/checks.ts'
import { counted, ether } from '../operator/text.ts'
import type { ApiClient } from './api-client.ts'
import { type Cli, encodeForJson, type Outcome } from './cli.ts'
import { dryRunOption, option } from './command.ts'
import { ACTION_POLL_MS } from './constants.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { planText } from './plan.ts'
import { fields, sections } from './render.ts'

/** Options of the commands that the running node carries out. */
export type NodeActionOptions = { dryRun?: boolean; wait?: boolean }

export const nodeActionOptions = () => [
  dryRunOption(),
  option('--no-wait', 'return once the node has written it down, without waiting for its end'),
]

/** What the API answers to a command: an action once it is begun, the plan when nothing is sent. */
const answer = z.union([action, actionPlan])

/** Where the API shows an action. */
export const actionPath = (id: string): string => `/v1/actions/${encodeURIComponent(id)}`

/**
 * Lets the running node carry a command out: shows what it would do, asks, sends, and follows it to its end.
 *
 * @throws PostriderError `CLI_REFUSED` with the checks when one failed, `CLI_NOT_CONFIRMED`, or the node's own code
 */
export async function carryOutByNode(
  cli: Cli,
  api: ApiClient,
  { path, body = {} }: { path: string; body?: object },
  { dryRun = false, wait = true }: NodeActionOptions,
): Promise<Outcome> {
  const plan = await api.post(path, { ...body, dryRun: true }, actionPlan)
  if (dryRun) return planOutcome(cli, plan)
  refuseFailed(cli, plan)
  if (!plan.wouldSend) return planOutcome(cli, plan)
  cli.say(planText(cli, plan))
  await cli.confirm(`Send ${counted(plan.steps.length, 'transaction')}?`)
  const begun = await api.post(path, body, answer)
  if (!('id' in begun)) return planOutcome(cli, begun)
  if (!wait) return beginOutcome(cli, begun)
  return actionOutcome(cli, await follow(cli, api, begun))
}

/** Waits for the end of an action and tells every change. Ctrl-C ends the waiting, not the action. */
export async function follow(cli: Cli, api: ApiClient, begun: Action): Promise<Action> {
  let shown = begun
  cli.say(`action ${begun.id}; Ctrl-C stops the waiting, postrider action show ${begun.id} goes on with it`)
  for (let told = ''; ; ) {
    const now = progressOf(shown)
    if (now !== told) cli.say(now)
    told = now
    if (shown.state === 'done' || shown.state === 'failed') return shown
    await cli.io.clock.sleep(ACTION_POLL_MS)
    shown = await api.get(actionPath(begun.id), action)
  }
}

/** One line a transaction. */
function progressOf({ transactions }: Action): string {
  return transactions
    .map(({ label, state, hash, block }) => {
      const where = block === null ? (hash ?? '') : `${hash ?? ''} in block ${block}`
      return `  ${label}: ${state} ${where}`.trimEnd()
    })
    .join('\n')
}

function refuseFailed(cli: Cli, plan: ActionPlan): void {
  const { kind, checks } = plan
  if (!anyFailed(checks)) return
  cli.say(planText(cli, plan))
  const failures = checks.filter(({ state }) => state === 'failed')
  throw new PostriderError('CLI_REFUSED', {
    detail: failures.map(({ name, reason }) => `${name}: ${reason}`).join('; '),
    data: { action: kind, checks },
  })
}

/** A dry run, or nothing to do. */
function planOutcome(cli: Cli, plan: ActionPlan): Outcome {
  const why = plan.reason ? `${plan.reason.text} (${plan.reason.code})` : undefined
  const refused = anyFailed(plan.checks)
  return {
    data: encodeForJson(actionPlan, plan),
    text: sections(planText(cli, plan), why, cli.style.dim('nothing was sent')),
    exitCode: refused ? EXIT_CODES.refused.code : EXIT_CODES.ok.code,
  }
}

function beginOutcome(cli: Cli, begun: Action): Outcome {
  return {
    data: encodeForJson(action, begun),
    text: sections(actionText(cli, begun), `postrider action show ${begun.id}   # how far it is`),
  }
}

/** An action that failed is not a success of the command. */
export function actionOutcome(cli: Cli, shown: Action): Outcome {
  const exitCode = shown.state === 'failed' ? EXIT_CODES.chain.code : EXIT_CODES.ok.code
  return { data: encodeForJson(action, shown), text: actionText(cli, shown), exitCode }
}

export function actionText({ style }: Pick<Cli, 'style'>, shown: Action): string {
  const { id, kind, state, effects, transactions, reason } = shown
  const paint = { accepted: style.yellow, sent: style.yellow, done: style.green, failed: style.red }[state]
  const fees = transactions.flatMap(({ fee }) => fee ?? [])
  return fields(style, [
    ['action', id],
    ['what', kind],
    ['state', paint(state)],
    ...transactions.map(({ label, state: word, hash }): [string, string] => [
      'transaction',
      `${label}: ${word}${hash === null ? '' : ` ${hash}`}`,
    ]),
    ['fee', fees.length > 0 ? ether(fees.reduce((sum, fee) => sum + fee, 0n)) : undefined],
    ...effects.map((effect): [string, string] => ['effect', effect]),
    ['reason', reason ? `${reason.text} (${reason.code})` : undefined],
  ])
}
