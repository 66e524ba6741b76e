import { idRange } from '@postrider/protocol/rln'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../storage/memory.ts'
import { createCrashingStorage, isCrash } from '../testing/crash-storage.ts'
import { burnEpochs, type IdAllocator, openIdAllocator } from './allocator.ts'

const commitment = 7n
const range = idRange(5)
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('id allocator', () => {
  it('gives every id of its range once an epoch and topic', async () => {
    const ids = await openIdAllocator(createMemoryStorage(), { commitment, range: idRange(10, 4, 3) })
    const take = (topic: string, epoch: bigint) => ids.allocate(topic, epoch)
    expect(await take('a', 1n)).toEqual({ messageId: 4, remaining: 2 })
    expect(await take('a', 1n)).toEqual({ messageId: 5, remaining: 1 })
    expect(await take('b', 1n)).toEqual({ messageId: 4, remaining: 2 })
    expect(await take('a', 1n)).toEqual({ messageId: 6, remaining: 0 })
    await expect(take('a', 1n)).rejects.toEqual(code('RLN_IDS_EXHAUSTED'))
    expect(await take('a', 2n)).toEqual({ messageId: 4, remaining: 2 })
    await expect(take('a', 1n)).rejects.toEqual(code('RLN_EPOCH_PASSED'))
    expect([ids.remaining('a', 2n), ids.remaining('a', 3n), ids.remaining('c', 0n)]).toEqual([2, 3, 3])
  })

  it('gives different ids to calls that overlap', async () => {
    const ids = await openIdAllocator(createMemoryStorage(), { commitment, range })
    const taken = await Promise.all([1, 2, 3].map(() => ids.allocate('a', 1n)))
    expect(taken.map(({ messageId }) => messageId)).toEqual([0, 1, 2])
  })

  it('gives nothing in a burnt epoch, in any topic', async () => {
    const storage = createMemoryStorage()
    await burnEpochs(storage, commitment, 5n)
    await burnEpochs(storage, commitment, 4n)
    const ids = await openIdAllocator(storage, { commitment, range })
    await expect(ids.allocate('a', 5n)).rejects.toEqual(code('CLIENT_RLN_EPOCH_BURNT'))
    expect(ids.remaining('a', 5n)).toBe(0)
    expect((await ids.allocate('a', 6n)).messageId).toBe(0)
    await ids.burn(6n)
    await expect(ids.allocate('a', 6n)).rejects.toEqual(code('CLIENT_RLN_EPOCH_BURNT'))
    expect((await ids.allocate('a', 7n)).messageId).toBe(0)
  })

  it('gives up the epoch when its range was changed', async () => {
    const storage = createMemoryStorage()
    const before = await openIdAllocator(storage, { commitment, range: idRange(10, 5, 5) })
    await before.allocate('a', 1n)
    const after = await openIdAllocator(storage, { commitment, range: idRange(10, 3, 5) })
    await expect(after.allocate('a', 1n)).rejects.toEqual(code('RLN_IDS_EXHAUSTED'))
    expect((await after.allocate('a', 2n)).messageId).toBe(3)
  })
})

type Step = { topic: string; epoch: bigint }
type Life = { steps: Step[]; crashAt: number; when: 'before' | 'after' }

const life: fc.Arbitrary<Life> = fc.record({
  steps: fc.array(
    fc.record({
      topic: fc.constantFrom('a', 'b'),
      epoch: fc.bigInt({ min: 1n, max: 3n }),
    }),
    { maxLength: 12 },
  ),
  crashAt: fc.nat({ max: 12 }),
  when: fc.constantFrom('before', 'after'),
})

async function takeAll(ids: IdAllocator, steps: readonly Step[], taken: string[]): Promise<void> {
  const calls = steps.map(async ({ topic, epoch }) => {
    const { messageId } = await ids.allocate(topic, epoch)
    taken.push(`${topic}/${epoch}/${messageId}`)
  })
  for (const result of await Promise.allSettled(calls)) {
    if (result.status === 'rejected' && !isCrash(result.reason)) {
      expect(['RLN_IDS_EXHAUSTED', 'RLN_EPOCH_PASSED']).toContain(result.reason.code)
    }
  }
}

it('never gives an id twice, whenever and however often the process dies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 6 }), async (lives) => {
      const disk = createMemoryStorage()
      const taken: string[] = []
      for (const { steps, crashAt, when } of lives) {
        const storage = createCrashingStorage(disk, crashAt, when)
        await takeAll(await openIdAllocator(storage, { commitment, range }), steps, taken)
      }
      expect(new Set(taken).size).toBe(taken.length)
    }),
    { numRuns: 300 },
  )
})

it('burns an id whose write failed, without a restart too', async () => {
  const storage = createCrashingStorage(createMemoryStorage(), 0, 'before')
  const ids = await openIdAllocator(storage, { commitment, range })
  await expect(ids.allocate('a', 1n)).rejects.toSatisfy(isCrash)
  expect(ids.remaining('a', 1n)).toBe(4)
})
