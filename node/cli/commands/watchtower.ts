import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { counted } from '../../operator/text.ts'
import { addCommand, option, passwordFileOption, type Tree } from '../command.ts'
import { keystorePassword } from '../session.ts'
import { abortOnSignals } from './run.ts'

type Options = { claims: string; interval: number; grace: number; all?: boolean; passwordFile?: string }

/** Half a day: a thaw is never longer than one. */
const MAX_SECONDS = 43_200

export function registerWatchtower(tree: Tree, program: Command): void {
  addCommand<Options>(tree, program, {
    name: 'watchtower',
    summary: 'settle vouchers of a node that is down while a payer leaves',
    details:
      'Runs in a data folder of its own (postrider init), on another machine, with an account that has only gas. It ' +
      'reads the file that the node writes (redeem.claimsFile), or a copy that is kept fresh. When a payer asks to ' +
      'close a channel and the node has not settled within the grace time, or half of the time that is left, it ' +
      "hands in the newest voucher. Anyone may do so: the contract pays the node's payout address only.",
    options: [
      option('--claims <file>', 'file with the newest vouchers').makeOptionMandatory(),
      option('--interval <seconds>', 'time between two looks').argParser(seconds).default(15),
      option('--grace <seconds>', 'time the node has to settle by itself').argParser(seconds).default(600),
      option('--all', 'settle open channels too, at once: for a node that will not come back'),
      passwordFileOption(),
    ],
    run: async (cli, _args, { claims, interval, grace, all = false, passwordFile }) => {
      const config = await cli.loadConfig()
      const password = await keystorePassword(cli, config, passwordFile)
      const { runWatchtower } = await import('../../watchtower.ts')
      using stopping = abortOnSignals()
      const start = { password, claimsFile: claims, intervalSeconds: interval, graceSeconds: grace, all }
      await runWatchtower(config, { ...start, signal: stopping.signal }, (guarded) =>
        cli.say(
          `${cli.style.green('✓')} watching; ${counted(guarded, 'channel owes', 'channels owe')} something now`,
        ),
      )
      cli.say('stopped')
      return { data: { stopped: true }, text: '' }
    },
  })
}

function seconds(text: string): number {
  const value = Number.parseInt(text, 10)
  if (!/^\d+$/.test(text) || value > MAX_SECONDS) {
    throw new InvalidArgumentError(`whole seconds, at most ${MAX_SECONDS}`)
  }
  return value
}
