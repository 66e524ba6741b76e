import type { Clock } from './clock.ts'
import { RATE_LIMITER_MAX_KEYS } from './constants.ts'

export type RateLimiterOptions = {
  /** Tokens that one key regains per second. */
  perSecond: number
  /** Most tokens that one key can save up. */
  burst: number
  /** Most keys remembered; the one unused for longest is forgotten first. */
  maxKeys?: number
}

/** A token bucket per key. */
export type RateLimiter = {
  /** Takes `cost` tokens if they are there; false means: refuse the request. */
  take(key: string, cost?: number): boolean
  /** Ms until `cost` tokens will be there, 0 if they are; Infinity if `cost` is above the burst. */
  waitMs(key: string, cost?: number): number
  forget(key: string): void
  size(): number
}

type Bucket = { tokens: number; atMs: number }

/** Creates a limiter; a clock that jumps back neither refills nor drains a bucket. */
export function createRateLimiter(clock: Clock, options: RateLimiterOptions): RateLimiter {
  const { perSecond, burst, maxKeys = RATE_LIMITER_MAX_KEYS } = options
  const buckets = new Map<string, Bucket>()

  const refilled = (key: string): Bucket => {
    const nowMs = clock.nowMs()
    const bucket = buckets.get(key)
    if (!bucket) return { tokens: burst, atMs: nowMs }
    const elapsedMs = Math.max(0, nowMs - bucket.atMs)
    return { tokens: Math.min(burst, bucket.tokens + (elapsedMs * perSecond) / 1000), atMs: nowMs }
  }

  // Map keeps insertion order, so re-inserting makes the first key the least recently used.
  const remember = (key: string, bucket: Bucket) => {
    buckets.delete(key)
    if (buckets.size >= maxKeys) {
      const oldest = buckets.keys().next()
      if (!oldest.done) buckets.delete(oldest.value)
    }
    buckets.set(key, bucket)
  }

  return {
    take(key, cost = 1) {
      const bucket = refilled(key)
      const allowed = bucket.tokens >= cost
      if (allowed) bucket.tokens -= cost
      remember(key, bucket)
      return allowed
    },
    waitMs(key, cost = 1) {
      if (cost > burst) return Number.POSITIVE_INFINITY
      const missing = cost - refilled(key).tokens
      return missing <= 0 ? 0 : Math.ceil((missing * 1000) / perSecond)
    },
    forget: (key) => void buckets.delete(key),
    size: () => buckets.size,
  }
}
