import { actionPlan } from '../api/schemas/actions.ts'
import type { ActionPlan } from '../api/types.ts'
import type { ApiClient } from './api-client.ts'
import type { Cli, Outcome } from './cli.ts'
import { ACTION_POLL_MS, MAX_END_POLLS } from './constants.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { carryOutByNode, type NodeActionOptions } from './node-actions.ts'

const PATH = '/v1/channels/close'

/**
 * Ends every channel that the node would end, one transaction after the other; the outcome is that of the last one.
 * A dry run, and `--no-wait`, are about the first one.
 *
 * @throws PostriderError as `carryOutByNode`
 */
export async function closeAll(cli: Cli, api: ApiClient, options: NodeActionOptions): Promise<Outcome> {
  const ended = new Set<string>()
  let plan = await planOf(api)
  for (;;) {
    const outcome = await carryOutByNode(cli, api, { path: PATH }, options)
    if (options.dryRun || options.wait === false || outcome.exitCode !== EXIT_CODES.ok.code) return outcome
    for (const { id } of plan.channels) ended.add(id)
    plan = await planAfter(cli, api, ended)
    for (const { state, reason } of plan.checks) if (state === 'warning') cli.say(`left out: ${reason}`)
    if (plan.channels.every(({ id }) => ended.has(id))) return outcome
  }
}

const planOf = (api: ApiClient): Promise<ActionPlan> => api.post(PATH, { dryRun: true }, actionPlan)

/** The next plan, once the node has seen the end of the channels of the ones before. */
async function planAfter(cli: Cli, api: ApiClient, ended: ReadonlySet<string>): Promise<ActionPlan> {
  for (let polls = 1; ; polls++) {
    const plan = await planOf(api)
    if (polls === MAX_END_POLLS || !plan.channels.some(({ id }) => ended.has(id))) return plan
    await cli.io.clock.sleep(ACTION_POLL_MS)
  }
}
