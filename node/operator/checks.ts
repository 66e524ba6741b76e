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
