import { errorTable } from '@postrider/protocol/errors'
import type { Verdict } from '@postrider/protocol/rln'
import type { Metrics } from '../core/metrics.ts'
import type { Source } from './types.ts'

/** Counts of verdicts, for the API and for Prometheus. */
export type VerdictCounts = {
  accepted: number
  ignored: number
  rejected: number
  breaches: number
  /** Everything but accept, by error code. */
  byCode: Readonly<Record<string, number>>
}

export type Tally = {
  count(verdict: Verdict, via: Source['via'], seconds: number): void
  counts(): VerdictCounts
}

const TOTALS = { accept: 'accepted', ignore: 'ignored', reject: 'rejected', breach: 'breaches' } as const

export function createTally(metrics: Metrics): Tally {
  const verdicts = metrics.counter('relay_verdicts_total', {
    help: 'Verdicts by kind, code and way in; docs/errors.md explains each code',
    labels: ['verdict', 'code', 'via'],
  })
  const duration = metrics.histogram('relay_validation_seconds', {
    help: 'From arrival to verdict',
    labels: ['verdict'],
  })
  const totals = { accepted: 0, ignored: 0, rejected: 0, breaches: 0 }
  const byCode: Record<string, number> = {}

  return {
    count(verdict, via, seconds) {
      const code = verdict.kind === 'accept' ? '' : verdict.code
      verdicts.inc({ verdict: verdict.kind, code, via })
      duration.observe({ verdict: verdict.kind }, seconds)
      totals[TOTALS[verdict.kind]]++
      if (code in errorTable) byCode[code] = (byCode[code] ?? 0) + 1
    },
    counts: () => ({ ...totals, byCode: { ...byCode } }),
  }
}
