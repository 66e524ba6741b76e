import type { Style } from './render.ts'

/** One line of a check-list: what was looked at, how it stands, why, and what to do about it. */
export type Check = {
  name: string
  state: 'ok' | 'warning' | 'failed' | 'skipped'
  reason: string
  /** A command or an act; null if nothing needs to be done. */
  fix: string | null
}

export const ok = (name: string, reason: string): Check => ({ name, state: 'ok', reason, fix: null })
export const warning = (name: string, reason: string, fix: string): Check => ({
  name,
  state: 'warning',
  reason,
  fix,
})
export const failed = (name: string, reason: string, fix: string): Check => ({
  name,
  state: 'failed',
  reason,
  fix,
})
export const skipped = (name: string, reason: string): Check => ({
  name,
  state: 'skipped',
  reason,
  fix: null,
})

export const anyFailed = (checks: readonly Check[]): boolean => checks.some(({ state }) => state === 'failed')

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
