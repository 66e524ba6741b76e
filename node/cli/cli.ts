import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { type Network, parseNetwork } from '@postrider/protocol/network'
import { z } from 'zod'
import { type Config, configPaths, DEFAULT_DATA_DIR, loadConfig } from '../core/config/index.ts'
import { readFileBounded } from '../core/files.ts'
import { MAX_INPUT_FILE_BYTES } from './constants.ts'
import { type ExitCode, exitCodeOf } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { ask, canAsk, confirm } from './prompts.ts'
import { createStyle, type Style, terminalText } from './render.ts'

/** The variable that names a file with the keystore password, for people who run one node a machine. */
export const PASSWORD_FILE_VARIABLE = 'POSTRIDER_PASSWORD_FILE'

/** Options that every command takes. */
export type GlobalOptions = {
  dataDir?: string
  config?: string
  apiUrl?: string
  json: boolean
  yes: boolean
  /** False with --no-input. */
  input: boolean
  /** False with --no-color. */
  color: boolean
}

/**
 * What a command has to say: the same as data and as text. The runner prints one of them; without data it was said
 * already.
 */
export type Outcome = { data: unknown; text: string; exitCode?: ExitCode }

/** What every command works with. */
export type Cli = {
  io: CliIo
  options: GlobalOptions
  style: Style
  dataDir: string
  configFile: string
  /** Talk for people on stderr; nothing with --json. */
  say(text: string): void
  /**
   * Whether to go on. True without a question with --yes.
   *
   * @throws PostriderError `CLI_NOT_CONFIRMED` when the answer is no or nobody can be asked
   */
  confirm(question: string): Promise<void>
  /** @throws PostriderError `CLI_INPUT_NEEDED` when nobody can be asked */
  askHidden(question: string): Promise<string>
  canAsk(): boolean
  /** @throws PostriderError `CLI_NOT_INITIALIZED`, `CONFIG_*` */
  loadConfig(): Promise<Config>
  /** @throws PostriderError `CLI_FILE_UNREADABLE`, `CONFIG_NETWORK_INVALID` */
  loadNetwork(config: Config): Promise<Network>
}

export function createCli(io: CliIo, options: GlobalOptions): Cli {
  const style = createStyle(usesColour(io, options))
  const configFile = resolve(
    io.workingDir,
    options.config ?? join(options.dataDir ?? io.env.POSTRIDER_DATA_DIR ?? DEFAULT_DATA_DIR, 'config.json'),
  )
  const dataDir = resolve(
    io.workingDir,
    options.dataDir ?? io.env.POSTRIDER_DATA_DIR ?? join(configFile, '..'),
  )
  const mayAsk = () => options.input && canAsk(io)

  return {
    io,
    options,
    style,
    dataDir,
    configFile,
    say: (text) => {
      if (!options.json) io.stderr.write(`${terminalText(text, style.colour)}\n`)
    },
    canAsk: mayAsk,
    async confirm(question) {
      if (options.yes) return
      if (!mayAsk()) throw new PostriderError('CLI_NOT_CONFIRMED', { detail: 'nobody can be asked' })
      if (!(await confirm(io, question))) throw new PostriderError('CLI_NOT_CONFIRMED')
    },
    async askHidden(question) {
      if (!mayAsk()) throw new PostriderError('CLI_INPUT_NEEDED', { detail: question.replace(/:?\s*$/, '') })
      return ask(io, question, { hidden: true })
    },
    loadConfig: () => loadCliConfig(io, configFile, options.dataDir),
    loadNetwork: async (config) => readNetworkFile(configPaths(config).networkFile),
  }
}

/** NO_COLOR (no-color.org) and --no-color win; otherwise colours are for terminals. */
function usesColour({ env, stdout }: CliIo, { color }: GlobalOptions): boolean {
  return color && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb' && stdout.isTTY === true
}

async function loadCliConfig({ env, workingDir }: CliIo, file: string, dataDir?: string): Promise<Config> {
  if (!existsSync(file)) throw new PostriderError('CLI_NOT_INITIALIZED', { detail: file, data: { file } })
  return loadConfig({
    file,
    env,
    otherEnv: [PASSWORD_FILE_VARIABLE],
    ...(dataDir === undefined ? {} : { overrides: { dataDir } }),
    workingDir,
  })
}

/** A value in the form in which the API writes it, so that one reader fits both. */
export const encodeForJson = <Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>): unknown =>
  z.encode(schema, value)

/** @throws PostriderError `CLI_FILE_UNREADABLE`, `CONFIG_NETWORK_INVALID` */
export async function readNetworkFile(path: string): Promise<Network> {
  return parseNetwork(await readJsonFile(path))
}

/** @throws PostriderError `CLI_FILE_UNREADABLE` when the file is missing, too large or no JSON */
export async function readJsonFile(path: string): Promise<unknown> {
  const bytes = await readInputFile(path)
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new PostriderError('CLI_FILE_UNREADABLE', { detail: `${path} is not JSON`, data: { path }, cause })
  }
}

/** @throws PostriderError `CLI_FILE_UNREADABLE` when the file is missing or too large */
export async function readInputFile(path: string): Promise<Uint8Array> {
  const bytes = await readFileBounded(path, MAX_INPUT_FILE_BYTES).catch((cause: unknown) => {
    throw new PostriderError('CLI_FILE_UNREADABLE', { detail: path, data: { path }, cause })
  })
  if (!bytes)
    throw new PostriderError('CLI_FILE_UNREADABLE', { detail: `${path} does not exist`, data: { path } })
  return bytes
}

/** Prints what a command has to say and gives its exit code. */
export function printOutcome({ io, options, style }: Cli, outcome: Outcome): ExitCode {
  const text = options.json ? toJson(outcome.data) : terminalText(outcome.text, style.colour)
  if (text) io.stdout.write(`${text}\n`)
  return outcome.exitCode ?? 0
}

/** Prints a failure: with --json as the one document on stdout, otherwise for people on stderr. */
export function printError(
  { io, options }: { io: CliIo; options: Pick<GlobalOptions, 'json'> },
  error: unknown,
): ExitCode {
  const exitCode = exitCodeOf(error)
  const known = isPostriderError(error)
  const message = error instanceof Error ? error.message : String(error)
  if (options.json) {
    const { code, retryable, fix, data } = known
      ? error
      : { code: null, retryable: false, fix: null, data: {} }
    io.stdout.write(`${toJson({ error: { code, message, retryable, fix, data, exitCode } })}\n`)
    return exitCode
  }
  const lines = [`error: ${message}`, ...causes(error).map((problem) => `  because: ${problem}`)]
  if (known) lines.push(`  fix: ${error.fix}`, `  code: ${error.code} (docs/errors.md)`)
  io.stderr.write(`${terminalText(lines.join('\n'), false)}\n`)
  return exitCode
}

function causes(error: unknown): string[] {
  const messages: string[] = []
  let cause = error instanceof Error ? error.cause : undefined
  while (cause instanceof Error && messages.length < 3) {
    messages.push(cause.message.split('\n')[0] ?? '')
    cause = cause.cause
  }
  return messages
}

function toJson(data: unknown): string | undefined {
  return JSON.stringify(
    data,
    (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    2,
  )
}
