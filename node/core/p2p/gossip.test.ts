import { createHash } from 'node:crypto'
import {
  createWakuMessage,
  encode,
  pubsubTopic,
  pubsubTopicForContent,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { describe, expect, it } from 'vitest'
import { createMessageId, shardTopics } from './gossip.ts'

const network = { clusterId: 66, shardCount: 8 }
const contentTopic = '/chat/1/room/proto'
const home = pubsubTopicForContent(contentTopic, network)
const away = shardTopics(network).find((topic) => topic !== home) ?? ''
const data = encode(
  WakuMessageSchema,
  createWakuMessage({ payload: new Uint8Array([1]), contentTopic, timestamp: 1n }),
)
const id = (topic: string, bytes: Uint8Array) =>
  createMessageId(network)({ type: 'unsigned', topic, data: bytes }) as Uint8Array

describe('gossip message id', () => {
  it("is the SHA-256 of the bytes on the message's own shard", () => {
    expect(Buffer.from(id(home, data)).toString('hex')).toBe(createHash('sha256').update(data).digest('hex'))
  })

  it('differs on every other shard, so that a stray copy cannot shadow the good one', () => {
    const ids = shardTopics(network).map((topic) => Buffer.from(id(topic, data)).toString('hex'))
    expect(new Set(ids).size).toBe(network.shardCount)
    expect(id(away, data)).not.toEqual(id(home, data))
  })

  it('exists for bytes that are no message', () => {
    expect(id(home, new Uint8Array([255, 255]))).toHaveLength(32)
    expect(id(home, new Uint8Array())).toHaveLength(32)
  })
})

describe('shard topics', () => {
  it('lists every shard once', () => {
    expect(shardTopics(network)).toEqual(Array.from({ length: 8 }, (_, i) => pubsubTopic(66, i)))
  })
})
