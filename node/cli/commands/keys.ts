import { existsSync } from 'node:fs'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Command } from 'commander'
import { type Config, configPaths } from '../../core/config/index.ts'
import {
  decryptAccount,
  decryptRlnSecret,
  keystoreAddress,
  parseRlnKeystore,
  readKeyFile,
} from '../../core/keystore.ts'
import { anyFailed, type Check, failed, ok } from '../../operator/checks.ts'
import { counted } from '../../operator/text.ts'
import { renderChecks } from '../checks.ts'
import type { Cli, Outcome } from '../cli.ts'
import { addCommand, addGroup, passwordFileOption, type Tree } from '../command.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { fields } from '../render.ts'
import { keystorePassword } from '../session.ts'

export function registerKeysCommands(tree: Tree, program: Command): void {
  const group = addGroup(program, 'keys', "the node's keys; secrets are never printed")

  addCommand(tree, group, {
    name: 'show',
    summary: 'addresses, peer id and RLN commitment, read without the password',
    isDefault: true,
    run: async (cli) => show(cli, await cli.loadConfig()),
  })

  addCommand<{ passwordFile?: string }>(tree, group, {
    name: 'verify',
    summary: 'rehearse a recovery: open every key with the password and compare what it says',
    options: [passwordFileOption()],
    run: async (cli, _args, { passwordFile }) => {
      const config = await cli.loadConfig()
      return verify(cli, config, await keystorePassword(cli, config, passwordFile))
    },
  })
}

/** The public side of the node's keys. */
export async function readPublicKeys(config: Config) {
  const { keystoreFile, identityFile, rlnKeystoreFile } = configPaths(config)
  const rln = existsSync(rlnKeystoreFile) ? parseRlnKeystore(await readKeyFile(rlnKeystoreFile)) : undefined
  const address = keystoreAddress(await readKeyFile(keystoreFile))
  const { getAddress } = await import('viem') // loads slowly, and most commands show no address
  return {
    address: address === undefined ? null : getAddress(address),
    peerId: existsSync(identityFile) ? await peerIdOf(identityFile) : null,
    rln: rln ? { commitment: rln.commitment, limit: rln.limit, index: rln.index } : null,
  }
}

async function peerIdOf(identityFile: string): Promise<string> {
  const { loadIdentityKey } = await import('../../core/p2p/identity.ts')
  const { peerIdFromPrivateKey } = await import('@libp2p/peer-id')
  return peerIdFromPrivateKey(await loadIdentityKey(identityFile)).toString()
}

async function show({ style }: Cli, config: Config): Promise<Outcome> {
  const keys = await readPublicKeys(config)
  return {
    data: keys,
    text: fields(style, [
      ['account', keys.address ?? 'not said by the keystore'],
      ['peer id', keys.peerId ?? 'none: it is made at the first run'],
      ['RLN commitment', keys.rln ? keys.rln.commitment.toString() : 'none: postrider rln register'],
      ['RLN limit', keys.rln ? `${counted(keys.rln.limit, 'message')} an epoch` : undefined],
    ]),
  }
}

async function verify({ style }: Cli, config: Config, password: string): Promise<Outcome> {
  const { keystoreFile, identityFile, rlnKeystoreFile } = configPaths(config)
  const checks = [
    await attempt('account keystore', keystoreFile, async () => {
      const { address } = await decryptAccount(await readKeyFile(keystoreFile), password)
      return `opens, holds ${address}`
    }),
    await attempt('node identity', identityFile, async () => {
      await readKeyFile(identityFile)
      return `reads, is ${await peerIdOf(identityFile)}`
    }),
    ...(existsSync(rlnKeystoreFile)
      ? [await attempt('RLN keystore', rlnKeystoreFile, () => verifyRln(rlnKeystoreFile, password))]
      : []),
  ]
  return {
    data: { checks },
    text: renderChecks(style, checks),
    exitCode: anyFailed(checks) ? EXIT_CODES.keys.code : EXIT_CODES.ok.code,
  }
}

async function verifyRln(path: string, password: string): Promise<string> {
  const { identityFromSecret } = await import('@postrider/protocol/rln')
  const file = parseRlnKeystore(await readKeyFile(path))
  const { commitment } = identityFromSecret(await decryptRlnSecret(file, password))
  if (commitment !== file.commitment)
    throw new PostriderError('KEYS_FILE_INVALID', { detail: 'its secret belongs to another commitment' })
  return `opens, belongs to commitment ${commitment}`
}

async function attempt(name: string, path: string, open: () => Promise<string>): Promise<Check> {
  try {
    return ok(name, await open())
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return failed(name, message, isPostriderError(error) ? error.fix : `restore ${path} from the backup`)
  }
}
