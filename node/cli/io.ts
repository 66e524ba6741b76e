import type { Readable, Writable } from 'node:stream'
import { type Clock, systemClock } from '../core/clock.ts'
import { type Random, systemRandom } from '../core/random.ts'

/** The world of one command, so that tests can stand in for a terminal. */
export type CliIo = {
  stdin: Readable & { isTTY?: boolean }
  stdout: Writable & { isTTY?: boolean; columns?: number }
  stderr: Writable & { isTTY?: boolean }
  env: Readonly<Record<string, string | undefined>>
  workingDir: string
  clock: Clock
  random: Random
}

/** The process's own streams and environment. */
export function processIo(): CliIo {
  const { stdin, stdout, stderr, env } = process
  return { stdin, stdout, stderr, env, workingDir: process.cwd(), clock: systemClock, random: systemRandom }
}
