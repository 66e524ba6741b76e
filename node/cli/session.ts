import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PostriderError } from '@postrider/protocol/errors'
import { readTokenSecret, tokenFilePath } from '../api/tokens.ts'
import type { Config } from '../core/config/index.ts'
import { readPasswordFile } from '../core/keystore.ts'
import { type ApiClient, createApiClient } from './api-client.ts'
import { type Cli, PASSWORD_FILE_VARIABLE } from './cli.ts'

/** Where a running node writes the address of its API: the configured port may be 0, which means any. */
export const apiUrlFile = (dataDir: string): string => join(dataDir, 'api.url')

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
  const file = apiUrlFile(dataDir)
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  if (api.port === 0) {
    throw new PostriderError('CLI_NODE_UNREACHABLE', { detail: 'no node runs in this data folder' })
  }
  return `http://${api.host.includes(':') ? `[${api.host}]` : api.host}:${api.port}`
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
