import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { PostriderError } from '@postrider/protocol/errors'
import type { Command } from 'commander'
import { loadOrCreateTokens } from '../../api/tokens.ts'
import { type ConfigInput, configPaths, loadConfig } from '../../core/config/index.ts'
import { ensurePrivateDir, PRIVATE_FILE_MODE, writeFileAtomic } from '../../core/files.ts'
import {
  createKeyFile,
  decryptAccount,
  encryptAccount,
  type KeystoreStrength,
  readKeyFile,
  readPasswordFile,
} from '../../core/keystore.ts'
import { type Cli, type Outcome, PASSWORD_FILE_VARIABLE, readInputFile, readNetworkFile } from '../cli.ts'
import { addCommand, kdfOption, option, type Tree } from '../command.ts'
import { MIN_PASSWORD_CHARS } from '../constants.ts'
import { fields, sections } from '../render.ts'

type InitOptions = {
  network?: string
  passwordFile?: string
  importKey?: string
  listen?: string[]
  announce?: string[]
  bootstrap?: string[]
  apiPort?: string
  services?: string
  kdf: KeystoreStrength
}

export function registerInit(tree: Tree, program: Command): void {
  addCommand<InitOptions>(tree, program, {
    name: 'init',
    summary: 'create the keys, the configuration and the data folder of a new node',
    details:
      'Writes keystore.json (a Web3 version 3 keystore), identity.key (libp2p), api-tokens.json, network.json and ' +
      'config.json, readable by their owner only. Nothing that exists is overwritten; an init that was interrupted ' +
      'goes on where it stopped. The password comes from --password-file, from the file that ' +
      'POSTRIDER_PASSWORD_FILE names, or from a question; never from the command line.',
    options: [
      option('--network <file>', 'network file of the deployment; copied into the data folder'),
      option('--password-file <file>', 'file with the password of the keystore; remembered in config.json'),
      option('--import-key <file>', 'use the private key in this file (hex) instead of a new one'),
      option('--listen <multiaddr...>', 'where to listen for peers'),
      option('--announce <multiaddr...>', 'what to tell others to dial'),
      option('--bootstrap <multiaddr...>', "peers to connect to, besides the network file's"),
      option('--api-port <port>', 'port of the HTTP API on loopback; 0 takes a free one'),
      option('--services <list>', 'of relay, store, filter, lightpush; separated by commas (default all)'),
      kdfOption(),
    ],
    run: (cli, _args, options) => init(cli, options),
  })
}

async function init(cli: Cli, options: InitOptions): Promise<Outcome> {
  const { dataDir, configFile } = cli
  if (existsSync(configFile)) {
    throw new PostriderError('CLI_ALREADY_INITIALIZED', { detail: configFile, data: { file: configFile } })
  }
  const networkText = await networkFileText(cli, options.network)
  const settings = configSettings(cli, options)
  // Everything that can be wrong is found before the first file is written.
  const config = await loadConfig({ overrides: { ...settings, dataDir }, workingDir: dataDir })
  const { keystoreFile, identityFile } = configPaths(config)
  const imported = options.importKey === undefined ? undefined : await readPrivateKey(cli, options.importKey)

  const password = await newPassword(cli, options.passwordFile)
  await ensurePrivateDir(dataDir)
  const address = await accountKeystore(cli, keystoreFile, { password, imported, strength: options.kdf })
  const peerId = await nodeIdentity(cli, identityFile)
  await loadOrCreateTokens(dataDir, cli.io.random)
  if (networkText !== undefined)
    await writeFileAtomic(join(dataDir, 'network.json'), networkText, PRIVATE_FILE_MODE)
  await writeFileAtomic(configFile, `${JSON.stringify(settings, null, 2)}\n`, PRIVATE_FILE_MODE)

  const next = [
    `back up ${[keystoreFile, identityFile].map((path) => basename(path)).join(', ')} and the password`,
    `send ETH for gas and POST for the stake to ${address}`,
    'postrider stake register <amount> --withdrawal <cold address>',
    ...(config.services.lightpush ? ['postrider rln register <messages per epoch>'] : []),
    'postrider doctor',
    'postrider run',
  ]
  const { style } = cli
  return {
    data: { dataDir, configFile, address, peerId, next },
    text: sections(
      `${style.green('✓')} node created in ${dataDir}`,
      fields(style, [
        ['account', address],
        ['peer id', peerId],
        ['config', configFile],
      ]),
      ['Next:', ...next.map((step, at) => `  ${at + 1}. ${step}`)].join('\n'),
    ),
  }
}

