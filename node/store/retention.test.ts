import { PostriderError } from '@postrider/protocol/errors'
import { msToTimestamp } from '@postrider/protocol/wire'
import { describe, expect, it } from 'vitest'
import { createMemoryArchive } from './archive/memory.ts'
import { MESSAGE_OVERHEAD_BYTES, PRUNE_BATCH_MESSAGES, RETENTION_INTERVAL_MS } from './constants.ts'
import { createRetention } from './retention.ts'
import { storedMessage } from './testing/archive-suite.ts'
import { createComponents } from './testing/components.ts'

const SIZE = 4 + MESSAGE_OVERHEAD_BYTES

describe('retention', () => {
  it('removes what is older than the time, by the messages’ own clock', async () => {
    const components = createComponents()
    const { archive, clock } = components
    const nowMs = clock.nowMs()
    const at = (seed: number, ageSeconds: number) =>
      storedMessage(seed, { timestamp: msToTimestamp(nowMs - ageSeconds * 1_000) })
    await archive.append([at(1, 0), at(2, 60), at(3, 61), at(4, 3_600)])
    expect(await createRetention(components, { seconds: 60 }).run()).toBe(2)
    expect((await archive.stats()).oldest).toBe(msToTimestamp(nowMs - 60_000))
  })

  it('removes the oldest until the rest fits, over several transactions', async () => {
    const components = createComponents()
    const { archive, clock } = components
    const first = msToTimestamp(clock.nowMs())
    const count = 2 * PRUNE_BATCH_MESSAGES + 10
    await archive.append(
      Array.from({ length: count }, (_, seed) => storedMessage(seed, { timestamp: first + BigInt(seed) })),
    )
    expect(await createRetention(components, { bytes: 7 * SIZE }).run()).toBe(count - 7)
    expect((await archive.stats()).bytes).toBe(7 * SIZE)
  })

  it('runs at the start and from time to time, and survives a failing archive', async () => {
    const memory = createMemoryArchive()
    let calls = 0
    const components = createComponents({
      ...memory,
      async prune() {
        calls++
        throw new PostriderError('STORE_UNAVAILABLE')
      },
    })
    const retention = createRetention(components)
    retention.start()
    await components.clock.advance(2 * RETENTION_INTERVAL_MS)
    expect(calls).toBe(3)
    await retention.stop()
    await components.clock.advance(2 * RETENTION_INTERVAL_MS)
    expect(calls).toBe(3)
    expect(await components.metrics.text()).toContain('postrider_error_total{code="STORE_UNAVAILABLE"} 3')
  })
})
