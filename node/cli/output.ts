import { EXIT_CODES } from './exit-codes.ts'

type Outputs = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'exitCode'>

/**
 * Lets a command go on when whoever reads its output closes it, as `head` does: a transaction that is on its way must
 * be followed to its end, heard or not. A lost outcome is told by the exit code; lost talk is not.
 */
export function watchOutput(process: Outputs): { isClosed(): boolean } {
  let closed = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    closed = true
    process.exitCode ||= EXIT_CODES.outputClosed.code
  })
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return { isClosed: () => closed }
}
