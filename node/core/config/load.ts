import { dirname, isAbsolute, join, resolve } from 'node:path'
import { PostriderError } from '@postrider/protocol/errors'
import { MAX_CONFIG_FILE_BYTES } from '../constants.ts'
import { readFileBounded } from '../files.ts'
import { ENV_PREFIX } from './constants.ts'
import { type ConfigKey, configKeys } from './keys.ts'
import { type Config, type ConfigInput, configSchema } from './schema.ts'

/** Folder of all state when neither file, environment nor caller names one; relative to the working folder. */
export const DEFAULT_DATA_DIR = '.postrider'

export type LoadConfigOptions = {
  /** JSON file; relative paths in it are relative to its folder, which is also its default `dataDir`. */
  file?: string
  /** Usually `process.env`. */
  env?: Readonly<Record<string, string | undefined>>
  /** Wins over file and environment: what the command line said. */
  overrides?: ConfigInput
  /** Names with our prefix that mean something to the caller and are not settings. */
  otherEnv?: readonly string[]
  /** Folder that relative paths of environment and overrides start from. */
  workingDir?: string
}

type Tree = { [name: string]: unknown }

/**
 * Reads, merges (defaults < file < environment < overrides), checks and freezes the configuration.
 *
 * @throws PostriderError `CONFIG_FILE_UNREADABLE`, or `CONFIG_INVALID` with every problem in `data.problems`
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<Config> {
  const workingDir = options.workingDir ?? process.cwd()
  const file = options.file === undefined ? undefined : resolve(workingDir, options.file)
  const layers = [
    { dataDir: file ? dirname(file) : join(workingDir, DEFAULT_DATA_DIR) },
    file ? absolutePaths(await readLayer(file), dirname(file)) : {},
    absolutePaths(envLayer(options.env ?? {}, options.otherEnv ?? []), workingDir),
    absolutePaths((options.overrides ?? {}) as Tree, workingDir),
  ]
  return parseConfig(layers.reduce<Tree>(merge, {}))
}

/**
 * Checks one complete object; paths in it must be absolute.
 *
 * @throws PostriderError `CONFIG_INVALID`
 */
export function parseConfig(input: unknown): Config {
  const result = configSchema.safeParse(input)
  if (result.success) return deepFreeze(result.data)
  throw invalid(result.error.issues.map(({ path, message }) => `${path.join('.') || '(top)'}: ${message}`))
}

/** Where the parts of the node find a file that the configuration may leave to its default. */
export function configPaths(config: Config) {
  return {
    networkFile: config.networkFile ?? join(config.dataDir, 'network.json'),
    keystoreFile: config.keystore.file ?? join(config.dataDir, 'keystore.json'),
    rlnKeystoreFile: config.rln.keystoreFile ?? join(config.dataDir, 'rln.json'),
    identityFile: join(config.dataDir, 'identity.key'),
    databaseFile: join(config.dataDir, 'node.db'),
    membersFile: join(config.dataDir, 'members.tree'),
    archiveFile: join(config.dataDir, 'archive.db'),
    relayDir: join(config.dataDir, 'relay'),
  }
}

/** The configuration as plain JSON values that may be shown: RPC endpoints lose path, query and credentials. */
export function redactConfig(config: Config): Tree {
  const shown = plain(config) as Tree
  for (const { path, kind } of configKeys) {
    if (kind !== 'rpc-urls') continue
    const urls = valueAt(config, path)
    if (Array.isArray(urls)) setAt(shown, path, urls.map(redactUrl))
  }
  return shown
}

/** Scheme and host of an endpoint; providers put their keys into the path, the query or the user name. */
export function redactUrl(url: string): string {
  const parsed = URL.parse(url)
  if (!parsed) return '[no URL]'
  const { protocol, host, pathname, search, username } = parsed
  const hidden = pathname.length > 1 || search !== '' || username !== ''
  return `${protocol}//${host}${hidden ? '/[redacted]' : ''}`
}

async function readLayer(file: string): Promise<Tree> {
  const bytes = await readFileBounded(file, MAX_CONFIG_FILE_BYTES)
  if (!bytes)
    throw new PostriderError('CONFIG_FILE_UNREADABLE', { detail: `${file} does not exist`, data: { file } })
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isTree(value)) return value
  } catch (cause) {
    throw new PostriderError('CONFIG_FILE_UNREADABLE', {
      detail: `${file} is not JSON`,
      data: { file },
      cause,
    })
  }
  throw new PostriderError('CONFIG_FILE_UNREADABLE', { detail: `${file} holds no object`, data: { file } })
}

function envLayer(env: Readonly<Record<string, string | undefined>>, otherEnv: readonly string[]): Tree {
  const layer: Tree = {}
  const known = new Map(configKeys.map((key) => [key.env, key]))
  const unknown: string[] = []
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith(ENV_PREFIX) || otherEnv.includes(name)) continue
    const key = known.get(name)
    if (key) setAt(layer, key.path, envValue(key, text))
    else unknown.push(`${name}: there is no such setting`)
  }
  if (unknown.length > 0) throw invalid(unknown)
  return layer
}

function envValue({ form }: ConfigKey, text: string): unknown {
  if (form === 'text') return text
  if (form === 'list') return text === '' ? [] : text.split(',').map((item) => item.trim())
  try {
    return JSON.parse(text)
  } catch {
    return text // the schema names the setting and says what it expects
  }
}

function absolutePaths(layer: Tree, base: string): Tree {
  const copy = merge({}, layer)
  for (const { path, kind } of configKeys) {
    const value = valueAt(copy, path)
    if (kind === 'path' && typeof value === 'string' && value !== '' && !isAbsolute(value)) {
      setAt(copy, path, resolve(base, value))
    }
  }
  return copy
}

function merge(under: Tree, over: Tree): Tree {
  const result = { ...under }
  for (const [name, value] of Object.entries(over)) {
    if (name === '__proto__') throw invalid(['__proto__: there is no such setting'])
    if (value === undefined) continue
    const below = result[name]
    result[name] = isTree(value) ? merge(isTree(below) ? below : {}, value) : value
  }
  return result
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, name) => (isTree(node) ? node[name] : undefined), tree)
}

function setAt(tree: Tree, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path
  if (name === undefined) return
  if (rest.length === 0) tree[name] = value
  else {
    const child = tree[name]
    const next = isTree(child) ? child : {}
    tree[name] = next
    setAt(next, rest, value)
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return value.map(plain)
  if (!isTree(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]))
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze)
  return Object.freeze(value)
}

function invalid(problems: readonly string[]): PostriderError {
  return new PostriderError('CONFIG_INVALID', { detail: problems.join('; '), data: { problems } })
}
