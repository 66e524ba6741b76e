import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryArchive } from '../archive/memory.ts'
import { MESSAGE_OVERHEAD_BYTES } from '../constants.ts'
import { comparePositions } from '../position.ts'
import type { Archive, PageEntry, PageFilter, PageRequest, Position, StoredMessage } from '../types.ts'

const PUBSUB_TOPICS = ['/waku/2/rs/1/0', '/waku/2/rs/1/1']
const CONTENT_TOPICS = ['/app/1/a/proto', '/app/1/b/proto', '/app/1/c/proto']

/** A stored message whose hash follows from `seed`. */
export function storedMessage(seed: number, overrides: Partial<StoredMessage> = {}): StoredMessage {
  return {
    timestamp: BigInt(seed),
    hash: new Uint8Array(createHash('sha256').update(`message ${seed}`).digest()),
    pubsubTopic: PUBSUB_TOPICS[0] ?? '',
    contentTopic: CONTENT_TOPICS[0] ?? '',
    data: new Uint8Array([seed & 0xff, 1, 2, 3]),
    ...overrides,
  }
}

export const pageRequest = (overrides: Partial<PageRequest> = {}): PageRequest => ({
  filter: {},
  forward: true,
  limit: 20,
  includeData: true,
  maxBytes: 1_000_000,
  ...overrides,
})

/** Walks from page to page as a client does: the next cursor is the last entry in walking order. */
export async function* walkPages(
  archive: Archive,
  request: PageRequest,
  betweenPages: () => Promise<void> = async () => {},
): AsyncGenerator<PageEntry[]> {
  let cursor = request.cursor
  for (;;) {
    const page = await archive.query({ ...request, ...(cursor ? { cursor } : {}) })
    yield page.entries
    cursor = request.forward ? page.entries.at(-1) : page.entries[0]
    if (!page.more || !cursor) return
    await betweenPages()
  }
}

/** Small spaces on purpose: equal timestamps, shared topics and repeated hashes must be common. */
const messageArbitrary = fc
  .record({
    seed: fc.nat(60),
    timestamp: fc.bigInt({ min: 0n, max: 8n }),
    pubsub: fc.nat(PUBSUB_TOPICS.length - 1),
    content: fc.nat(CONTENT_TOPICS.length - 1),
    size: fc.nat(30),
  })
  .map(({ seed, timestamp, pubsub, content, size }) =>
    storedMessage(seed, {
      timestamp,
      pubsubTopic: PUBSUB_TOPICS[pubsub] ?? '',
      contentTopic: CONTENT_TOPICS[content] ?? '',
      data: new Uint8Array(size).fill(seed),
    }),
  )

const filterArbitrary: fc.Arbitrary<PageFilter> = fc.oneof(
  fc.constant({}),
  fc.record(
    { timeStart: fc.bigInt({ min: 0n, max: 9n }), timeEnd: fc.bigInt({ min: 0n, max: 9n }) },
    { requiredKeys: [] },
  ),
  fc.record(
    {
      pubsubTopic: fc.constantFrom(...PUBSUB_TOPICS),
      contentTopics: fc.uniqueArray(fc.constantFrom(...CONTENT_TOPICS, '/app/1/none/proto'), {
        minLength: 1,
      }),
      timeStart: fc.bigInt({ min: 0n, max: 9n }),
      timeEnd: fc.bigInt({ min: 0n, max: 9n }),
    },
    { requiredKeys: ['pubsubTopic', 'contentTopics'] },
  ),
  fc.record({ hashes: fc.array(fc.nat(70).map((seed) => storedMessage(seed).hash)) }),
)

const requestArbitrary: fc.Arbitrary<PageRequest> = fc.record({
  filter: filterArbitrary,
  forward: fc.boolean(),
  limit: fc.integer({ min: 1, max: 7 }),
  includeData: fc.boolean(),
  maxBytes: fc.integer({ min: 0, max: 120 }),
})

const isOrdered = (entries: readonly Position[]): boolean =>
  entries.every((entry, at) => at === 0 || comparePositions(entries[at - 1] ?? entry, entry) < 0)

