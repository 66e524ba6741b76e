import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PostriderError } from '@postrider/protocol/errors'
import { z } from 'zod'
import { readTokenSecret, tokenFilePath } from '../api/tokens.ts'
import type { Config } from '../core/config/index.ts'
import { writeFileAtomic } from '../core/files.ts'
import { readPasswordFile } from '../core/keystore.ts'
import { type ApiClient, createApiClient } from './api-client.ts'
import { type Cli, PASSWORD_FILE_VARIABLE } from './cli.ts'

/** Where a running node says how to reach its API: the configured port may be 0, which means any. */
const runningFile = (dataDir: string): string => join(dataDir, 'running.json')

const running = z.object({ apiUrl: z.url(), pid: z.int().positive() })

/** Notes the address of a node that has just started. @returns takes the note back */
export async function noteRunning(dataDir: string, apiUrl: string): Promise<() => Promise<void>> {
  const file = runningFile(dataDir)
  const note: z.output<typeof running> = { apiUrl, pid: process.pid }
  await writeFileAtomic(file, `${JSON.stringify(note)}\n`)
  return () => rm(file, { force: true })
}

/**
 * The API of the node in this data folder.
 *
 * @throws PostriderError `CLI_NODE_UNREACHABLE` if no node has run there, `KEYS_*`, `API_TOKEN_FILE_INVALID`
 */
export async function openApi(cli: Cli): Promise<ApiClient> {
  const config = await cli.loadConfig()
  const token = await readTokenSecret(config.dataDir, 'operate', cli.io.clock.nowMs())
  if (token === undefined) {
    throw new PostriderError('API_UNAUTHORIZED', { detail: `no token in ${tokenFilePath(config.dataDir)}` })
  }
  return createApiClient({ url: cli.options.apiUrl ?? apiUrl(config), token })
}

function apiUrl({ dataDir, api }: Config): string {
  const noted = readRunning(dataDir)
  if (noted !== undefined) return noted
  if (api.port === 0) {
    throw new PostriderError('CLI_NODE_UNREACHABLE', { detail: 'no node runs in this data folder' })
  }
  return `http://${api.host.includes(':') ? `[${api.host}]` : api.host}:${api.port}`
}

/** The note of a process that still lives: another program may have the port of a dead one, and gets no token. */
function readRunning(dataDir: string): string | undefined {
  try {
    const { apiUrl: url, pid } = running.parse(JSON.parse(readFileSync(runningFile(dataDir), 'utf8')))
    process.kill(pid, 0)
    return url
  } catch {
    return undefined
  }
}

/**
 * The password of the keystores: from --password-file, POSTRIDER_PASSWORD_FILE or the configuration, else asked.
 *
 * @throws PostriderError `KEYS_PASSWORD_MISSING`, `CORE_FILE_READ_FAILED`
 */
export async function keystorePassword(cli: Cli, config: Config, passwordFile?: string): Promise<string> {
  const file = passwordFile ?? cli.io.env[PASSWORD_FILE_VARIABLE] ?? config.keystore.passwordFile
  if (file !== undefined) return readPasswordFile(file)
  if (!cli.canAsk()) throw new PostriderError('KEYS_PASSWORD_MISSING')
  return cli.askHidden('Password of the keystore: ')
}
