import { isPostriderError } from '@postrider/protocol/errors'
import pino from 'pino'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Fields of one log line. Put an error under `err`. */
export type LogFields = Readonly<Record<string, unknown>>

type LogMethod = (fields: LogFields, message: string) => void

/** Structured logging: fields first, then a short constant message, so that lines can be grouped. */
export type Logger = {
  trace: LogMethod
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger
}

export type LoggerOptions = {
  level: LogLevel
  /** Added to each line, for example the node's peer id. */
  fields?: LogFields
  /** Where lines go; stderr if absent, because stdout belongs to data. */
  write?(line: string): void
}

/** Field names whose value never reaches a log line, at the top and up to two levels down. */
const SECRET_FIELDS = [
  'secret',
  'identitySecret',
  'privateKey',
  'password',
  'passphrase',
  'mnemonic',
  'seed',
  'token',
  'authorization',
  'preimage',
  'rpcUrls',
] as const

/** Creates a pino logger that writes one JSON object a line, with secrets replaced by `[redacted]`. */
export function createLogger(options: LoggerOptions): Logger {
  const { level, fields = {}, write } = options
  const destination = write ? { write } : pino.destination({ dest: 2, sync: true })
  return pino(
    {
      level,
      base: fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: plainFields },
      serializers: { err: (err) => err }, // plainFields prints errors; pino's own form drops their causes
      redact: {
        paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[redacted]',
      },
    },
    destination,
  )
}

/** A logger that drops everything; for tests and for tools that talk to a person instead. */
export const silentLogger: Logger = createLogger({ level: 'silent' })

/** Makes fields printable: bigint as decimal text, bytes as hex, errors with code, data and causes. */
function plainFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainValue(value, 4)]))
}

function plainValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Error) return plainError(value, depth)
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return '[deep]'
  if (Array.isArray(value)) return value.map((item) => plainValue(item, depth - 1))
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainValue(item, depth - 1)]))
}

function plainError(error: Error, depth: number): Record<string, unknown> {
  const known = isPostriderError(error) ? { code: error.code, data: plainValue(error.data, depth) } : {}
  const cause = error.cause === undefined || depth === 0 ? {} : { cause: plainValue(error.cause, depth - 1) }
  return { name: error.name, message: error.message, ...known, ...cause, stack: error.stack }
}