/** What every archive must do. `open` gives an empty one. */
export function describeArchive(name: string, open: () => Archive | Promise<Archive>): void {
  describe(`archive: ${name}`, () => {
    let archive: Archive
    beforeEach(async () => {
      archive = await open()
    })
    afterEach(() => archive.close())

    it('is empty at first', async () => {
      expect(await archive.stats()).toEqual({ messages: 0, bytes: 0 })
      expect(await archive.query(pageRequest())).toEqual({ entries: [], more: false })
      expect(await archive.position(storedMessage(1).hash)).toBeUndefined()
    })

    it('returns bytes, topic and position as they were stored', async () => {
      const message = storedMessage(7, {
        timestamp: 1_700_000_000_123_456_789n,
        pubsubTopic: '/waku/2/rs/9/3',
      })
      expect(await archive.append([message])).toBe(1)
      const { entries } = await archive.query(pageRequest())
      expect(entries).toEqual([
        {
          timestamp: message.timestamp,
          hash: message.hash,
          pubsubTopic: message.pubsubTopic,
          data: message.data,
        },
      ])
      expect(await archive.position(message.hash)).toEqual({
        timestamp: message.timestamp,
        hash: message.hash,
      })
      expect(await archive.stats()).toEqual({
        messages: 1,
        bytes: message.data.length + MESSAGE_OVERHEAD_BYTES,
        oldest: message.timestamp,
        newest: message.timestamp,
      })
    })

    it('stores a hash once, within a batch and across batches', async () => {
      const message = storedMessage(1)
      expect(await archive.append([message, message, storedMessage(2)])).toBe(2)
      expect(await archive.append([message])).toBe(0)
      expect((await archive.stats()).messages).toBe(2)
    })

    it('answers presence without data', async () => {
      await archive.append([storedMessage(1)])
      const page = await archive.query(pageRequest({ includeData: false, maxBytes: 0 }))
      expect(page.entries.map((entry) => 'data' in entry)).toEqual([false])
    })

    it('includes the start and excludes the end', async () => {
      await archive.append([1, 2, 3, 4].map((seed) => storedMessage(seed)))
      const filter = { timeStart: 2n, timeEnd: 4n }
      const page = await archive.query(pageRequest({ filter }))
      expect(page.entries.map((entry) => entry.timestamp)).toEqual([2n, 3n])
    })

    it('ends a page before it exceeds its bytes, with one message at least', async () => {
      const data = new Uint8Array(100)
      await archive.append([1, 2, 3].map((seed) => storedMessage(seed, { data })))
      const sizes = async (maxBytes: number, forward: boolean) =>
        (await archive.query(pageRequest({ maxBytes, forward }))).entries.map((entry) => entry.timestamp)
      expect(await sizes(0, true)).toEqual([1n])
      expect(await sizes(199, true)).toEqual([1n])
      expect(await sizes(200, true)).toEqual([1n, 2n])
      expect(await sizes(200, false)).toEqual([2n, 3n])
    })

    it('removes by time and by size, oldest first, within the limit', async () => {
      const size = 4 + MESSAGE_OVERHEAD_BYTES
      await archive.append([5, 3, 1, 4, 2].map((seed) => storedMessage(seed)))
      expect(await archive.prune({ before: 3n, limit: 1 })).toBe(1)
      expect(await archive.prune({ before: 3n, limit: 10 })).toBe(1)
      expect(await archive.prune({ before: 3n, limit: 10 })).toBe(0)
      expect(await archive.stats()).toEqual({ messages: 3, bytes: 3 * size, oldest: 3n, newest: 5n })
      expect(await archive.prune({ maxBytes: 2 * size - 1, limit: 10 })).toBe(2)
      expect(await archive.stats()).toEqual({ messages: 1, bytes: size, oldest: 5n, newest: 5n })
      expect(await archive.append([storedMessage(1)])).toBe(1)
      const filter = { pubsubTopic: '/waku/2/rs/1/0', contentTopics: ['/app/1/a/proto'] }
      expect((await archive.query(pageRequest({ filter }))).entries).toHaveLength(2)
    })

    it('pages through exactly what the naive filter gives, in both directions', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(messageArbitrary, { maxLength: 60 }),
          requestArbitrary,
          async (messages, request) => {
            const subject = await open()
            const reference = createMemoryArchive()
            expect(await subject.append(messages)).toBe(await reference.append(messages))
            const whole = await reference.query({ ...request, limit: 1_000, maxBytes: 1_000_000 })
            const pages: PageEntry[][] = []
            for await (const page of walkPages(subject, request)) pages.push(page)
            const flat = (request.forward ? pages : pages.reverse()).flat()
            expect(flat).toEqual(whole.entries)
            expect(isOrdered(flat)).toBe(true)
            await subject.close()
          },
        ),
      )
    })

    it('loses and repeats nothing when messages arrive between pages', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(messageArbitrary, { maxLength: 30 }),
          fc.array(fc.array(messageArbitrary, { maxLength: 4 }), { maxLength: 30 }),
          requestArbitrary,
          async (initial, later, request) => {
            const subject = await open()
            await subject.append(initial)
            const { entries: before } = await subject.query({ ...request, limit: 1_000, maxBytes: 1_000_000 })
            const pages: PageEntry[][] = []
            const arrivals = later[Symbol.iterator]()
            const arrive = async () => void (await subject.append(arrivals.next().value ?? []))
            for await (const page of walkPages(subject, request, arrive)) pages.push(page)
            const flat = (request.forward ? pages : pages.reverse()).flat()
            expect(isOrdered(flat)).toBe(true) // strictly, so nothing is there twice
            const seen = new Set(flat.map((entry) => Buffer.from(entry.hash).toString('hex')))
            for (const entry of before) expect(seen).toContain(Buffer.from(entry.hash).toString('hex'))
            await subject.close()
          },
        ),
      )
    })

    it('keeps its figures equal to its content under any mix of appends and prunes', async () => {
      const step = fc.oneof(
        fc.array(messageArbitrary, { maxLength: 12 }),
        fc.record({
          before: fc.bigInt({ min: 0n, max: 9n }),
          maxBytes: fc.nat(20 * MESSAGE_OVERHEAD_BYTES),
          limit: fc.integer({ min: 1, max: 10 }),
        }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const subject = await open()
          const reference = createMemoryArchive()
          for (const next of steps) {
            const [actual, expected] = await Promise.all(
              [subject, reference].map((one) => (Array.isArray(next) ? one.append(next) : one.prune(next))),
            )
            expect(actual).toBe(expected)
            expect(await subject.stats()).toEqual(await reference.stats())
          }
          const all = pageRequest({ limit: 1_000 })
          expect(await subject.query(all)).toEqual(await reference.query(all))
          await subject.close()
        }),
      )
    })
  })
}
