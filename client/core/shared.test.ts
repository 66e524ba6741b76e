import { expect, it } from 'vitest'
import { createShared } from './shared.ts'

function work() {
  const runs: (PromiseWithResolvers<number> & { signal: AbortSignal })[] = []
  const shared = createShared((signal) => {
    const run = Promise.withResolvers<number>()
    signal.addEventListener('abort', () => run.reject(signal.reason))
    runs.push({ ...run, signal })
    return run.promise
  })
  return { runs, shared }
}

it('does the work once for all', async () => {
  const { runs, shared } = work()
  const both = Promise.all([shared(), shared()])
  runs[0]?.resolve(5)
  expect(await both).toEqual([5, 5])
  expect(await shared()).toBe(5)
  expect(runs).toHaveLength(1)
})

it('goes on while one caller waits, and stops with the last', async () => {
  const { runs, shared } = work()
  const [first, second] = [new AbortController(), new AbortController()]
  const waiting = [shared(first.signal), shared(second.signal)]
  first.abort()
  await expect(waiting[0]).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
  expect(runs[0]?.signal.aborted).toBe(false)
  second.abort()
  await expect(waiting[1]).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
  expect(runs[0]?.signal.aborted).toBe(true)
  const next = shared()
  runs[1]?.resolve(6)
  expect(await next).toBe(6)
})

it('begins anew after a failure', async () => {
  const { runs, shared } = work()
  const failed = shared()
  runs[0]?.reject(new RangeError('no'))
  await expect(failed).rejects.toThrow('no')
  const next = shared()
  runs[1]?.resolve(7)
  expect(await next).toBe(7)
})
