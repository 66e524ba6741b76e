import { describe, expect, it } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { BACKGROUND_READ_AGE_MS, READ_AGE_MS, READ_WAIT_MS } from './constants.ts'
import { createReading } from './reading.ts'

function setUp() {
  const clock = createManualClock()
  const source = { reads: 0, reachable: true, answer: async (): Promise<number> => source.reads }
  const reading = createReading(
    { clock, logger: silentLogger },
    {
      what: 'a number',
      reachable: () => source.reachable,
      read() {
        source.reads++
        return source.answer()
      },
    },
  )
  return { clock, source, reading }
}

describe('reading', () => {
  it('asks once for all who look at the same time, and again when it is old', async () => {
    const { clock, source, reading } = setUp()
    expect(await Promise.all([reading.get(), reading.get()])).toEqual([1, 1])
    await clock.advance(READ_AGE_MS - 1)
    expect(await reading.get()).toBe(1)
    await clock.advance(1)
    expect(await reading.get()).toBe(2)
    expect(source.reads).toBe(2)
  })

  it('answers with what is known when the chain does not answer or fails', async () => {
    const { clock, source, reading } = setUp()
    await reading.get()
    source.answer = async () => {
      throw new Error('refused')
    }
    await clock.advance(READ_AGE_MS)
    expect(await reading.get()).toBe(1)
    const late = Promise.withResolvers<number>()
    source.answer = () => late.promise
    await clock.advance(READ_AGE_MS)
    const answer = reading.get()
    await clock.advance(READ_WAIT_MS)
    expect(await answer).toBe(1)
    late.resolve(9)
    await clock.advance(0)
    expect(reading.peek()).toBe(9)
    expect(clock.pending()).toBe(0)
  })

  it('does not ask a chain that is away', async () => {
    const { source, reading } = setUp()
    source.reachable = false
    expect(await reading.get()).toBeUndefined()
    expect(reading.peek()).toBeUndefined()
    expect(source.reads).toBe(0)
  })

  it('is read in the background when nobody waits for it, and rarely', async () => {
    const { clock, source, reading } = setUp()
    expect(reading.peek()).toBeUndefined()
    await clock.advance(0)
    expect(reading.peek()).toBe(1)
    await clock.advance(BACKGROUND_READ_AGE_MS - 1)
    reading.peek()
    expect(source.reads).toBe(1)
    await clock.advance(1)
    reading.peek()
    await clock.advance(0)
    expect(reading.peek()).toBe(2)
  })
})
