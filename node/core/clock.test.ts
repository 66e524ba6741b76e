import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'
import { abortable, withDeadline } from './deadline.ts'
import { createManualClock } from './testing/manual-clock.ts'

describe('system clock', () => {
  it('sleeps, and stops sleeping when aborted', async () => {
    await systemClock.sleep(1)
    const controller = new AbortController()
    const sleeping = systemClock.sleep(60_000, controller.signal)
    controller.abort()
    await expect(sleeping).rejects.toMatchObject({ code: 'CORE_ABORTED' })
    await expect(systemClock.sleep(1, controller.signal)).rejects.toMatchObject({ code: 'CORE_ABORTED' })
  })

  it('repeats until stopped and never overlaps', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let running = 0
    let runs = 0
    const timer = systemClock.every(1, async () => {
      expect(++running).toBe(1)
      await systemClock.sleep(3)
      running--
      if (++runs === 3) {
        timer.stop()
        resolve()
      }
    })
    await promise
    expect(runs).toBe(3)
  })
})

describe('manual clock', () => {
  it('fires in order of due time and moves only when told', async () => {
    const clock = createManualClock(1_000)
    const seen: string[] = []
    clock.every(10, () => void seen.push(`tick@${clock.nowMs()}`))
    void clock.sleep(15).then(() => seen.push(`slept@${clock.nowMs()}`))
    await clock.advance(9)
    expect(seen).toEqual([])
    await clock.advance(11)
    expect(seen).toEqual(['tick@1010', 'slept@1015', 'tick@1020'])
    expect(clock.nowMs()).toBe(1_020)
  })

  it('skips a period while the run is pending and forgets stopped timers', async () => {
    const clock = createManualClock()
    let runs = 0
    using timer = clock.every(10, async () => {
      runs++
      await clock.sleep(25)
    })
    await clock.advance(40)
    expect(runs).toBe(2)
    timer.stop()
    await clock.advance(100)
    expect(runs).toBe(2)
    expect(clock.pending()).toBe(0)
  })

  it('rejects an aborted sleep', async () => {
    const clock = createManualClock()
    const controller = new AbortController()
    const sleeping = clock.sleep(10, controller.signal)
    controller.abort()
    await expect(sleeping).rejects.toMatchObject({ code: 'CORE_ABORTED' })
    expect(clock.pending()).toBe(0)
  })
})

describe('withDeadline', () => {
  it('returns the result and leaves no timer', async () => {
    const clock = createManualClock()
    await expect(withDeadline(clock, { what: 'x', ms: 10 }, async () => 7)).resolves.toBe(7)
    expect(clock.pending()).toBe(0)
  })

  it('rejects at the deadline although the task never ends', async () => {
    const clock = createManualClock()
    let signal: AbortSignal | undefined
    const late = withDeadline(clock, { what: 'slow thing', ms: 10 }, (given) => {
      signal = given
      return new Promise(() => undefined)
    })
    const expectation = expect(late).rejects.toMatchObject({ code: 'CORE_DEADLINE_EXCEEDED' })
    await clock.advance(10)
    await expectation
    expect(signal?.aborted).toBe(true)
  })

  it('passes the caller’s abort on', async () => {
    const clock = createManualClock()
    const controller = new AbortController()
    const pending = withDeadline(
      clock,
      { what: 'x', ms: 10, signal: controller.signal },
      () => new Promise(() => undefined),
    )
    controller.abort()
    await expect(pending).rejects.toMatchObject({ code: 'CORE_ABORTED' })
    const again = withDeadline(clock, { what: 'x', ms: 10, signal: controller.signal }, async () => 1)
    await expect(again).rejects.toMatchObject({ code: 'CORE_ABORTED' })
  })
})

describe('abortable', () => {
  it('gives the result, or up as soon as the signal aborts', async () => {
    const controller = new AbortController()
    await expect(abortable(Promise.resolve(1), controller.signal)).resolves.toBe(1)
    const waiting = abortable(new Promise(() => undefined), controller.signal)
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CORE_ABORTED' })
    await expect(abortable(Promise.resolve(1), controller.signal)).rejects.toMatchObject({
      code: 'CORE_ABORTED',
    })
  })
})
