import { existsSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { isPostriderError } from '@postrider/protocol/errors'
import { tokenFilePath } from '../../api/tokens.ts'
import { type Config, configPaths } from '../../core/config/index.ts'
import { isReadableByOthers } from '../../core/files.ts'
import { decryptAccount, readKeyFile, readPasswordFile } from '../../core/keystore.ts'
import { type Check, failed, ok, skipped, warning } from '../../operator/checks.ts'
import { type Cli, PASSWORD_FILE_VARIABLE } from '../cli.ts'
import { readPublicKeys } from '../commands/keys.ts'
import { MIN_FREE_BYTES, MIN_NODE_MAJOR, WARN_FREE_BYTES } from '../constants.ts'

/** Whether this Node.js runs the program as it is meant to be run. */
export function nodeVersionCheck(version: string): Check {
  const name = 'Node.js'
  if (Number.parseInt(version, 10) >= MIN_NODE_MAJOR) return ok(name, version)
  return failed(name, `${version} is too old`, `install Node.js ${MIN_NODE_MAJOR} or newer`)
}

export async function folderCheck({ dataDir }: Config): Promise<Check> {
  const name = 'data folder'
  const mode = (await stat(dataDir)).mode & 0o777
  if (process.platform === 'win32' || (mode & 0o077) === 0) return ok(name, dataDir)
  return warning(name, `others can enter it (mode ${mode.toString(8)})`, `chmod 700 ${dataDir}`)
}

/** The key files: there, private, readable; the password is tried if a file holds it, and never asked for. */
export async function keyChecks(cli: Cli, config: Config): Promise<Check[]> {
  const { keystoreFile, identityFile, rlnKeystoreFile } = configPaths(config)
  try {
    const keys = await readPublicKeys(config)
    const rln = keys.rln
      ? ok('RLN keystore', `limit ${keys.rln.limit}`)
      : skipped('RLN keystore', 'none; see RLN membership')
    const identity = keys.peerId
      ? await privateFile('node identity', identityFile, keys.peerId)
      : warning('node identity', 'none yet', 'postrider run makes one; staking needs it')
    return [
      ok('account keystore', keys.address ?? keystoreFile),
      await passwordCheck(cli, config, keystoreFile),
      identity,
      existsSync(rlnKeystoreFile) ? await privateFile('RLN keystore', rlnKeystoreFile, rln.reason) : rln,
      await privateFile('API tokens', tokenFilePath(config.dataDir), 'private'),
    ]
  } catch (error) {
    if (!isPostriderError(error)) throw error
    return [failed('keys', error.message, error.fix)]
  }
}

async function privateFile(name: string, path: string, reason: string): Promise<Check> {
  if (!existsSync(path)) return skipped(name, 'not there yet; the first run makes it')
  if (await isReadableByOthers(path)) return failed(name, 'others can read it', `chmod 600 ${path}`)
  return ok(name, reason)
}

async function passwordCheck(cli: Cli, config: Config, keystoreFile: string): Promise<Check> {
  const name = 'password'
  const file = cli.io.env[PASSWORD_FILE_VARIABLE] ?? config.keystore.passwordFile
  if (file === undefined) {
    return warning(name, 'no file holds it: the node asks at its start', 'postrider keys verify tries it')
  }
  try {
    await decryptAccount(await readKeyFile(keystoreFile), await readPasswordFile(file))
  } catch (error) {
    if (!isPostriderError(error)) throw error
    return failed(name, error.message, error.fix)
  }
  if (await isReadableByOthers(file))
    return warning(name, 'opens the keystore; others can read its file', `chmod 600 ${file}`)
  return ok(name, 'opens the keystore')
}

export async function diskCheck({ dataDir, store }: Config): Promise<Check> {
  const name = 'disk'
  const { bavail, bsize } = await statfs(dataDir)
  const free = bavail * bsize
  const shown = `${(free / 1e9).toFixed(1)} GB free`
  if (free < MIN_FREE_BYTES)
    return failed(name, shown, 'free some space: the node stops taking payments when full')
  if (free < Math.min(WARN_FREE_BYTES, store.maxBytes)) {
    return warning(
      name,
      `${shown}, less than the archive may take`,
      'free some space, or lower store.maxBytes',
    )
  }
  return ok(name, shown)
}

/** Whether the ports are free, unless the node that runs holds them. */
export async function portChecks(config: Config, isRunning: boolean): Promise<Check[]> {
  if (isRunning) return [ok('ports', 'held by the running node')]
  const wanted = [
    ...config.listen.flatMap((multiaddr) => {
      const [, host, port] = /^\/ip[46]\/([^/]+)\/tcp\/(\d+)/.exec(multiaddr) ?? []
      return host === undefined ? [] : [{ name: `port of ${multiaddr}`, host, port: Number(port) }]
    }),
    ...(config.api.enabled ? [{ name: 'API port', host: config.api.host, port: config.api.port }] : []),
  ]
  return Promise.all(wanted.map(portCheck))
}

async function portCheck({ name, host, port }: { name: string; host: string; port: number }): Promise<Check> {
  if (port === 0) return ok(name, 'any free one')
  const problem = await listenProblem(host, port)
  if (problem === undefined) return ok(name, `${host}:${port} is free`)
  return failed(name, `${host}:${port}: ${problem}`, 'stop what uses it, or set another in config.json')
}

function listenProblem(host: string, port: number): Promise<string | undefined> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}
