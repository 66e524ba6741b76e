import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { PostriderError } from '@postrider/protocol/errors'
import type { CliIo } from './io.ts'

type Streams = Pick<CliIo, 'stdin' | 'stderr'>

/** Whether a person sits at both ends; a pipe is never asked. */
export const canAsk = ({ stdin, stderr }: Streams): boolean => stdin.isTTY === true && stderr.isTTY === true

/** Lines that arrived together with the answer to an earlier question: pasted, or written by a script. */
const early = new WeakMap<Streams['stdin'], string[]>()

/**
 * Asks on stderr, so that stdout stays data. A hidden answer is not shown while it is typed.
 *
 * @throws PostriderError `CLI_INPUT_NEEDED` when the input ends before an answer; `CORE_ABORTED` on Ctrl-C
 */
export async function ask(
  { stdin, stderr }: Streams,
  question: string,
  options: { hidden?: boolean } = {},
): Promise<string> {
  stderr.write(question)
  try {
    return (
      early.get(stdin)?.shift() ?? (await readAnswer(stdin, options.hidden ? blackHole() : stderr, question))
    )
  } finally {
    if (options.hidden) stderr.write('\n')
  }
}

async function readAnswer(stdin: Streams['stdin'], output: Writable, question: string): Promise<string> {
  const lines = createInterface({ input: stdin, output, terminal: true })
  const read: string[] = []
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => {
        read.push(line)
        resolve(line)
      })
      lines.once('SIGINT', () => reject(new PostriderError('CORE_ABORTED')))
      lines.once('close', () => reject(new PostriderError('CLI_INPUT_NEEDED', { detail: question.trim() })))
    })
  } finally {
    lines.close()
    early.set(stdin, [...(early.get(stdin) ?? []), ...read.slice(1)])
  }
}

/** Asks a yes-or-no question; anything but y or yes is no. */
export async function confirm(streams: Streams, question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(streams, `${question} [y/N] `)).trim())
}

function blackHole(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}
