import type { Command } from 'commander'
import { action } from '../../api/schemas/actions.ts'
import type { Action } from '../../api/types.ts'
import { time } from '../../operator/text.ts'
import { encodeForJson } from '../cli.ts'
import { addCommand, addGroup, option, type Tree } from '../command.ts'
import { actionOutcome, actionPath, follow } from '../node-actions.ts'
import { type Style, table } from '../render.ts'
import { openApi } from '../session.ts'

export function registerActionCommands(tree: Tree, program: Command): void {
  const group = addGroup(
    program,
    'action',
    'what the running node was told to do on chain, and how far it is',
  )

  addCommand(tree, group, {
    name: 'list',
    summary: 'every action, newest first',
    isDefault: true,
    run: async (cli) => {
      const actions = await (await openApi(cli)).list('/v1/actions', action)
      return {
        data: { actions: actions.map((entry) => encodeForJson(action, entry)) },
        text: listText(cli.style, actions),
      }
    },
  })

  addCommand<{ wait?: boolean }>(tree, group, {
    name: 'show <id>',
    summary: 'one action; waits for its end',
    options: [option('--no-wait', 'show it as it is now')],
    run: async (cli, [id = ''], { wait = true }) => {
      const api = await openApi(cli)
      const shown = await api.get(actionPath(id), action)
      return actionOutcome(cli, wait ? await follow(cli, api, shown) : shown)
    },
  })
}

function listText(style: Style, actions: readonly Action[]): string {
  if (actions.length === 0) return 'The node was told nothing yet.'
  const rows = actions.map(({ id, kind, state, createdAt, reason }) => [
    id,
    kind,
    state,
    time(createdAt),
    reason?.text ?? '',
  ])
  return table(style, ['action', 'what', 'state', 'since', 'reason'], rows)
}
