import { idRange } from '@postrider/protocol/rln'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../storage/memory.ts'
import { createCrashingStorage, isCrash } from '../testing/crash-storage.ts'
import { burnEpochs, type IdAllocator, openIdAllocator } from './allocator.ts'

const commitment = 7n
const range = idRange(5)
/** The epoch in which the log is opened. */
const epoch = 1n
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('id allocator', () => {
  it('gives every id of its range once an epoch and topic', async () => {
    const ids = await openIdAllocator(createMemoryStorage(), { commitment, range: idRange(10, 4, 3), epoch })
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
    const ids = await openIdAllocator(createMemoryStorage(), { commitment, range, epoch })
    const taken = await Promise.all([1, 2, 3].map(() => ids.allocate('a', 1n)))
    expect(taken.map(({ messageId }) => messageId)).toEqual([0, 1, 2])
  })

  it('gives nothing in a burnt epoch, in any topic', async () => {
    const storage = createMemoryStorage()
    await burnEpochs(storage, commitment, 5n)
    await burnEpochs(storage, commitment, 4n)
    const ids = await openIdAllocator(storage, { commitment, range, epoch })
    await expect(ids.allocate('a', 5n)).rejects.toEqual(code('CLIENT_RLN_EPOCH_BURNT'))
    expect(ids.remaining('a', 5n)).toBe(0)
    expect((await ids.allocate('a', 6n)).messageId).toBe(0)
    await ids.burn(6n)
    await expect(ids.allocate('a', 6n)).rejects.toEqual(code('CLIENT_RLN_EPOCH_BURNT'))
    expect((await ids.allocate('a', 7n)).messageId).toBe(0)
  })

  it('gives up the epoch in which its range is changed, in every topic, and not when it stays the same', async () => {
    const storage = createMemoryStorage()
    const open = (first: number, now: bigint) =>
      openIdAllocator(storage, { commitment, range: idRange(10, first, 5), epoch: now })
    expect((await (await open(5, 1n)).allocate('a', 1n)).messageId).toBe(5)
    expect((await (await open(5, 1n)).allocate('a', 1n)).messageId).toBe(6)
    // Another device may have sent with these ids, on any topic, until it was given others.
    for (const now of [1n, 4n]) {
      const ids = await open(now === 1n ? 3 : 0, now)
      for (const topic of ['a', 'b']) {
        await expect(ids.allocate(topic, now)).rejects.toEqual(code('CLIENT_RLN_EPOCH_BURNT'))
        expect(ids.next(topic, now)).toBeUndefined()
      }
    }
    expect((await (await open(0, 4n)).allocate('a', 5n)).messageId).toBe(0)
  })

  it('gives up what was used in an epoch ahead of a clock that went back, when its range is changed', async () => {
    const storage = createMemoryStorage()
    const before = await openIdAllocator(storage, { commitment, range: idRange(10, 5), epoch })
    await before.allocate('a', 9n)
    const after = await openIdAllocator(storage, { commitment, range: idRange(10, 3), epoch })
    await expect(after.allocate('a', 9n)).rejects.toEqual(code('CLIENT_RLN_EPOCH_BURNT'))
    expect((await after.allocate('a', 10n)).messageId).toBe(3)
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
  crashAt: fc.nat({ max: 13 }),
  when: fc.constantFrom('before', 'after'),
})

const unlessCrash = (error: unknown) => {
  if (!isCrash(error)) throw error
}

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
        const ids = await openIdAllocator(storage, { commitment, range, epoch }).catch(unlessCrash)
        if (ids) await takeAll(ids, steps, taken)
      }
      expect(new Set(taken).size).toBe(taken.length)
    }),
    { numRuns: 300 },
  )
})

it('burns an id whose write failed, without a restart too', async () => {
  const storage = createCrashingStorage(createMemoryStorage(), 1, 'before')
  const ids = await openIdAllocator(storage, { commitment, range, epoch })
  await expect(ids.allocate('a', 1n)).rejects.toSatisfy(isCrash)
  expect(ids.remaining('a', 1n)).toBe(4)
})
