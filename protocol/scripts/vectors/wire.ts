import {
  createWakuMessage,
  encode,
  gossipMessageId,
  hexToBytes,
  messageHash,
  parseContentTopic,
  parsePubsubTopic,
  shardForContentTopic,
  type WakuMessage,
  WakuMessageSchema,
} from '../../wire/index.ts'
import { chat, TOPIC } from './fixtures.ts'
import type { VectorFile } from './format.ts'

const PUBLISHED = { contentTopic: '/waku/2/default-content/proto', timestamp: 0x175789bfa23f8400n }
const PAYLOAD = hexToBytes('010203045445535405060708')
const META = hexToBytes('73757065722d736563726574')

const published = (init: { payload?: Uint8Array; meta?: Uint8Array }) =>
  createWakuMessage({ ...PUBLISHED, payload: PAYLOAD, ...init })

export function messageVectors(): VectorFile {
  const legacy = '/waku/2/default-waku/proto'
  const { timestamp: _, ...timeless } = chat('no timestamp')
  const cases: [string, string, WakuMessage][] = [
    ['14/WAKU2-MESSAGE: meta of 12 bytes', legacy, published({ meta: META })],
    [
      '14/WAKU2-MESSAGE: meta of 64 bytes',
      legacy,
      published({ meta: Uint8Array.from({ length: 64 }, (_v, i) => i) }),
    ],
    ['14/WAKU2-MESSAGE: no meta', legacy, published({})],
    ['14/WAKU2-MESSAGE: empty payload', legacy, published({ payload: new Uint8Array(), meta: META })],
    ['version 0', TOPIC, chat('hello')],
    ['ephemeral, version 2, meta', TOPIC, chat('hello', { ephemeral: true, version: 2, meta: META })],
    ['not ASCII', TOPIC, chat('grüße', { contentTopic: '/myapp/1/grüße/proto' })],
    ['no timestamp', TOPIC, timeless],
    ['negative timestamp', TOPIC, chat('before 1970', { timestamp: -1n })],
  ]
  return {
    description:
      'WakuMessage: canonical encoding, deterministic hash, gossip message id. docs/protocol/message.md',
    cases: cases.map(([name, pubsubTopic, message]) => {
      const encoded = encode(WakuMessageSchema, message)
      const { $typeName: _type, ...fields } = message
      return {
        name,
        pubsubTopic,
        message: fields,
        encoded,
        hash: messageHash(pubsubTopic, message),
        gossipId: gossipMessageId(encoded),
      }
    }),
  }
}

export function topicVectors(): VectorFile {
  const pubsub = [
    '/waku/2/rs/0/0',
    '/waku/2/rs/66/7',
    '/waku/2/rs/65535/1023',
    '/waku/2/rs/65536/0',
    '/waku/2/rs/1/1024',
    '/waku/2/rs/01/0',
    '/waku/2/rs/1',
    '/waku/2/default-waku/proto',
  ]
  const content = [
    '/myapp/1/mytopic/cbor',
    '/0/myapp/1/mytopic/cbor',
    '/toychat/2/huilong/proto',
    '/waku/2/default-content/proto',
    '/myapp/1/grüße/proto',
    '/1/myapp/1/mytopic/cbor',
    '/myapp/1/mytopic',
    'myapp/1/mytopic/cbor',
    '/myapp//mytopic/cbor',
    '/a/b/c/d/e/f',
  ]
  const shards = (topic: string) =>
    parseContentTopic(topic)
      ? Object.fromEntries([1, 2, 8, 1024].map((count) => [count, shardForContentTopic(topic, count)]))
      : null
  return {
    description:
      'Topics: parts of pubsub topics (null: refused), shards of content topics by number of shards (null: refused)',
    pubsubTopics: pubsub.map((topic) => ({ topic, parsed: parsePubsubTopic(topic) ?? null })),
    contentTopics: content.map((topic) => ({ topic, shards: shards(topic) })),
  }
}
