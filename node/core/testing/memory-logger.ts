import { createLogger, type Logger } from '../logger.ts'

export type LogLine = { level: string; msg: string; [field: string]: unknown }

/** A logger at level trace whose lines a test can read. */
export function createMemoryLogger(): Logger & { lines: readonly LogLine[] } {
  const lines: LogLine[] = []
  const logger = createLogger({ level: 'trace', write: (line) => lines.push(JSON.parse(line)) })
  return Object.assign(logger, { lines })
}