/** The network file to copy; undefined if the data folder has one already. */
async function networkFileText(cli: Cli, file: string | undefined): Promise<string | undefined> {
  const existing = join(cli.dataDir, 'network.json')
  if (file === undefined) {
    if (!existsSync(existing)) {
      throw new PostriderError('CLI_USAGE', { detail: '--network <file> is needed: the deployment wrote it' })
    }
    await readNetworkFile(existing)
    return undefined
  }
  const path = resolve(cli.io.workingDir, file)
  await readNetworkFile(path)
  return new TextDecoder().decode(await readInputFile(path))
}

/** What the options say, as it goes into config.json: only what differs from the defaults. */
function configSettings(cli: Cli, options: InitOptions): ConfigInput {
  const { workingDir, env } = cli.io
  const passwordFile = options.passwordFile ?? env[PASSWORD_FILE_VARIABLE]
  return {
    ...(options.listen ? { listen: options.listen } : {}),
    ...(options.announce ? { announce: options.announce } : {}),
    ...(options.bootstrap ? { bootstrap: options.bootstrap } : {}),
    ...(options.apiPort === undefined ? {} : { api: { port: Number(options.apiPort) } }),
    ...(options.services === undefined ? {} : { services: serviceSwitches(options.services) }),
    ...(passwordFile === undefined ? {} : { keystore: { passwordFile: resolve(workingDir, passwordFile) } }),
  }
}

const SERVICES = ['relay', 'store', 'filter', 'lightpush'] as const

function serviceSwitches(list: string): Record<(typeof SERVICES)[number], boolean> {
  const wanted = list.split(',').map((name) => name.trim())
  const unknown = wanted.find((name) => !SERVICES.some((service) => service === name))
  if (unknown !== undefined)
    throw new PostriderError('CLI_USAGE', { detail: `there is no service '${unknown}'` })
  const switches = SERVICES.map((service) => [service, wanted.includes(service)])
  return Object.fromEntries(switches) as ReturnType<typeof serviceSwitches>
}

async function readPrivateKey(cli: Cli, file: string): Promise<`0x${string}`> {
  const text = (await readKeyFile(resolve(cli.io.workingDir, file))).trim()
  const [, digits] = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(text) ?? []
  if (digits === undefined)
    throw new PostriderError('KEYS_FILE_INVALID', { detail: `${file} holds no private key` })
  return `0x${digits}`
}

async function newPassword(cli: Cli, passwordFile: string | undefined): Promise<string> {
  const file = passwordFile ?? cli.io.env[PASSWORD_FILE_VARIABLE]
  const password =
    file === undefined ? await askTwice(cli) : await readPasswordFile(resolve(cli.io.workingDir, file))
  if (password.length < MIN_PASSWORD_CHARS) throw new PostriderError('KEYS_PASSWORD_WEAK')
  return password
}

async function askTwice(cli: Cli): Promise<string> {
  if (!cli.canAsk()) throw new PostriderError('KEYS_PASSWORD_MISSING')
  const password = await cli.askHidden('Password for the new keystore: ')
  const repeated = await cli.askHidden('The same again: ')
  if (password !== repeated) throw new PostriderError('CLI_USAGE', { detail: 'the two passwords differ' })
  return password
}

/** Writes the keystore, or checks that the one of an interrupted init opens. @returns the address */
async function accountKeystore(
  cli: Cli,
  path: string,
  {
    password,
    imported,
    strength,
  }: { password: string; imported: `0x${string}` | undefined; strength: KeystoreStrength },
): Promise<string> {
  if (existsSync(path)) {
    if (imported !== undefined) throw new PostriderError('KEYS_FILE_EXISTS', { detail: path, data: { path } })
    cli.say('going on with the keystore that is there')
    return (await decryptAccount(await readKeyFile(path), password)).address
  }
  const privateKey = imported ?? (`0x${Buffer.from(cli.io.random.bytes(32)).toString('hex')}` as const)
  const json = await encryptAccount(privateKey, password, strength)
  // Read back before anything is sent to the address: a key that does not open is money lost.
  const { address } = await decryptAccount(json, password)
  await createKeyFile(path, `${json}\n`)
  return address
}

async function nodeIdentity(cli: Cli, path: string): Promise<string> {
  const { loadIdentityKey } = await import('../../core/p2p/identity.ts')
  const { peerIdFromPrivateKey } = await import('@libp2p/peer-id')
  return peerIdFromPrivateKey(await loadIdentityKey(path, cli.io.random)).toString()
}
