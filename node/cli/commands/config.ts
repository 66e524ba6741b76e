import type { Command } from 'commander'
import { configKeys, redactConfig } from '../../core/config/index.ts'
import { addCommand, addGroup, type Tree } from '../command.ts'
import { table } from '../render.ts'

export function registerConfigCommands(tree: Tree, program: Command): void {
  const group = addGroup(program, 'config', 'show the configuration')

  addCommand(tree, group, {
    name: 'print',
    summary: 'the configuration in force: file, environment and defaults, without secrets',
    isDefault: true,
    run: async (cli) => {
      const shown = redactConfig(await cli.loadConfig())
      return { data: shown, text: JSON.stringify(shown, null, 2) }
    },
  })

  addCommand(tree, group, {
    name: 'keys',
    summary: 'every setting with its environment variable and default',
    run: async ({ style }) => {
      const keys = configKeys.map(({ path, env, description, default: value }) => ({
        key: path.join('.'),
        env,
        default: typeof value === 'bigint' ? value.toString() : (value ?? null),
        description,
      }))
      const rows = keys.map((key) => [
        key.key,
        key.env,
        key.default === null ? '' : JSON.stringify(key.default),
        key.description,
      ])
      return { data: keys, text: table(style, ['key', 'variable', 'default', 'meaning'], rows) }
    },
  })
}
