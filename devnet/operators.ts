// An operator as a person would be one: every step goes through the `postrider` command, in a data folder of its own.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import type { Devchain } from './chain.ts'
import { type Child, freePort, type Processes, waitForLine } from './processes.ts'
import { POST, type Treasury } from './treasury.ts'

const CLI = join('node', 'cli', 'main.ts')
const START_TIMEOUT_MS = 60_000
/** What each operator stakes, and what its own membership may send an epoch for stock clients. */
const STAKE = '1000POST'
const STAKE_TOKENS = 1_100n * POST
const OWN_MESSAGE_LIMIT = '50'

export type Operator = {
  readonly name: string
  readonly directory: string
  readonly account: Address
  /** Cold address: stake and, once set, earnings go there. Its key is not on the node's machine. */
  readonly withdrawal: Address
  readonly peerId: string
  readonly webSocket: string
  /** Runs a `postrider` command and returns its JSON. */
  command(args: string[]): Promise<Record<string, unknown>>
  /** A GET of the node's HTTP API. */
  get<T = Record<string, unknown>>(path: string): Promise<T>
  getText(path: string): Promise<string>
  start(): Promise<void>
  /** SIGKILL: what a power cut does. */
  kill(): Promise<void>
  stop(): Promise<void>
}

type Setup = { processes: Processes; devchain: Devchain; treasury: Treasury; directory: string; name: string }

/** Creates keys and configuration, funds, stakes and registers; the node is not started. */
export async function createOperator({
  processes,
  devchain,
  treasury,
  directory: base,
  name,
}: Setup): Promise<Operator> {
  const directory = join(base, name)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const passwordFile = join(directory, 'password')
  writeFileSync(passwordFile, `devnet ${name}`, { mode: 0o600 })
  const [tcp, ws] = [await freePort(), await freePort()]
  const env = environment(passwordFile)
  const command = async (args: string[]) => {
    const output = await processes.exec(
      [CLI, '--data-dir', directory, '--json', '--yes', '--no-input', ...args],
      { env },
    )
    return JSON.parse(output) as Record<string, unknown>
  }
  const listen = [`/ip4/127.0.0.1/tcp/${tcp}`, `/ip4/127.0.0.1/tcp/${ws}/ws`]
  const { address, peerId } = (await command([
    'init',
    ...['--network', devchain.networkFile, '--api-port', '0', '--kdf', 'light', '--listen', ...listen],
  ])) as { address: Address; peerId: string }
  await treasury.grant(address, STAKE_TOKENS)
  const withdrawal = privateKeyToAddress(generatePrivateKey())
  await command(['stake', 'register', STAKE, '--withdrawal', withdrawal])
  await command(['rln', 'register', OWN_MESSAGE_LIMIT, '--kdf', 'light'])

  let child: Child | undefined
  let api: { url: string; token: string } | undefined
  const getText = async (path: string) => {
    if (api === undefined) throw new TypeError(`${name} does not run`)
    const response = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${api.token}` } })
    const text = await response.text()
    if (!response.ok) throw new TypeError(`${name} answered ${response.status} to ${path}: ${text}`)
    return text
  }
  return {
    name,
    directory,
    account: address,
    withdrawal,
    peerId,
    webSocket: `${listen[1]}/p2p/${peerId}`,
    command,
    get: async <T>(path: string) => JSON.parse(await getText(path)) as T,
    getText,
    async start() {
      child = processes.start(name, [CLI, '--data-dir', directory, '--no-input', 'run'], { env })
      const [, url] = await waitForLine(child, /API at (http:\S+)/, START_TIMEOUT_MS)
      api = { url: url as string, token: readToken(directory) }
    },
    async kill() {
      child?.process.kill('SIGKILL')
      await child?.exited
    },
    stop: async () => {
      if (child !== undefined) await processes.stop(child)
    },
  }
}

/** Settings of a node on a local chain, over the defaults: quick polling, one confirmation, cash-out by hand. */
function environment(passwordFile: string): NodeJS.ProcessEnv {
  return {
    POSTRIDER_PASSWORD_FILE: passwordFile,
    POSTRIDER_CHAIN_POLL_MS: '200',
    POSTRIDER_CHAIN_CONFIRMATIONS: '1',
    POSTRIDER_REDEEM_MODE: 'manual',
    NO_COLOR: '1',
  }
}

/** The secret of the token that may act; only the node's owner can read the file. */
function readToken(directory: string): string {
  const file = JSON.parse(readFileSync(join(directory, 'api-tokens.json'), 'utf8')) as {
    tokens: { scopes: string[]; token: string }[]
  }
  const found = file.tokens.find(({ scopes }) => scopes.includes('operate'))
  if (found === undefined) throw new TypeError(`no token that may operate in ${directory}`)
  return found.token
}
