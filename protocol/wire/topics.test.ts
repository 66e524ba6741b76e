import { describe, expect, it } from 'vitest'
import { contentTopic } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import {
  parseContentTopic,
  parsePubsubTopic,
  pubsubTopic,
  pubsubTopicForContent,
  shardForContentTopic,
} from './index.ts'

describe('pubsub topics', () => {
  it('read back what they were made of', () => {
    fc.assert(
      fc.property(fc.nat(65_535), fc.nat(1023), (clusterId, shard) => {
        expect(parsePubsubTopic(pubsubTopic(clusterId, shard))).toEqual({ clusterId, shard })
      }),
    )
  })

  it.each([
    '',
    '/waku/2/default-waku/proto',
    '/waku/2/rs/1',
    '/waku/2/rs/1/',
    '/waku/2/rs/01/0',
    '/waku/2/rs/1/-1',
    '/waku/2/rs/65536/0',
    '/waku/2/rs/1/1024',
    '/waku/2/rs/1/0/',
    ' /waku/2/rs/1/0',
    '/waku/2/rs/1/0\n',
  ])('refuse %j', (topic) => {
    expect(parsePubsubTopic(topic)).toBeUndefined()
  })
})

describe('content topics', () => {
  it('have four parts, after generation 0 or alone', () => {
    const parts = { application: 'toychat', version: '2', name: 'huilong', encoding: 'proto' }
    expect(parseContentTopic('/toychat/2/huilong/proto')).toEqual(parts)
    expect(parseContentTopic('/0/toychat/2/huilong/proto')).toEqual(parts)
  })

  it.each([
    '',
    '/',
    'a/b/c/d',
    '/a/b/c',
    '/a/b/c/',
    '/a//c/d',
    '/1/a/b/c/d',
    '/x/a/b/c/d',
    '/0/0/a/b/c/d',
    `/a/b/c/${'d'.repeat(256)}`,
  ])('refuse %j', (topic) => {
    expect(parseContentTopic(topic)).toBeUndefined()
    expect(() => shardForContentTopic(topic, 8)).toThrow(
      expect.objectContaining({ code: 'WIRE_CONTENT_TOPIC_INVALID' }),
    )
  })
})

describe('autosharding', () => {
  it('matches the example of the relay-sharding specification', () => {
    expect(shardForContentTopic('/myapp/1/mytopic/cbor', 8)).toBe(0)
    expect(pubsubTopicForContent('/0/myapp/1/mytopic/cbor', { clusterId: 1, shardCount: 8 })).toBe(
      '/waku/2/rs/1/0',
    )
  })

  it('depends on application and version only and stays in range', () => {
    fc.assert(
      fc.property(contentTopic, fc.integer({ min: 1, max: 1024 }), (topic, shardCount) => {
        const shard = shardForContentTopic(topic, shardCount)
        const { application, version } = parseContentTopic(topic)!
        expect(shard).toBeGreaterThanOrEqual(0)
        expect(shard).toBeLessThan(shardCount)
        expect(shardForContentTopic(`/0/${application}/${version}/other/raw`, shardCount)).toBe(shard)
      }),
    )
  })
})
