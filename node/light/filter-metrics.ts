import { PostriderError } from '@postrider/protocol/errors'
import type { Metrics } from '../core/metrics.ts'

/** Counters and gauges of the filter server. */
export function createFilterCounters(metrics: Metrics, read: () => { subscribers: number; queued: number }) {
  const answers = metrics.counter('light_filter_total', {
    help: 'Filter answers by status; "reset" when the stream ended without one',
    labels: ['status'],
  })
  const pushes = metrics.counter('light_pushes_total', { help: 'Messages pushed to subscribers' })
  const drops = metrics.counter('light_subscribers_dropped_total', {
    help: 'Subscribers given up, by error code',
    labels: ['code'],
  })
  metrics.gauge('light_subscribers', {
    help: 'Clients with subscriptions',
    collect: (gauge) => gauge.set(read().subscribers),
  })
  metrics.gauge('light_pushes_queued', {
    help: 'Messages that wait for subscribers',
    collect: (gauge) => gauge.set(read().queued),
  })
  return {
    answer: (status: number | 'reset') => answers.inc({ status }),
    pushed: () => pushes.inc(),
    dropped: (error: unknown) => drops.inc({ code: error instanceof PostriderError ? error.code : 'other' }),
  }
}
