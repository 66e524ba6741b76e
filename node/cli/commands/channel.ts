import type { Command } from 'commander'
import { channel } from '../../api/schemas/payments.ts'
import type { Channel } from '../../api/types.ts'
import { counted, post, time } from '../../operator/text.ts'
import { encodeForJson } from '../cli.ts'
import { addCommand, addGroup, option, type Tree } from '../command.ts'
import { fields, type Style, short, table } from '../render.ts'
import { openApi } from '../session.ts'

export function registerChannelCommands(tree: Tree, program: Command): void {
  const group = addGroup(program, 'channel', 'payment channels towards this node')

  addCommand<{ state?: string }>(tree, group, {
    name: 'list',
    summary: 'every channel with what it holds and what of it is not redeemed',
    isDefault: true,
    options: [option('--state <state>', 'only these').choices(['open', 'closing', 'closed'])],
    run: async (cli, _args, { state }) => {
      const api = await openApi(cli)
      const channels = await api.list(`/v1/channels${state ? `?state=${state}` : ''}`, channel)
      return {
        data: { channels: channels.map((entry) => encodeForJson(channel, entry)) },
        text: listText(cli.style, channels),
      }
    },
  })

  addCommand(tree, group, {
    name: 'show <id>',
    summary: 'one channel in full',
    run: async (cli, [id = '']) => {
      const api = await openApi(cli)
      const found = await api.get(`/v1/channels/${encodeURIComponent(id)}`, channel)
      return { data: encodeForJson(channel, found), text: channelText(cli.style, found) }
    },
  })
}

function listText(style: Style, channels: readonly Channel[]): string {
  if (channels.length === 0) return 'No channels yet: clients open them when they first pay this node.'
  const rows = channels.map(({ id, state, payer, deposit, paid, unredeemed, redeemable, held }) => [
    short(id),
    state,
    short(payer),
    post(deposit),
    post(paid),
    post(unredeemed),
    redeemable ? 'yes' : (held?.text ?? 'nothing left'),
  ])
  return table(style, ['channel', 'state', 'payer', '>deposit', '>paid', '>not redeemed', 'redeemable'], rows)
}

function channelText(style: Style, shown: Channel): string {
  return fields(style, [
    ['channel', shown.id],
    ['state', shown.state],
    ['payer', shown.payer],
    ['signer', shown.signer],
    ['deposit', post(shown.deposit)],
    ['paid', `${post(shown.paid)} (${counted(shown.ticks, 'tick')} under the newest voucher)`],
    ['spent', post(shown.spent)],
    ['settled', post(shown.settled)],
    ['not redeemed', post(shown.unredeemed)],
    ['still available', post(shown.available)],
    ['redeemable', shown.redeemable ? 'yes' : `no: ${shown.held?.text ?? 'nothing left'}`],
    ['payer may withdraw', shown.withdrawableAt === null ? undefined : time(shown.withdrawableAt)],
    ['last paid', shown.lastPaidAt === null ? 'never' : time(shown.lastPaidAt)],
    ['as of block', shown.asOf ? `${shown.asOf.number}, ${time(shown.asOf.at)}` : 'unknown'],
  ])
}
