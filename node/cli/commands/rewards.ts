import type { Command } from 'commander'
import type { z } from 'zod'
import { redemption, rewards } from '../../api/schemas/payments.ts'
import { ether, post, time } from '../../operator/text.ts'
import type { ApiClient } from '../api-client.ts'
import { type Cli, encodeForJson, type Outcome } from '../cli.ts'
import {
  addCommand,
  addGroup,
  dryRunOption,
  option,
  type SendOptions,
  sendOptions,
  type Tree,
} from '../command.ts'
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts'
import { fields, type Style, sections, table } from '../render.ts'
import { openApi } from '../session.ts'
import { rewardsText } from './status.ts'

type Redemption = z.output<typeof redemption>

export function registerRewardsCommands(tree: Tree, program: Command): void {
  const group = addGroup(program, 'rewards', 'what the node has earned, and bringing it to the chain')

  addCommand(tree, group, {
    name: 'list',
    summary: 'earned, claimed, pending and claimable now, by source; what is held back and why',
    isDefault: true,
    run: async (cli) => {
      const answer = await (await openApi(cli)).get('/v1/rewards', rewards)
      return { data: encodeForJson(rewards, answer), text: rewardsText(cli.style, answer) }
    },
  })

  addCommand<{ dryRun?: boolean; force?: boolean }>(tree, group, {
    name: 'claim-all',
    summary: 'settle everything that is worth its gas, in one batch',
    details: 'The running node sends the transaction, because only it has the vouchers.',
    options: [dryRunOption(), option('--force', 'also what is not worth its gas')],
    run: async (cli, _args, { dryRun = false, force = false }) =>
      claimAll(cli, await openApi(cli), { dryRun, force }),
  })

  addCommand(tree, group, {
    name: 'queue',
    summary: 'redemptions: proposed ones wait for approval in mode oversight',
    run: async (cli) => {
      const list = await (await openApi(cli)).list('/v1/payments/redemptions', redemption)
      return {
        data: { redemptions: list.map((entry) => encodeForJson(redemption, entry)) },
        text: queueText(cli.style, list),
      }
    },
  })

  addCommand(tree, group, {
    name: 'approve <id>',
    summary: 'let a proposed redemption go',
    run: async (cli, [id = '']) => {
      const api = await openApi(cli)
      await cli.confirm(`Send redemption ${id}?`)
      const path = `/v1/payments/redemptions/${encodeURIComponent(id)}/approve`
      return redemptionOutcome(cli, await api.post(path, {}, redemption))
    },
  })

  addCommand<{ reason?: string }>(tree, group, {
    name: 'reject <id>',
    summary: 'drop a proposed redemption; its channels are proposed again later',
    options: [option('--reason <text>', 'why, for the record')],
    run: async (cli, [id = ''], { reason }) => {
      const path = `/v1/payments/redemptions/${encodeURIComponent(id)}/reject`
      const api = await openApi(cli)
      return redemptionOutcome(cli, await api.post(path, reason === undefined ? {} : { reason }, redemption))
    },
  })

  addCommand<SendOptions>(tree, group, {
    name: 'payout [address]',
    summary: 'show where settlements are paid, or set a cold address for them',
    details: 'Once set, only that address can change it: a stolen hot key cannot redirect earnings.',
    options: sendOptions(),
    run: async (cli, [address], options) =>
      (await import('../actions/payout.ts')).payout(cli, address, options),
  })
}

async function claimAll(
  cli: Cli,
  api: ApiClient,
  request: { dryRun: boolean; force: boolean },
): Promise<Outcome> {
  cli.say(rewardsText(cli.style, await api.get('/v1/rewards', rewards)))
  const simulated = await api.post('/v1/payments/redeem', { ...request, dryRun: true }, redemption)
  if (request.dryRun || simulated.state === 'nothing-to-do') return redemptionOutcome(cli, simulated)
  const fee = simulated.fee === null ? 'an unknown fee' : `about ${ether(simulated.fee)} of gas`
  await cli.confirm(`Settle ${post(simulated.amount)} from ${simulated.channels.length} channels for ${fee}?`)
  return redemptionOutcome(cli, await api.post('/v1/payments/redeem', request, redemption))
}

/** A redemption that failed is not a success of the command. */
function redemptionOutcome({ style }: Cli, shown: Redemption): Outcome {
  const exitCode: ExitCode = shown.state === 'failed' ? EXIT_CODES.chain.code : EXIT_CODES.ok.code
  return { data: encodeForJson(redemption, shown), text: redemptionText(style, shown), exitCode }
}

function redemptionText(style: Style, shown: Redemption): string {
  const reason = shown.reason ? `${shown.reason.text} (${shown.reason.code})` : undefined
  if (shown.state === 'nothing-to-do') return sections('Nothing to claim.', reason)
  return fields(style, [
    ['redemption', shown.id],
    ['state', shown.state],
    ['amount', `${post(shown.amount)} from ${shown.channels.length} channels`],
    ['fee', shown.fee === null ? 'unknown' : ether(shown.fee)],
    ['transaction', shown.transaction ?? undefined],
    ['reason', reason],
  ])
}

function queueText(style: Style, list: readonly Redemption[]): string {
  if (list.length === 0) return 'No redemptions yet.'
  const rows = list.map(({ id, state, createdAt, amount, channels, fee }) => [
    id,
    state,
    time(createdAt),
    post(amount),
    String(channels.length),
    fee === null ? 'unknown' : ether(fee),
  ])
  return table(style, ['id', 'state', 'since', '>amount', '>channels', '>fee'], rows)
}
