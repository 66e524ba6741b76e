import { type ErrorCode, isPostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { LOCAL_CHAIN_IDS } from '@postrider/protocol/rln'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { ChainSync } from './chain-sync.ts'
import {
  DEFAULT_MAX_HEAD_AGE_SECONDS,
  MAX_INCONSISTENT_ANSWERS,
  POLL_BACK_OFF_MS,
  POLL_MAX_BACK_OFF_MS,
} from './constants.ts'

export type FollowerOptions = {
  /** Pause between two looks at the chain while it answers, ms. */
  pollMs: number
  /** Without an answer for this long the views are stale, ms. */
  lagMs: number
  /** With a newest block older than this the endpoint is taken to be stuck, ms; 0: blocks may be rare. */
  maxHeadAgeMs: number
}

export type FollowerStatus = {
  /** starting: no answer yet; syncing: reading old blocks; following: up to date; away: the chain does not answer. */
  state: 'starting' | 'syncing' | 'following' | 'away'
  /** The views hold every confirmed event and the chain answered lately: good enough for decisions about money. */
  fresh: boolean
  /** Last block in the views, and its time, Unix seconds; undefined before the first. */
  block: number | undefined
  blockTimestamp: number | undefined
  /** Newest block of the chain that was seen, and its time, Unix seconds. */
  head: number | undefined
  headTimestamp: number | undefined
  lastAnswerMs: number | undefined
  /** When the chain stopped answering. */
  awaySinceMs: number | undefined
  lastError: ErrorCode | undefined
  /** Reorganisations undone since the start. */
  reorgs: number
}

export type Follower = {
  /** Builds the views from disk, then follows in the background; the chain may be away. */
  start(): Promise<void>
  stop(): Promise<void>
  status(): FollowerStatus
  /** Looks at the chain now, after a poll that is under way; rejects like `ChainSync.poll`. */
  refresh(): Promise<void>
  /** Called after each poll, successful or not; returns the way to stop it. */
  subscribe(listener: () => void): () => void
}

type Health = {
  lastAnswerMs: number | undefined
  awaySinceMs: number | undefined
  lastError: ErrorCode | undefined
  /** Contradictory answers in a row. */
  inconsistencies: number
  /** Since the last answer that was believed, endpoints disagreed or went backwards: not good enough for money. */
  doubted: boolean
}

/** How old the newest block may be, ms; 0: any age. Only a local chain may go without blocks unless configured. */
export function maxHeadAgeMs(chainId: number, configuredSeconds: number | undefined): number {
  return (configuredSeconds ?? (LOCAL_CHAIN_IDS.has(chainId) ? 0 : DEFAULT_MAX_HEAD_AGE_SECONDS)) * 1_000
}

/** A text that differs for every chain and deployment. */
export function networkFingerprint({ chainId, deployBlock, contracts }: Network): string {
  const addresses = [contracts.nodeRegistry, contracts.paymentChannels, contracts.rlnMembership]
  return [chainId, deployBlock, ...addresses].join('/').toLowerCase()
}

export function createFollower(
  components: { clock: Clock; logger: Logger; metrics?: Metrics; sync: ChainSync },
  options: FollowerOptions,
): Follower {
  const { clock, logger, metrics, sync } = components
  const health: Health = {
    lastAnswerMs: undefined,
    awaySinceMs: undefined,
    lastError: undefined,
    inconsistencies: 0,
    doubted: false,
  }
  const listeners = new Set<() => void>()
  let stopping = new AbortController()
  let polling: Promise<void> = Promise.resolve()
  let loop: Promise<void> | undefined

  const succeeded = (): void => {
    const nowMs = clock.nowMs()
    if (health.awaySinceMs !== undefined)
      logger.info({ awayMs: nowMs - health.awaySinceMs }, 'the chain is back')
    const { behind, head } = sync.state()
    if (behind) {
      if (health.lastError !== 'CHAIN_LAGGING')
        logger.warn({ head: head?.number }, 'the chain went backwards')
      metrics?.error('CHAIN_LAGGING')
    }
    Object.assign(health, {
      lastAnswerMs: nowMs,
      awaySinceMs: undefined,
      lastError: behind ? 'CHAIN_LAGGING' : undefined,
      inconsistencies: 0,
      doubted: behind,
    })
  }

  const failed = async (error: unknown): Promise<void> => {
    const code = isPostriderError(error) ? error.code : undefined
    if (code === 'CORE_ABORTED') return
    if (health.awaySinceMs === undefined) logger.warn({ err: error }, 'cannot follow the chain')
    health.awaySinceMs ??= clock.nowMs()
    health.lastError = code
    if (code) metrics?.error(code)
    if (code === 'CHAIN_ENDPOINTS_DISAGREE') health.doubted = true
    if (code === 'CHAIN_LOGS_INCONSISTENT') await suspectOwnLog()
  }

  /** The same contradiction again and again means that our own log is wrong: read everything once more. */
  const suspectOwnLog = async (): Promise<void> => {
    health.inconsistencies++
    if (health.inconsistencies < MAX_INCONSISTENT_ANSWERS) return
    health.inconsistencies = 0
    await sync.restart()
  }

  const pollOnce = async (): Promise<void> => {
    try {
      await sync.poll(stopping.signal)
      succeeded()
    } catch (error) {
      await failed(error)
      throw error
    } finally {
      for (const listener of listeners) listener()
    }
  }

  const refresh = (): Promise<void> => {
    polling = polling.then(pollOnce, pollOnce)
    return polling
  }

  const follow = async (signal: AbortSignal): Promise<void> => {
    let backOffMs = POLL_BACK_OFF_MS
    while (!signal.aborted) {
      const ok = await settles(refresh())
      const pauseMs = ok ? options.pollMs : backOffMs
      backOffMs = ok ? POLL_BACK_OFF_MS : Math.min(backOffMs * 2, POLL_MAX_BACK_OFF_MS)
      await settles(clock.sleep(pauseMs, signal))
    }
  }

  const status = (): FollowerStatus => {
    const { block, blockTimestamp, head, caughtUp, reorgs } = sync.state()
    const { inconsistencies: _, doubted, ...shown } = health
    return {
      state:
        health.awaySinceMs !== undefined ? 'away' : caughtUp ? 'following' : head ? 'syncing' : 'starting',
      fresh: caughtUp && !doubted && isFresh(health, head?.timestamp, clock.nowMs(), options),
      block,
      blockTimestamp,
      head: head?.number,
      headTimestamp: head?.timestamp,
      reorgs,
      ...shown,
    }
  }

  registerMetrics(metrics, status)

  return {
    async start() {
      stopping = new AbortController()
      await sync.load()
      loop = follow(stopping.signal)
    },
    async stop() {
      stopping.abort()
      await loop
    },
    refresh,
    status,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function isFresh(
  { lastAnswerMs }: Health,
  headTimestamp: number | undefined,
  nowMs: number,
  { lagMs, maxHeadAgeMs }: FollowerOptions,
): boolean {
  if (lastAnswerMs === undefined || headTimestamp === undefined || nowMs - lastAnswerMs > lagMs) return false
  return maxHeadAgeMs === 0 || nowMs - headTimestamp * 1000 <= maxHeadAgeMs
}

function settles(promise: Promise<void>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  )
}

function registerMetrics(metrics: Metrics | undefined, status: () => FollowerStatus): void {
  metrics?.gauge('chain_block', {
    help: 'Last block in the views of the chain',
    collect: (gauge) => gauge.set(status().block ?? 0),
  })
  metrics?.gauge('chain_head', {
    help: 'Newest block of the chain that was seen',
    collect: (gauge) => gauge.set(status().head ?? 0),
  })
  metrics?.gauge('chain_fresh', {
    help: '1 while the views of the chain are up to date',
    collect: (gauge) => gauge.set(status().fresh ? 1 : 0),
  })
  metrics?.gauge('chain_reorgs', {
    help: 'Reorganisations undone since the start',
    collect: (gauge) => gauge.set(status().reorgs),
  })
}
