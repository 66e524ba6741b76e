import type { Check } from '../operator/checks.ts'
import type { Style } from './render.ts'

/** The list for a terminal. The word says the state, the colour only repeats it. */
export function renderChecks(style: Style, checks: readonly Check[]): string {
  const paint = { ok: style.green, warning: style.yellow, failed: style.red, skipped: style.dim }
  const mark = { ok: '✓ ok     ', warning: '! warning', failed: '✗ failed ', skipped: '- skipped' }
  const size = Math.max(0, ...checks.map(({ name }) => name.length))
  return checks
    .flatMap(({ name, state, reason, fix }) => [
      `${paint[state](mark[state])}  ${name.padEnd(size)}  ${reason}`,
      ...(fix === null ? [] : [`${' '.repeat(size + 13)}→ ${fix}`]),
    ])
    .join('\n')
}
