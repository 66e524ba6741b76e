import { PostriderError } from '@postrider/protocol/errors'
import {
  createWakuMessage,
  MAX_MESSAGE_BYTES,
  msToTimestamp,
  PROTOCOL_IDS,
  utf8ToBytes,
  type WakuMessage,
} from '@postrider/protocol/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { eventually } from '../core/testing/eventually.ts'
import {
  buildMessage,
  CONTENT_TOPIC,
  createMember,
  network,
  TOPIC,
  topicOf,
} from '../relay/testing/messages.ts'
import { startNode } from '../relay/testing/nodes.ts'
import { LIGHTPUSH_BURST, MAX_LIGHTPUSH_FRAME_BYTES } from './constants.ts'
import { createLightpushServer } from './lightpush.ts'
import { connectClient } from './testing/client.ts'
import { createTestGate, createTestProver } from './testing/ports.ts'
import type { NodeProver } from './types.ts'

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop()
})

async function setUp(options: { free?: number; prover?: NodeProver | null; deadlineMs?: number } = {}) {
  const node = await startNode()
  running.push(node)
  const gate = createTestGate(options.free)
  const { prover = createTestProver(), deadlineMs } = options
  const server = createLightpushServer(
    {
      host: node.host,
      relay: node.relay,
      gate,
      clock: systemClock,
      logger: silentLogger,
      metrics: node.metrics,
      ...(prover ? { prover } : {}),
    },
    { network, ...(deadlineMs ? { deadlineMs } : {}) },
  )
  await server.start()
  running.push(server)
  const client = await connectClient(node.host)
  running.push(client)
  return { node, gate, client }
}

const member = createMember(99n)
const proven = (options: Partial<Parameters<typeof buildMessage>[0]> = {}) =>
  buildMessage({ member, nowMs: Date.now(), ...options })
const bare = (fields: Partial<WakuMessage> = {}): WakuMessage => ({
  ...createWakuMessage({
    payload: utf8ToBytes('hi'),
    contentTopic: CONTENT_TOPIC,
    timestamp: msToTimestamp(Date.now()),
  }),
  ...fields,
})

