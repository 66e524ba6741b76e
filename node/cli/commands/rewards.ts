import type { Command } from 'commander'
import type { z } from 'zod'
import { redemption, rewards } from '../../api/schemas/payments.ts'
import { counted, ether, post, time } from '../../operator/text.ts'
import type { ApiClient } from '../api-client.ts'
import { type Cli, encodeForJson, type Outcome } from '../cli.ts'
import { addCommand, addGroup, option, type SendOptions, sendOptions, type Tree } from '../command.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { carryOutByNode, type NodeActionOptions, nodeActionOptions } from '../node-actions.ts'
import { fields, type Style, table } from '../render.ts'
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

  addCommand<NodeActionOptions & { force?: boolean }>(tree, group, {
    name: 'claim-all',
    summary: 'settle everything that is worth its gas, most valuable first',
    details:
      'The running node sends the transaction, because only it has the vouchers, and this command follows it to its ' +
      'end. What does not fit into one batch is named, to be claimed next.',
    options: [...nodeActionOptions(), option('--force', 'also what is not worth its gas')],
    run: async (cli, _args, { force = false, ...options }) =>
      claimAll(cli, await openApi(cli), { force, ...options }),
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

  addCommand<NodeActionOptions>(tree, group, {
    name: 'approve <id>',
    summary: 'let a proposed redemption go',
    options: nodeActionOptions(),
    run: async (cli, [id = ''], options) =>
      carryOutByNode(cli, await openApi(cli), { path: `${redemptionPath(id)}/approve` }, options),
  })

  addCommand<{ reason?: string }>(tree, group, {
    name: 'reject <id>',
    summary: 'drop a proposed redemption; its channels are proposed again later',
    options: [option('--reason <text>', 'why, for the record')],
    run: async (cli, [id = ''], { reason }) => {
      const api = await openApi(cli)
      const body = reason === undefined ? {} : { reason }
      const rejected = await api.post(`${redemptionPath(id)}/reject`, body, redemption)
      return { data: encodeForJson(redemption, rejected), text: redemptionText(cli.style, rejected) }
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

const redemptionPath = (id: string): string => `/v1/payments/redemptions/${encodeURIComponent(id)}`

async function claimAll(
  cli: Cli,
  api: ApiClient,
  { force, ...options }: NodeActionOptions & { force: boolean },
): Promise<Outcome> {
  cli.say(rewardsText(cli.style, await api.get('/v1/rewards', rewards)))
  const outcome = await carryOutByNode(cli, api, { path: '/v1/rewards/claim', body: { force } }, options)
  if (options.dryRun || options.wait === false || outcome.exitCode !== EXIT_CODES.ok.code) return outcome
  const { redeemable } = (await api.get('/v1/rewards', rewards)).total
  if (redeemable > 0n) cli.say(`${post(redeemable)} more can be claimed: run it again`)
  return outcome
}

function redemptionText(style: Style, shown: Redemption): string {
  const reason = shown.reason ? `${shown.reason.text} (${shown.reason.code})` : undefined
  return fields(style, [
    ['redemption', shown.id],
    ['state', shown.state],
    ['amount', `${post(shown.amount)} from ${counted(shown.channels.length, 'channel')}`],
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
