import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PostriderError } from '@postrider/protocol/errors'
import type { Command } from 'commander'
import { addCommand, type Tree } from '../command.ts'
import type { ExitCode } from '../exit-codes.ts'

const DEVNET = fileURLToPath(new URL('../../../devnet/main.ts', import.meta.url))

export function registerDevnet(tree: Tree, program: Command): void {
  addCommand(tree, program, {
    name: 'devnet [options...]',
    summary: 'start a whole network on this machine: chain, contracts, nodes, clients',
    details:
      'Everything is on loopback and needs nothing but npm. It plays a story of honest and dishonest traffic, checks ' +
      'the outcome, and stays up until Ctrl-C. Options go to the devnet: --once stops after the story, --quiet plays ' +
      'none, --nodes N starts more, --dir FOLDER keeps its data there.',
    run: async ({ options }, passed) => {
      if (!existsSync(DEVNET)) {
        throw new PostriderError('CLI_FILE_UNREADABLE', {
          detail: 'the devnet comes with the source repository only',
        })
      }
      const args = options.json ? [...passed, '--json'] : passed
      return { data: undefined, text: '', exitCode: await runDevnet(args) }
    },
  }).allowUnknownOption()
}

/** Runs the devnet with this terminal; signals reach it, and its exit code becomes ours. */
function runDevnet(args: readonly string[]): Promise<ExitCode> {
  const child = spawn(process.execPath, [DEVNET, ...args], { stdio: 'inherit' })
  const forward = (signal: NodeJS.Signals) => child.kill(signal)
  // A terminal sends Ctrl-C to the child by itself; this process only has to outlive it.
  const onInterrupt = (signal: NodeJS.Signals) => {
    if (!process.stdin.isTTY) forward(signal)
  }
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', forward)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', forward)
      resolve((code ?? (signal === 'SIGINT' ? 130 : 1)) as ExitCode)
    })
  })
}