describe('lightpush', () => {
  it('publishes a message with its own proof', async () => {
    const { node, gate, client } = await setUp()
    const answer = await client.lightpush(proven(), { requestId: 'r1', pubsubTopic: TOPIC })
    expect(answer).toMatchObject({ requestId: 'r1', statusCode: 200, statusDesc: 'OK', relayPeerCount: 0 })
    expect(node.received).toHaveLength(1)
    expect(gate.charges).toMatchObject([{ peer: client.host.peerId, requestId: 'r1', service: 'publish' }])
  })

  it('finds the shard by itself when the client names none', async () => {
    const { node, client } = await setUp()
    expect((await client.lightpush(proven())).statusCode).toBe(200)
    expect(node.received[0]?.pubsubTopic).toBe(TOPIC)
  })

  it("attaches the node's proof to a message without one", async () => {
    const { node, client } = await setUp()
    expect((await client.lightpush(bare())).statusCode).toBe(200)
    expect(node.received[0]?.message.rateLimitProof).toBeDefined()
    expect(Buffer.from(node.received[0]?.message.payload ?? []).toString()).toBe('hi')
  })

  it('refuses a message without a proof, uncharged, when it has no membership of its own', async () => {
    const { client, gate } = await setUp({ prover: null })
    expect(await client.lightpush(bare())).toMatchObject({ statusCode: 420 })
    expect(gate.charges).toEqual([])
  })

  it('asks for payment, and serves the same request once it is paid', async () => {
    const { node, gate, client } = await setUp({ free: 0 })
    const message = proven()
    expect(await client.lightpush(message, { requestId: 'r1' })).toMatchObject({
      statusCode: 402,
      statusDesc: 'PAYMENT_REQUIRED: The account does not cover this request: total=7',
    })
    expect(node.received).toEqual([])
    gate.allow(1)
    expect((await client.lightpush(message, { requestId: 'r1' })).statusCode).toBe(200)
    // The answer was lost, say: the same request again is answered, and not charged or published twice.
    expect((await client.lightpush(message, { requestId: 'r1' })).statusCode).toBe(200)
    expect(node.received).toHaveLength(1)
  })

  it('charges other content under a used request id, and not a new proof of the same message', async () => {
    const { gate, client } = await setUp()
    const nowMs = Date.now()
    const options = { requestId: 'r1' }
    await client.lightpush(proven({ text: 'one', nowMs }), options)
    await client.lightpush(proven({ text: 'one', nowMs, randomness: 1 }), options)
    await client.lightpush(proven({ text: 'two', nowMs, messageId: 1 }), options)
    const contents = gate.charges.map(({ content }) => Buffer.from(content ?? []).toString('hex'))
    expect(contents[0]).toBe(contents[1])
    expect(contents[2]).not.toBe(contents[0])
  })

  it.each<[string, () => WakuMessage | undefined, object, number]>([
    ['no message', () => undefined, {}, 400],
    ['an empty request id', () => proven(), { requestId: '' }, 400],
    ['a long request id', () => proven(), { requestId: 'x'.repeat(129) }, 400],
    ['a bad content topic', () => bare({ contentTopic: 'chat' }), {}, 400],
    ['a topic of another cluster', () => proven(), { pubsubTopic: '/waku/2/rs/1/0' }, 421],
    ['another shard', () => proven(), { pubsubTopic: topicOf('/other/1/room/proto') }, 421],
    ['a large meta', () => bare({ meta: new Uint8Array(65) }), {}, 400],
    ['a large message', () => bare({ payload: new Uint8Array(MAX_MESSAGE_BYTES) }), {}, 413],
    [
      'no timestamp',
      () => createWakuMessage({ payload: new Uint8Array(1), contentTopic: CONTENT_TOPIC, timestamp: 0n }),
      {},
      420,
    ],
    ['a stale message', () => proven({ nowMs: Date.now() - 30_000 }), {}, 420],
    ['a changed message', () => ({ ...proven(), payload: utf8ToBytes('other') }), {}, 420],
    ['a proof of other bytes', () => bare({ rateLimitProof: new Uint8Array([1, 2, 3]) }), {}, 420],
  ])('answers %s with its status, uncharged', async (_, build, options, status) => {
    const { gate, client, node } = await setUp()
    expect((await client.lightpush(build(), options)).statusCode).toBe(status)
    expect(gate.charges).toEqual([])
    expect(node.received).toEqual([])
  })

  it('answers what only the relay can know', async () => {
    const { client, node } = await setUp()
    const invalid = await client.lightpush(proven({ valid: false }))
    expect(invalid).toMatchObject({
      statusCode: 420,
      statusDesc: expect.stringMatching(/^RLN_PROOF_INVALID: /),
    })
    expect(node.host.penaltyPoints(client.host.peerId)).toBeGreaterThan(0)
    expect((await client.lightpush(proven({ text: 'one' }))).statusCode).toBe(200)
    const breach = await client.lightpush(proven({ text: 'two' }))
    expect(breach).toMatchObject({ statusCode: 429, statusDesc: expect.stringMatching(/^RLN_BREACH: /) })
    await eventually(() => expect(node.breaches).toHaveLength(1))
  })

  it.each<[ConstructorParameters<typeof PostriderError>[0], number]>([
    ['RLN_IDS_EXHAUSTED', 429],
    ['ZK_QUEUE_FULL', 503],
  ])('says %s of its own prover', async (code, status) => {
    const { client } = await setUp({
      prover: { attach: () => Promise.reject(new PostriderError(code)) },
    })
    expect((await client.lightpush(bare())).statusCode).toBe(status)
  })

  it('hides what it did not expect', async () => {
    const { client } = await setUp({ prover: { attach: () => Promise.reject(new TypeError('a path')) } })
    expect(await client.lightpush(bare())).toMatchObject({ statusCode: 500, statusDesc: 'internal error' })
  })

  it('limits the rate of one client, not of another', async () => {
    const { node, client } = await setUp()
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const answers = []
        for (let i = 0; i < LIGHTPUSH_BURST / 20; i++)
          answers.push((await client.lightpush(undefined)).statusCode)
        return answers
      }),
    )
    expect(new Set(statuses.flat())).toEqual(new Set([400, 429]))
    const other = await connectClient(node.host)
    running.push(other)
    expect((await other.lightpush(proven())).statusCode).toBe(200)
  })
})

describe('garbage on lightpush', () => {
  it.each<[string, Uint8Array[]]>([
    ['random bytes', [crypto.getRandomValues(new Uint8Array(500))]],
    ['a truncated frame', [new Uint8Array([200, 1, 1, 2, 3])]],
    ['an oversized frame', [new Uint8Array([0x80, 0x80, 0x80, 0x01])]],
    ['an endless prefix', [new Uint8Array(100).fill(0xff)]],
    ['two frames at once', [new Uint8Array([2, 1, 1]), new Uint8Array(MAX_LIGHTPUSH_FRAME_BYTES + 100)]],
  ])('survives %s', async (_, chunks) => {
    const { client } = await setUp()
    const stream = await client.connection.newStream(PROTOCOL_IDS.lightpush)
    for (const chunk of chunks) stream.send(chunk)
    await stream.close().catch(() => undefined) // it may be reset already
    expect((await client.lightpush(proven())).statusCode).toBe(200)
  })

  it('answers 400 to a frame that is no request', async () => {
    const { client } = await setUp()
    const { decode, LightpushResponseSchema } = await import('@postrider/protocol/wire')
    const frame = await client.request(PROTOCOL_IDS.lightpush, new Uint8Array([0xff, 0xff, 0xff]))
    expect(decode(LightpushResponseSchema, frame)).toMatchObject({ requestId: '', statusCode: 400 })
  })

  it('cuts off a client that dribbles, at the deadline', async () => {
    const { client } = await setUp({ deadlineMs: 400 })
    const stream = await client.connection.newStream(PROTOCOL_IDS.lightpush)
    const dribble = setInterval(() => {
      if (stream.status === 'open') stream.send(new Uint8Array([0x7f]))
    }, 50)
    try {
      await eventually(() => expect(stream.status).not.toBe('open'))
    } finally {
      clearInterval(dribble)
    }
    expect((await client.lightpush(proven())).statusCode).toBe(200)
  })
})
