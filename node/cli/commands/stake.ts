import type { Command } from 'commander'
import { addCommand, addGroup, option, type SendOptions, sendOptions, type Tree } from '../command.ts'

// The chain's libraries load slowly; only a command that needs them waits for them.
const actions = () => import('../actions/stake.ts')

export function registerStakeCommands(tree: Tree, program: Command): void {
  const group = addGroup(
    program,
    'stake',
    "the node's stake: what lets clients trust it, and what it can lose",
  )

  addCommand(tree, group, {
    name: 'status',
    summary: 'what is staked, where it returns to, and when',
    isDefault: true,
    run: async (cli) => (await actions()).stakeStatus(cli),
  })

  addCommand<SendOptions & { withdrawal: string; endpoint?: string[] }>(tree, group, {
    name: 'register <amount>',
    summary: 'stake and register this node',
    details:
      'Amounts: 100POST, 1.5POST, 1500 (base units) or all. Stake only ever returns to the withdrawal address: use ' +
      'one whose key is not on this machine. Exactly the staked amount is approved, never more.',
    options: [
      option('--withdrawal <address>', 'cold address that the stake returns to').makeOptionMandatory(),
      option('--endpoint <multiaddr...>', 'where clients reach the node (default: announce, else listen)'),
      ...sendOptions(),
    ],
    run: async (cli, [amount = ''], options) => (await actions()).stakeRegister(cli, amount, options),
  })

  addCommand<SendOptions>(tree, group, {
    name: 'add <amount>',
    summary: 'add to the stake',
    options: sendOptions(),
    run: async (cli, [amount = ''], options) => (await actions()).stakeAdd(cli, amount, options),
  })

  addCommand<SendOptions>(tree, group, {
    name: 'update',
    summary: 'bring the registered endpoints, prices, services and peer id in line with config.json',
    options: sendOptions(),
    run: async (cli, _args, options) => (await actions()).stakeUpdate(cli, options),
  })

  addCommand<SendOptions>(tree, group, {
    name: 'exit',
    summary: 'announce that this node leaves; its stake is free after the unbonding time',
    options: sendOptions(),
    run: async (cli, _args, options) => (await actions()).stakeExit(cli, options),
  })

  addCommand<SendOptions>(tree, group, {
    name: 'withdraw',
    summary: 'pay the stake to the withdrawal address after the unbonding time',
    options: sendOptions(),
    run: async (cli, _args, options) => (await actions()).stakeWithdraw(cli, options),
  })
}
