import type { Command } from 'commander'
import type { Cli, Outcome } from '../cli.ts'
import { addCommand, passwordFileOption, type Tree } from '../command.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { keystorePassword, noteRunning } from '../session.ts'

export function registerRun(tree: Tree, program: Command): void {
  addCommand<{ passwordFile?: string }>(tree, program, {
    name: 'run',
    summary: 'run the node until it is stopped',
    details:
      'Logs go to stderr, one JSON object a line. Ctrl-C or SIGTERM stops it in order; a second Ctrl-C at once. ' +
      'The password of the keystores is asked for if no file holds it.',
    options: [passwordFileOption()],
    run: async (cli, _args, { passwordFile }) => run(cli, passwordFile),
  })
}

async function run(cli: Cli, passwordFile: string | undefined): Promise<Outcome> {
  const config = await cli.loadConfig()
  const password = await keystorePassword(cli, config, passwordFile)
  const { startNode } = await import('../../main.ts')
  using stopping = abortOnSignals()
  const node = await startNode(config, { signal: stopping.signal, password })
  const forget = node.apiUrl ? await noteRunning(config.dataDir, node.apiUrl) : undefined
  cli.say(`${cli.style.green('✓')} node ${node.peerId} runs${node.apiUrl ? `, API at ${node.apiUrl}` : ''}`)
  try {
    await node.stopped
  } finally {
    await forget?.()
  }
  cli.say('stopped')
  return { data: { stopped: true, peerId: node.peerId }, text: '' }
}

/** Aborts at the first SIGINT or SIGTERM; a second SIGINT ends the process at once. */
export function abortOnSignals(): { signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const stop = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted && signal === 'SIGINT') process.exit(EXIT_CODES.interrupted.code)
    controller.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
    },
  }
}
