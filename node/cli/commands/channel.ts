import { PostriderError } from '@postrider/protocol/errors'
import type { Command } from 'commander'
import { channel } from '../../api/schemas/payments.ts'
import type { Channel } from '../../api/types.ts'
import { counted, post, time } from '../../operator/text.ts'
import type { ApiClient } from '../api-client.ts'
import { type Cli, encodeForJson, type Outcome } from '../cli.ts'
import { closeAll } from '../close-all.ts'
import { addCommand, addGroup, option, type Tree } from '../command.ts'
import { MIN_ID_CHARS } from '../constants.ts'
import { carryOutByNode, type NodeActionOptions, nodeActionOptions } from '../node-actions.ts'
import { fields, type Style, short, table } from '../render.ts'
import { openApi } from '../session.ts'

const ID_HELP = 'An id is 0x and 64 hex digits; its beginning, or what channel list shows of it, will do.'

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
    details: ID_HELP,
    run: async (cli, [id = '']) => {
      const api = await openApi(cli)
      const found = await api.get(`/v1/channels/${await channelIdOf(api, id)}`, channel)
      return { data: encodeForJson(channel, found), text: channelText(cli.style, found) }
    },
  })

  addCommand<NodeActionOptions>(tree, group, {
    name: 'settle <id>',
    summary: 'settle what this channel owes, whether or not it is worth its gas',
    details: `The running node sends the transaction. ${ID_HELP}`,
    options: nodeActionOptions(),
    run: (cli, [id = ''], options) => act(cli, id, 'settle', options),
  })

  addCommand<NodeActionOptions & { all?: boolean }>(tree, group, {
    name: 'close [id]',
    summary: 'settle what this channel owes and end it at once; the rest is free for the payer',
    details:
      'The running node sends the transaction. With --all it is every channel, for an operator who leaves: as many as ' +
      `fit into one transaction, then the next ones, each with its own question. ${ID_HELP}`,
    options: [...nodeActionOptions(), option('--all', 'every channel that has not ended, whatever it owes')],
    run: async (cli, [id], { all = false, ...options }) => {
      if (all === (id !== undefined)) {
        throw new PostriderError('CLI_USAGE', { detail: 'name a channel, or pass --all' })
      }
      return id === undefined ? closeAll(cli, await openApi(cli), options) : act(cli, id, 'close', options)
    },
  })
}

async function act(
  cli: Cli,
  id: string,
  what: 'settle' | 'close',
  options: NodeActionOptions,
): Promise<Outcome> {
  const api = await openApi(cli)
  return carryOutByNode(cli, api, { path: `/v1/channels/${await channelIdOf(api, id)}/${what}` }, options)
}

const WHOLE_ID = /^0x[0-9a-f]{64}$/
/** The beginning of an id, or its beginning and end as the list shows them. */
const PART_OF_ID = new RegExp(`^(0x[0-9a-f]{${MIN_ID_CHARS - 2},64})(?:…([0-9a-f]+))?$`)

/** @throws PostriderError `CLI_CHANNEL_ID_INVALID` unless it names one channel */
async function channelIdOf(api: ApiClient, text: string): Promise<string> {
  const id = text.toLowerCase()
  if (WHOLE_ID.test(id)) return id
  const [, start, end = ''] = PART_OF_ID.exec(id) ?? []
  if (start === undefined) {
    throw new PostriderError('CLI_CHANNEL_ID_INVALID', { detail: `'${text.slice(0, 80)}' is no id` })
  }
  const all = await api.list('/v1/channels', channel)
  const found = all.filter((one) => one.id.startsWith(start) && one.id.endsWith(end))
  const [only] = found
  if (only && found.length === 1) return only.id
  throw new PostriderError('CLI_CHANNEL_ID_INVALID', {
    detail: `${counted(found.length, 'channel has', 'channels have')} the id ${text}`,
  })
}

function listText(style: Style, channels: readonly Channel[]): string {
  if (channels.length === 0) return 'No channels yet: clients open them when they first pay this node.'
  const rows = channels.map(
    ({ id, state, payer, deposit, paid, unredeemed, withdrawableAt, redeemable, held }) => [
      short(id),
      withdrawableAt === null ? state : `${state} until ${time(withdrawableAt)}`,
      short(payer),
      post(deposit),
      post(paid),
      post(unredeemed),
      redeemable ? 'yes' : (held?.text ?? 'nothing left'),
    ],
  )
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
