import { PostriderError } from '@postrider/protocol/errors'
import { describe, expect, it } from 'vitest'
import { createManualClock, settle } from '../testing/clock.ts'
import { raceAbort, withDeadline } from './abort.ts'
import { systemClock } from './clock.ts'
import { createEmitter } from './emitter.ts'
import { createMutex } from './mutex.ts'
import { createReplay } from './replay.ts'
import { createSemaphore } from './semaphore.ts'

describe('deadlines', () => {
  it('end a task that ignores its signal, and name it', async () => {
    const clock = createManualClock()
    const late = withDeadline(clock, { what: 'waiting', ms: 10 }, () => new Promise(() => undefined))
    const checked = expect(late).rejects.toMatchObject({
      code: 'CLIENT_TIMEOUT',
      data: { what: 'waiting', ms: 10 },
    })
    await clock.advance(10)
    await checked
  })

  it('give way to the result, the error and the caller', async () => {
    const clock = createManualClock()
    expect(await withDeadline(clock, { what: 'x', ms: 10 }, async () => 5)).toBe(5)
    const failing = withDeadline(clock, { what: 'x', ms: 10 }, async () => {
      throw new PostriderError('CLIENT_BUSY')
    })
    await expect(failing).rejects.toMatchObject({ code: 'CLIENT_BUSY' })
    const stop = new AbortController()
    const stopped = withDeadline(
      clock,
      { what: 'x', ms: 10, signal: stop.signal },
      () => new Promise(() => {}),
    )
    stop.abort(new PostriderError('CLIENT_CLOSED'))
    await expect(stopped).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
    await expect(raceAbort(new Promise(() => {}), stop.signal)).rejects.toMatchObject({
      code: 'CLIENT_CLOSED',
    })
  })

  it('sleep on the system clock until the time or the caller ends it', async () => {
    await systemClock.sleep(1)
    const stop = new AbortController()
    const sleep = systemClock.sleep(100_000, stop.signal)
    stop.abort()
    await expect(sleep).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
    await expect(systemClock.sleep(1, stop.signal)).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
  })
})

describe('mutex and semaphore', () => {
  it('run in order, one or so many at a time, and go on after a failure', async () => {
    for (const [gate, width] of [
      [createMutex(), 1],
      [createSemaphore(2), 2],
    ] as const) {
      let running = 0
      let most = 0
      const order: number[] = []
      const task = (at: number) => async () => {
        order.push(at)
        most = Math.max(most, ++running)
        await settle()
        running--
        if (at === 1) throw new PostriderError('CLIENT_BUSY')
      }
      const results = await Promise.allSettled([0, 1, 2, 3, 4].map((at) => gate.run(task(at))))
      expect(order).toEqual([0, 1, 2, 3, 4])
      expect(most).toBe(width)
      expect(results.map(({ status }) => status === 'rejected')).toEqual([false, true, false, false, false])
    }
  })

  it('lets a waiting caller go without taking its place', async () => {
    const gate = createSemaphore(1)
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = gate.run(() => promise)
    const stop = new AbortController()
    const second = gate.run(async () => expect.unreachable(), stop.signal)
    const third = gate.run(async () => 3)
    stop.abort()
    await expect(second).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
    resolve()
    await first
    expect(await third).toBe(3)
  })
})

describe('replay', () => {
  it('gives every reader all values and the end', async () => {
    const replay = createReplay<number>()
    const read = async () => {
      const values: number[] = []
      for await (const value of replay) values.push(value)
      return values
    }
    const early = read()
    replay.push(1)
    await settle()
    replay.push(2)
    replay.end()
    replay.push(3)
    expect([await early, await read()]).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  it('ends with its error', async () => {
    const replay = createReplay<number>()
    replay.push(1)
    replay.end(new PostriderError('CLIENT_BUSY'))
    const iterator = replay[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ value: 1, done: false })
    await expect(iterator.next()).rejects.toMatchObject({ code: 'CLIENT_BUSY' })
  })
})

describe('emitter', () => {
  it('calls handlers until they are taken off', () => {
    const emitter = createEmitter<{ a: number }>()
    const got: number[] = []
    const off = emitter.on('a', (value) => got.push(value))
    emitter.on('a', (value) => got.push(-value))
    emitter.emit('a', 1)
    off()
    emitter.emit('a', 2)
    emitter.clear()
    emitter.emit('a', 3)
    expect(got).toEqual([1, -1, -2])
  })
})
