import { setImmediate as nextTurn } from 'node:timers/promises'
import { isPostriderError } from '@postrider/protocol/errors'
import { msToTimestamp } from '@postrider/protocol/wire'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import {
  DEFAULT_RETENTION_BYTES,
  DEFAULT_RETENTION_SECONDS,
  PRUNE_BATCH_MESSAGES,
  RETENTION_INTERVAL_MS,
} from './constants.ts'
import type { Archive } from './types.ts'

export type RetentionComponents = { archive: Archive; clock: Clock; logger: Logger; metrics: Metrics }

export type RetentionOptions = {
  /** How long messages are kept; `DEFAULT_RETENTION_SECONDS` when absent. */
  seconds?: number
  /** What they may take; `DEFAULT_RETENTION_BYTES` when absent. */
  bytes?: number
}

export type Retention = {
  /** Runs once now, in the background, and then from time to time. */
  start(): void
  stop(): Promise<void>
  /** Removes what is too old or too much now; returns how many messages went. */
  run(): Promise<number>
}

/** Removes old messages from time to time, in small transactions with the event loop free between them. */
export function createRetention(components: RetentionComponents, options: RetentionOptions = {}): Retention {
  const { archive, clock, logger, metrics } = components
  const { seconds = DEFAULT_RETENTION_SECONDS, bytes = DEFAULT_RETENTION_BYTES } = options
  const pruned = metrics.counter('store_pruned_total', { help: 'Messages removed by retention' })
  let timer: Timer | undefined
  let stopped = false
  let current: Promise<void> = Promise.resolve()

  const run = async (): Promise<number> => {
    const rule = {
      before: msToTimestamp(clock.nowMs() - seconds * 1_000),
      maxBytes: bytes,
      limit: PRUNE_BATCH_MESSAGES,
    }
    let total = 0
    while (!stopped) {
      const removed = await archive.prune(rule)
      pruned.inc(removed)
      total += removed
      if (removed < PRUNE_BATCH_MESSAGES) break
      await nextTurn()
    }
    return total
  }

  const runAndReport = async (): Promise<void> => {
    try {
      const removed = await run()
      if (removed > 0) logger.debug({ removed }, 'old messages removed')
    } catch (err) {
      if (isPostriderError(err)) metrics.error(err.code)
      logger.warn({ err }, 'retention failed, trying again later')
    }
  }

  return {
    start() {
      stopped = false
      current = runAndReport()
      timer = clock.every(RETENTION_INTERVAL_MS, () => {
        current = current.then(runAndReport)
        return current
      })
    },
    async stop() {
      stopped = true
      timer?.stop()
      await current
    },
    run,
  }
}
