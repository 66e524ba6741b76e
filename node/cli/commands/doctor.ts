import type { Command } from 'commander'
import { anyFailed } from '../../operator/checks.ts'
import { counted } from '../../operator/text.ts'
import { renderChecks } from '../checks.ts'
import type { Cli, Outcome } from '../cli.ts'
import { addCommand, type Tree } from '../command.ts'
import { EXIT_CODES } from '../exit-codes.ts'

export function registerDoctor(tree: Tree, program: Command): void {
  addCommand(tree, program, {
    name: 'doctor',
    summary: 'check everything a node needs; each failure names the command that mends it',
    details:
      'Looks at this program, the data folder, configuration, keys, ports, disk, chain, clock, funds, stake, RLN ' +
      'membership, proving keys and the running node. Changes nothing and asks nothing. Exit code 3 if a check failed.',
    run: doctor,
  })
}

async function doctor(cli: Cli): Promise<Outcome> {
  const { diagnose } = await import('../doctor/index.ts')
  const checks = await diagnose(cli)
  const healthy = !anyFailed(checks)
  const count = (state: string) => checks.filter((check) => check.state === state).length
  const summary = `${count('ok')} ok, ${counted(count('warning'), 'warning')}, ${count('failed')} failed, ${count('skipped')} skipped`
  return {
    data: { healthy, checks },
    text: `${renderChecks(cli.style, checks)}\n\n${summary}`,
    exitCode: healthy ? EXIT_CODES.ok.code : EXIT_CODES.refused.code,
  }
}
