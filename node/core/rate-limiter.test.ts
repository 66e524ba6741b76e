import { describe, expect, it } from 'vitest'
import { createRateLimiter } from './rate-limiter.ts'
import { createManualClock } from './testing/manual-clock.ts'

describe('rate limiter', () => {
  it('allows the burst, then the rate', async () => {
    const clock = createManualClock()
    const limiter = createRateLimiter(clock, { perSecond: 2, burst: 3 })
    expect([1, 2, 3, 4].map(() => limiter.take('a'))).toEqual([true, true, true, false])
    expect(limiter.take('b')).toBe(true)
    expect(limiter.waitMs('a')).toBe(500)
    await clock.advance(500)
    expect(limiter.take('a')).toBe(true)
    expect(limiter.take('a')).toBe(false)
    await clock.advance(60_000)
    expect(limiter.waitMs('a', 3)).toBe(0)
    expect(limiter.waitMs('a', 4)).toBe(Number.POSITIVE_INFINITY)
  })

  it('neither refills nor drains when the clock jumps back', () => {
    const clock = createManualClock(1_000_000)
    const limiter = createRateLimiter(clock, { perSecond: 1, burst: 2 })
    limiter.take('a', 2)
    clock.set(0)
    expect(limiter.take('a')).toBe(false)
    clock.set(1_000)
    expect(limiter.take('a')).toBe(true)
  })

  it('forgets the key that was unused for longest', () => {
    const limiter = createRateLimiter(createManualClock(), { perSecond: 1, burst: 1, maxKeys: 2 })
    expect(limiter.take('a')).toBe(true)
    expect(limiter.take('b')).toBe(true)
    expect(limiter.take('a')).toBe(false)
    expect(limiter.take('c')).toBe(true)
    expect(limiter.take('a')).toBe(false)
    expect(limiter.size()).toBe(2)
  })
})
