import type { Command } from 'commander'
import type { KeystoreStrength } from '../../core/keystore.ts'
import { addCommand, addGroup, kdfOption, type SendOptions, sendOptions, type Tree } from '../command.ts'

// The chain's libraries load slowly; only a command that needs them waits for them.
const actions = () => import('../actions/rln.ts')

export function registerRlnCommands(tree: Tree, program: Command): void {
  const group = addGroup(
    program,
    'rln',
    "the node's own membership, with which it publishes for stock clients",
  )

  addCommand(tree, group, {
    name: 'status',
    summary: 'membership, limit, deposit, and what is left of this epoch',
    isDefault: true,
    run: async (cli) => (await actions()).rlnStatus(cli),
  })

  addCommand<SendOptions & { kdf: KeystoreStrength }>(tree, group, {
    name: 'register <limit>',
    summary: 'join with a new identity that may send so many messages an epoch',
    details:
      'The identity is written to rln.json, locked with the password of the keystore, before the deposit is paid: an ' +
      'interrupted registration goes on with it. Losing the file loses the deposit.',
    options: [...sendOptions(), kdfOption()],
    run: async (cli, [limit = ''], options) => (await actions()).rlnRegister(cli, limit, options),
  })

  addCommand<SendOptions>(tree, group, {
    name: 'leave',
    summary: 'leave the group; the deposit can be withdrawn after the freeze',
    options: sendOptions(),
    run: async (cli, _args, options) => (await actions()).rlnLeave(cli, options),
  })
}
