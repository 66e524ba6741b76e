import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

export type Finished = { code: number | null; stdout: string; stderr: string }

export type CliOptions = {
  env?: Record<string, string>
  cwd?: string
  input?: string
  /** Reads nothing of stdout, and closes it at once. */
  closeStdout?: boolean
}

/** Runs the command line as a process of its own, with nothing of this environment but the path. */
export async function runPostrider(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', NODE_NO_WARNINGS: '1', ...options.env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  if (options.closeStdout) child.stdout.destroy()
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, stdout, stderr }
}
