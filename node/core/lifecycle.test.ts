import { describe, expect, it } from 'vitest'
import { createLifecycle } from './lifecycle.ts'
import { silentLogger } from './logger.ts'
import { createManualClock } from './testing/manual-clock.ts'
import { createMemoryLogger } from './testing/memory-logger.ts'

describe('lifecycle', () => {
  const part = (name: string, log: string[], fail?: unknown) => ({
    start: async () => {
      log.push(`+${name}`)
      if (fail) throw fail
    },
    stop: () => void log.push(`-${name}`),
  })

  it('starts in order, stops in reverse, once', async () => {
    const log: string[] = []
    const lifecycle = createLifecycle({ clock: createManualClock(), logger: silentLogger })
    for (const name of ['a', 'b', 'c']) lifecycle.add(name, part(name, log))
    await lifecycle.start()
    expect(lifecycle.running()).toEqual(['a', 'b', 'c'])
    await Promise.all([lifecycle.stop(), lifecycle.stop()])
    expect(log).toEqual(['+a', '+b', '+c', '-c', '-b', '-a'])
  })

  it('stops what had started, the failed part too, and names it', async () => {
    const log: string[] = []
    const lifecycle = createLifecycle({ clock: createManualClock(), logger: silentLogger })
    lifecycle.add('a', part('a', log))
    lifecycle.add('b', part('b', log, new TypeError('boom')))
    lifecycle.add('c', part('c', log))
    await expect(lifecycle.start()).rejects.toMatchObject({
      code: 'CORE_START_FAILED',
      data: { component: 'b' },
    })
    expect(log).toEqual(['+a', '+b', '-b', '-a'])
  })

  it('goes on past a part that hangs or fails while stopping', async () => {
    const log: string[] = []
    const clock = createManualClock()
    const logger = createMemoryLogger()
    const lifecycle = createLifecycle({ clock, logger })
    lifecycle.add('a', part('a', log))
    lifecycle.add('hangs', { stop: () => new Promise(() => undefined) }, { stopDeadlineMs: 50 })
    lifecycle.add('fails', { stop: () => Promise.reject(new TypeError('boom')) })
    await lifecycle.start()
    const stopping = lifecycle.stop()
    await clock.advance(50)
    await stopping
    expect(log).toEqual(['+a', '-a'])
    const errors = logger.lines.filter(({ level }) => level === 'error').map(({ component }) => component)
    expect(errors).toEqual(['fails', 'hangs'])
  })

  it('gives up on a part that does not start in time', async () => {
    const clock = createManualClock()
    const lifecycle = createLifecycle({ clock, logger: silentLogger })
    lifecycle.add('slow', { start: () => new Promise(() => undefined) }, { startDeadlineMs: 20 })
    const starting = expect(lifecycle.start()).rejects.toMatchObject({ code: 'CORE_DEADLINE_EXCEEDED' })
    await clock.advance(20)
    await starting
  })
})
