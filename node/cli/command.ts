import { type Command, Option } from 'commander'
import { type Cli, createCli, type GlobalOptions, type Outcome, printError, printOutcome } from './cli.ts'
import type { ExitCode } from './exit-codes.ts'
import type { CliIo } from './io.ts'

/** One command. `name` holds the arguments too, as in `add <amount>`. */
export type CommandSpec<Options extends object> = {
  name: string
  summary: string
  /** More than the summary, for --help and the reference. */
  details?: string
  options?: readonly Option[]
  /** Runs when its group is called without a sub-command. */
  isDefault?: boolean
  run(cli: Cli, args: string[], options: Options): Promise<Outcome>
}

/** Where commands are hung up, and where their exit code goes. */
export type Tree = { io: CliIo; finish(code: ExitCode): void }

export const option = (flags: string, description: string): Option => new Option(flags, description)

/** Options of the commands that send transactions. */
export type SendOptions = { dryRun?: boolean; passwordFile?: string }

export const sendOptions = (): Option[] => [dryRunOption(), passwordFileOption()]

export const passwordFileOption = (): Option =>
  option('--password-file <file>', 'file with the password of the keystores')

export const kdfOption = (): Option =>
  option('--kdf <strength>', 'work to derive the key from the password; light is for development')
    .choices(['standard', 'light'])
    .default('standard')

export const dryRunOption = (): Option =>
  option('--dry-run', 'simulate: print checks, fee and effect, send nothing; needs no password')

/** A group of sub-commands. */
export function addGroup(parent: Command, name: string, summary: string): Command {
  return parent.command(name).summary(summary).description(summary)
}

export function addCommand<Options extends object>(
  tree: Tree,
  parent: Command,
  spec: CommandSpec<Options>,
): Command {
  const { name, summary, details, options = [], isDefault = false, run } = spec
  const command = parent.command(name, { isDefault }).summary(summary)
  command.description(details ? `${summary}\n\n${details}` : summary)
  for (const item of options) command.addOption(item)
  // Commander passes the arguments, then the options, then the command itself.
  command.action(async (...passed: unknown[]) => {
    const global = command.optsWithGlobals<GlobalOptions>()
    const cli = createCli(tree.io, global)
    try {
      tree.finish(printOutcome(cli, await run(cli, command.args, passed.at(-2) as Options)))
    } catch (error) {
      tree.finish(printError(cli, error))
    }
  })
  return command
}
