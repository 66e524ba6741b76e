// Child processes of the devnet: started with their output in a log file, stopped together, never left behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

export const ROOT = join(import.meta.dirname, '..')

/** How long a child may take to stop by itself: a node flushes its ledger and closes its databases. */
const STOP_TIMEOUT_MS = 5_000
/** What of a log is shown when a child fails: enough for the error, short enough to read. */
const LOG_TAIL_LINES = 25

export type Child = { name: string; process: ChildProcess; log: string; exited: Promise<number | null> }

export type Processes = {
  start(name: string, args: string[], options?: { env?: NodeJS.ProcessEnv }): Child
  /** Runs a program to its end; rejects with the tail of its output when it fails. */
  exec(args: string[], options?: { env?: NodeJS.ProcessEnv }): Promise<string>
  stop(child: Child): Promise<void>
  stopAll(): Promise<void>
}

/** Every child runs this process's own Node binary, and dies with this process at the latest, however that dies. */
export function createProcesses(logDirectory: string): Processes {
  const children = new Set<Child>()
  const running = new Set<ChildProcess>()
  // Programs of others leave files there. Not in the data folder, whose path may be too long for their sockets.
  const scratch = mkdtempSync(join(tmpdir(), 'postrider-devnet-'))
  const inScratch = { TMPDIR: scratch, TMP: scratch, TEMP: scratch }
  const reaper = startReaper(scratch)
  let closed = false
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL')
  })

  const spawnTracked = (args: string[], env: NodeJS.ProcessEnv | undefined): ChildProcess => {
    if (closed) throw new Error('the devnet is stopping')
    // An own process group: a terminal's Ctrl-C reaches this process only, which stops the children in order.
    const options = { cwd: ROOT, env: { ...process.env, ...inScratch, ...env }, detached: true }
    const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    reaper.note('+', child)
    child.once('exit', () => {
      running.delete(child)
      reaper.note('-', child)
    })
    return child
  }

  const end = async (child: ChildProcess, exited: Promise<unknown>) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(timer)
  }
  const stop = async (child: Child) => {
    await end(child.process, child.exited)
    children.delete(child)
  }

  return {
    start: (name, args, { env } = {}) => {
      const log = join(logDirectory, `${name}.log`)
      const spawned = spawnTracked(args, env)
      const file = createWriteStream(log, { flags: 'a' })
      spawned.stdout?.pipe(file, { end: false })
      spawned.stderr?.pipe(file, { end: false })
      const exited = new Promise<number | null>((resolve) => {
        spawned.once('close', (code) => file.end(() => resolve(code)))
      })
      const child = { name, process: spawned, log, exited }
      children.add(child)
      return child
    },
    exec: async (args, { env } = {}) => {
      const child = spawnTracked(args, env)
      const [stdout, stderr, code] = await Promise.all([
        collect(child.stdout),
        collect(child.stderr),
        new Promise<number | null>((resolve) => child.once('close', resolve)),
      ])
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${tail(`${stdout}${stderr}`)}`)
      return stdout
    },
    stop,
    stopAll: async () => {
      closed = true
      const known = [...children].reverse()
      const others = [...running].filter((child) => !known.some((one) => one.process === child))
      await Promise.all([...known.map(stop), ...others.map((child) => end(child, once(child, 'close')))])
      await reaper.stop()
    },
  }
}

/** See reaper.ts. In a session of its own, so that no signal of a terminal ends it before its time. */
function startReaper(scratch: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'reaper.ts'), scratch], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  // If it is gone, the children still end with an orderly end of this process.
  child.stdin.on('error', () => undefined)
  return {
    note(sign: '+' | '-', { pid }: ChildProcess) {
      if (pid !== undefined && child.stdin.writable) child.stdin.write(`${sign}${pid}\n`)
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.ref()
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}

async function collect(stream: Readable | null): Promise<string> {
  let text = ''
  for await (const chunk of stream ?? []) text += String(chunk)
  return text
}

/** Resolves when the child has printed a line that matches; rejects when it ends first or the time is over. */
export async function waitForLine(
  child: Child,
  pattern: RegExp,
  timeoutMs: number,
): Promise<RegExpMatchArray> {
  const { promise, resolve, reject } = Promise.withResolvers<RegExpMatchArray>()
  let seen = ''
  const read = (chunk: Buffer) => {
    seen += chunk.toString()
    const match = seen.match(pattern)
    if (match !== null) resolve(match)
  }
  child.process.stdout?.on('data', read)
  child.process.stderr?.on('data', read)
  child.exited.then((code) => reject(new Error(`${child.name} ended with ${code}:\n${logTail(child)}`)))
  const timer = setTimeout(
    () => reject(new Error(`${child.name} is not ready after ${timeoutMs} ms:\n${logTail(child)}`)),
    timeoutMs,
  )
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.process.stdout?.off('data', read)
    child.process.stderr?.off('data', read)
  }
}

export function logTail(child: Child): string {
  return tail(readFileSync(child.log, 'utf8'))
}

/** A port that was free a moment ago, on loopback. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return address.port
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n')
}
