import { create, type MessageInitShape, StoreQueryRequestSchema } from '@postrider/protocol/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_CONTENT_TOPICS, MAX_MESSAGE_HASHES, MAX_PAGE_SIZE } from './constants.ts'
import { checkQuery } from './query.ts'

type QueryInit = MessageInitShape<typeof StoreQueryRequestSchema>

const query = (init: QueryInit = {}) => create(StoreQueryRequestSchema, { requestId: 'r', ...init })
const hash = new Uint8Array(32).fill(7)
const topics = { pubsubTopic: '/waku/2/rs/1/0', contentTopics: ['/a/1/b/proto'] }

describe('store query rules', () => {
  it('gives the defaults of 13/STORE', () => {
    expect(checkQuery(query())).toEqual({
      requestId: 'r',
      filter: {},
      forward: false,
      limit: 20,
      includeData: false,
    })
  })

  it('passes a content filter with times, cursor and limit', () => {
    const checked = checkQuery(
      query({
        ...topics,
        timeStart: 0n,
        timeEnd: 9n,
        paginationCursor: hash,
        paginationForward: true,
        paginationLimit: 7n,
        includeData: true,
      }),
    )
    expect(checked).toEqual({
      requestId: 'r',
      filter: { ...topics, timeStart: 0n, timeEnd: 9n },
      cursorHash: hash,
      forward: true,
      limit: 7,
      includeData: true,
    })
  })

  it('counts repeated topics and hashes once', () => {
    const [topic] = topics.contentTopics
    expect(checkQuery(query({ ...topics, contentTopics: [topic!, topic!] })).filter).toEqual(topics)
    expect(checkQuery(query({ messageHashes: [hash, hash] })).filter).toEqual({ hashes: [hash] })
  })

  it('lowers a limit to the largest page and takes zero for the default', () => {
    expect(checkQuery(query({ paginationLimit: 2n ** 64n - 1n })).limit).toBe(MAX_PAGE_SIZE)
    expect(checkQuery(query({ paginationLimit: 0n })).limit).toBe(20)
  })

  it('lets a hash lookup name a pubsub topic, as the stock client does', () => {
    const init = { messageHashes: [hash], pubsubTopic: topics.pubsubTopic }
    expect(checkQuery(query(init)).filter).toEqual({ hashes: [hash] })
    expect(checkQuery(query({ messageHashes: [hash], pubsubTopic: '' })).filter).toEqual({ hashes: [hash] })
  })

  const refused: [string, QueryInit][] = [
    ['no request id', { requestId: '' }],
    ['a long request id', { requestId: 'x'.repeat(129) }],
    ['a pubsub topic alone', { pubsubTopic: topics.pubsubTopic }],
    ['content topics alone', { contentTopics: topics.contentTopics }],
    ['an empty pubsub topic with content topics', { ...topics, pubsubTopic: '' }],
    ['an empty content topic', { ...topics, contentTopics: [''] }],
    ['a long content topic', { ...topics, contentTopics: ['x'.repeat(257)] }],
    ['too many content topics', { ...topics, contentTopics: Array(MAX_CONTENT_TOPICS + 1).fill('/a/1/b/c') }],
    ['hashes with content topics', { ...topics, messageHashes: [hash] }],
    ['hashes with a start', { messageHashes: [hash], timeStart: 1n }],
    ['hashes with an end', { messageHashes: [hash], timeEnd: 1n }],
    ['too many hashes', { messageHashes: Array(MAX_MESSAGE_HASHES + 1).fill(hash) }],
    ['a short hash', { messageHashes: [hash.subarray(1)] }],
    ['an empty hash', { messageHashes: [new Uint8Array()] }],
    ['a long cursor', { paginationCursor: new Uint8Array(33) }],
    ['a start after the end', { timeStart: 2n, timeEnd: 1n }],
  ]
  it.each(refused)('refuses %s', (_, init) => {
    expect(() => checkQuery(query(init))).toThrow(expect.objectContaining({ code: 'STORE_QUERY_INVALID' }))
  })

  it('gives a bounded query or STORE_QUERY_INVALID for any fields', () => {
    const bytes = fc.uint8Array({ minLength: 30, maxLength: 34 })
    const time = fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { nil: undefined })
    const fields = fc.record({
      requestId: fc.string({ maxLength: 140 }),
      pubsubTopic: fc.option(fc.string({ maxLength: 300 }), { nil: undefined }),
      contentTopics: fc.array(fc.string({ maxLength: 300 }), { maxLength: 12 }),
      timeStart: time,
      timeEnd: time,
      messageHashes: fc.array(bytes, { maxLength: 4 }),
      paginationCursor: fc.option(bytes, { nil: undefined }),
      paginationLimit: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
    })
    fc.assert(
      fc.property(
        fields,
        ({ timeStart, timeEnd, pubsubTopic, paginationCursor, paginationLimit, ...rest }) => {
          const request = query(rest)
          Object.assign(request, { timeStart, timeEnd, pubsubTopic, paginationCursor, paginationLimit })
          try {
            const { limit, filter, cursorHash } = checkQuery(request)
            expect(limit).toBeGreaterThanOrEqual(1)
            expect(limit).toBeLessThanOrEqual(MAX_PAGE_SIZE)
            expect(filter.hashes !== undefined && filter.contentTopics !== undefined).toBe(false)
            expect(filter.pubsubTopic === undefined).toBe(filter.contentTopics === undefined)
            expect(cursorHash?.length ?? 32).toBe(32)
          } catch (error) {
            expect(error).toMatchObject({ code: 'STORE_QUERY_INVALID' })
          }
        },
      ),
    )
  })
})
