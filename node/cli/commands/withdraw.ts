import type { Command } from 'commander'
import { addCommand, type SendOptions, sendOptions, type Tree } from '../command.ts'

export function registerWithdraw(tree: Tree, program: Command): void {
  addCommand<SendOptions>(tree, program, {
    name: 'withdraw',
    summary: 'withdraw everything that is free: unbonded stake, RLN deposit, refunds of channels',
    details:
      'Lists every source first, with what is not free yet and why. Earnings are no part of it: rewards claim-all ' +
      'settles them.',
    options: sendOptions(),
    run: async (cli, _args, options) => (await import('../actions/withdraw.ts')).withdrawAll(cli, options),
  })
}
