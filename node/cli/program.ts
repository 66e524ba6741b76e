import { PostriderError } from '@postrider/protocol/errors'
import { Command, CommanderError } from 'commander'
import { printError } from './cli.ts'
import type { Tree } from './command.ts'
import { registerActionCommands } from './commands/action.ts'
import { registerChannelCommands } from './commands/channel.ts'
import { registerCompletion } from './commands/completion.ts'
import { registerConfigCommands } from './commands/config.ts'
import { registerDevnet } from './commands/devnet.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerInit } from './commands/init.ts'
import { registerKeysCommands } from './commands/keys.ts'
import { registerRewardsCommands } from './commands/rewards.ts'
import { registerRlnCommands } from './commands/rln.ts'
import { registerRun } from './commands/run.ts'
import { registerSlashCommands } from './commands/slash.ts'
import { registerStakeCommands } from './commands/stake.ts'
import { registerStatus } from './commands/status.ts'
import { registerWatchtower } from './commands/watchtower.ts'
import { registerWithdraw } from './commands/withdraw.ts'
import { EXIT_CODES, type ExitCode, exitCodeOf } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { VERSION } from './version.ts'

/** The whole tree of commands, in the order of a node's life. */
export function createProgram(tree: Tree): Command {
  const program = new Command('postrider')
    .description('Run a Postrider node: relay, store and serve messages, and get paid for it.')
    .version(VERSION, '-V, --version', 'print the version')
    .option('--data-dir <folder>', 'folder of the node (env POSTRIDER_DATA_DIR; default .postrider)')
    .option('--config <file>', 'configuration file (default config.json in the data folder)')
    .option('--api-url <url>', "address of the node's API, if it is not the configured one")
    .option('--json', 'print one JSON document on stdout, failures included', false)
    .option('-y, --yes', 'act without asking', false)
    .option('--no-input', 'never ask; fail where an answer would be needed')
    .option('--no-color', 'plain text (also env NO_COLOR)')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', `\n${exitCodeHelp()}`)
    .exitOverride()

  registerInit(tree, program)
  registerDoctor(tree, program)
  registerStakeCommands(tree, program)
  registerRlnCommands(tree, program)
  registerRun(tree, program)
  registerWatchtower(tree, program)
  registerStatus(tree, program)
  registerChannelCommands(tree, program)
  registerRewardsCommands(tree, program)
  registerActionCommands(tree, program)
  registerWithdraw(tree, program)
  registerSlashCommands(tree, program)
  registerKeysCommands(tree, program)
  registerConfigCommands(tree, program)
  registerDevnet(tree, program)
  registerCompletion(tree, program)
  return program
}

function exitCodeHelp(): string {
  const lines = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`)
  return `Exit codes:\n${lines.join('\n')}`
}

/** Runs one command line. Never throws; @returns the exit code */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const json = args.includes('--json')
  let exitCode: ExitCode = EXIT_CODES.ok.code
  const program = createProgram({
    io,
    finish: (code) => {
      exitCode = code
    },
  })
  configureOutput(program, io, json)
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) return printError({ io, options: { json } }, error)
    const usageCode = exitCodeOf(error)
    if (json && usageCode !== 0) {
      const detail = error.message.replace(/^error: /, '')
      printError({ io, options: { json } }, new PostriderError('CLI_USAGE', { detail }))
    }
    return usageCode
  }
}

/** Every command writes through `io`; with --json usage errors are printed as data instead. */
function configureOutput(command: Command, io: CliIo, json: boolean): void {
  command.configureOutput({
    writeOut: (text) => io.stdout.write(text),
    writeErr: (text) => {
      if (!json) io.stderr.write(text)
    },
  })
  for (const child of command.commands) configureOutput(child, io, json)
}
