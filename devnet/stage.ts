// What a person watching the devnet sees: acts, steps with their time, facts, assertions, a closing table.
// A terminal gets a live line for the step that is running; a pipe gets one line a step.
import { styleText } from 'node:util'

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_MS = 80

export type Assertion = { text: string; holds: boolean; detail: string }

export type Stage = {
  act(title: string): void
  /** Runs work under a live line; the text may be updated while it runs. */
  step<T>(text: string, work: (update: (text: string) => void) => Promise<T>): Promise<T>
  say(text: string): void
  assert(text: string, holds: boolean, detail?: string): void
  table(title: string, rows: [string, string][]): void
  assertions(): Assertion[]
}

/** `stopping` tells a step that fails from one that is cut short. */
export function createStage(out: NodeJS.WriteStream, stopping: () => boolean): Stage {
  const live = out.isTTY === true && process.env.CI === undefined
  const paint: typeof styleText = (format, text) =>
    live && process.env.NO_COLOR === undefined ? styleText(format, text) : text
  const started = performance.now()
  const assertions: Assertion[] = []
  let acts = 0
  const line = (text: string) => out.write(`${text}\n`)

  return {
    act: (title) => {
      acts += 1
      line(`\n${paint('bold', `${acts}. ${title}`)}`)
    },
    step: async (text, work) => {
      let current = text
      let frame = 0
      const begun = performance.now()
      const draw = () => {
        frame += 1
        out.write(`\r\x1b[2K   ${paint('cyan', FRAMES[frame % FRAMES.length] ?? '')} ${current}`)
      }
      const timer = live ? setInterval(draw, FRAME_MS) : undefined
      const end = (mark: string) => {
        clearInterval(timer)
        const seconds = ((performance.now() - begun) / 1000).toFixed(1)
        line(`${live ? '\r\x1b[2K' : ''}   ${mark} ${current} ${paint('dim', `${seconds} s`)}`)
      }
      try {
        const result = await work((next) => {
          current = next
        })
        end(paint('green', '✓'))
        return result
      } catch (error) {
        end(stopping() ? paint('dim', '–') : paint('red', '✗'))
        throw error
      }
    },
    say: (text) => line(`     ${paint('dim', text)}`),
    assert: (text, holds, detail = '') => {
      assertions.push({ text, holds, detail })
    },
    table: (title, rows) => {
      const width = Math.max(...rows.map(([label]) => label.length))
      line(`\n${paint('bold', title)}`)
      for (const [label, value] of rows) line(`   ${label.padEnd(width)}  ${value}`)
      line('')
      for (const { text, holds, detail } of assertions) {
        const mark = holds ? paint('green', 'holds') : paint('red', 'FAILS')
        line(`   ${mark}  ${text}${holds || detail === '' ? '' : ` (${detail})`}`)
      }
      line(`\n   ${((performance.now() - started) / 1000).toFixed(1)} s in all`)
    },
    assertions: () => assertions,
  }
}
