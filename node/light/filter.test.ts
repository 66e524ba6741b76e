import { PostriderError } from '@postrider/protocol/errors'
import { decode, FilterSubscribeResponseSchema, PROTOCOL_IDS } from '@postrider/protocol/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { createTestHost } from '../core/p2p/testing/hosts.ts'
import type { Host } from '../core/p2p.ts'
import { eventually } from '../core/testing/eventually.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import {
  buildMessage,
  CONTENT_TOPIC,
  createMember,
  network,
  TOPIC,
  topicOf,
} from '../relay/testing/messages.ts'
import {
  FILTER_BURST,
  FILTER_TICK_MS,
  MAX_PUSH_QUEUE,
  MAX_TOPICS_PER_REQUEST,
  PUSH_GRACE_MS,
  SUBSCRIPTION_TTL_MS,
} from './constants.ts'
import { createFilterServer } from './filter.ts'
import { connectClient } from './testing/client.ts'
import { createTestGate } from './testing/ports.ts'
import type { PaymentGate } from './types.ts'

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop()
})

async function setUp(
  options: { gate?: PaymentGate; clock?: Clock; deadlineMs?: number; handlePushes?: boolean } = {},
) {
  const { gate = createTestGate(), clock = systemClock, deadlineMs, handlePushes } = options
  const host = await createTestHost()
  await host.start()
  running.push(host)
  const metrics = createMetrics()
  const filter = createFilterServer(
    { host, gate, clock, logger: silentLogger, metrics },
    { network, ...(deadlineMs ? { deadlineMs } : {}) },
  )
  await filter.start()
  running.push(filter)
  const client = await connectClient(host, handlePushes)
  running.push(client)
  return { host, filter, client, metrics }
}

const PING = { filterSubscribeType: 0 }
const subscribe = (...contentTopics: string[]) => ({
  filterSubscribeType: 1,
  pubsubTopic: TOPIC,
  contentTopics,
})
const unsubscribe = (...contentTopics: string[]) => ({
  filterSubscribeType: 2,
  pubsubTopic: TOPIC,
  contentTopics,
})
const UNSUBSCRIBE_ALL = { filterSubscribeType: 3 }

const member = createMember(5n)
function entry(text: string, contentTopic = CONTENT_TOPIC, size = 0) {
  const payload = size > 0 ? { payload: new Uint8Array(size) } : {}
  const message = buildMessage({
    member,
    text,
    contentTopic,
    nowMs: Date.now(),
    change: { message: payload },
  })
  return {
    pubsubTopic: topicOf(contentTopic),
    message,
    hash: Uint8Array.from(Buffer.from(text.padEnd(32))),
    data: new Uint8Array(),
  }
}
const texts = (pushes: { wakuMessage?: { payload: Uint8Array } | undefined }[]) =>
  pushes.map(({ wakuMessage }) => Buffer.from(wakuMessage?.payload ?? []).toString())

describe('filter', () => {
  it('pushes what a client subscribed to, in order, until it unsubscribes', async () => {
    const { filter, client } = await setUp()
    const other = '/chat/1/other/proto'
    expect(topicOf(other)).toBe(TOPIC)
    expect(await client.filter(PING)).toMatchObject({ statusCode: 404 })
    expect(await client.filter(subscribe(CONTENT_TOPIC))).toMatchObject({ statusCode: 200 })
    expect(await client.filter(PING)).toMatchObject({ statusCode: 200 })
    for (const text of ['a', 'b', 'c']) filter.accept(entry(text))
    filter.accept(entry('x', other))
    await eventually(() => expect(texts(client.pushes)).toEqual(['a', 'b', 'c']))
    expect(client.pushes[0]).toMatchObject({
      pubsubTopic: TOPIC,
      wakuMessage: { contentTopic: CONTENT_TOPIC },
    })
    await client.filter(subscribe(other))
    expect(await client.filter(unsubscribe(CONTENT_TOPIC))).toMatchObject({ statusCode: 200 })
    filter.accept(entry('d'))
    filter.accept(entry('y', other))
    await eventually(() => expect(texts(client.pushes)).toEqual(['a', 'b', 'c', 'y']))
    expect(await client.filter(UNSUBSCRIBE_ALL)).toMatchObject({ statusCode: 200 })
    expect(await client.filter(UNSUBSCRIBE_ALL)).toMatchObject({ statusCode: 404 })
    expect(filter.stats()).toEqual({ subscribers: 0, criteria: 0, queued: 0 })
  })

  it('serves each subscriber its own topics', async () => {
    const { host, filter, client } = await setUp()
    const second = await connectClient(host)
    running.push(second)
    await client.filter(subscribe(CONTENT_TOPIC))
    await second.filter(subscribe(CONTENT_TOPIC, '/chat/1/other/proto'))
    filter.accept(entry('a'))
    filter.accept(entry('b', '/chat/1/other/proto'))
    await eventually(() => expect(texts(second.pushes)).toEqual(['a', 'b']))
    await eventually(() => expect(texts(client.pushes)).toEqual(['a']))
  })

  it('opens a new stream when the client has closed the one in use', async () => {
    const { host, filter, client } = await setUp()
    await client.filter(subscribe(CONTENT_TOPIC))
    filter.accept(entry('a'))
    await eventually(() => expect(texts(client.pushes)).toEqual(['a']))
    const pushStreams = (of: Host) =>
      of.libp2p
        .getConnections()
        .flatMap(({ streams }) => streams.filter(({ protocol }) => protocol === PROTOCOL_IDS.filterPush))
    for (const stream of pushStreams(client.host)) stream.abort(new TypeError('closed by the client'))
    await eventually(() => expect(pushStreams(host)).toEqual([]))
    filter.accept(entry('b'))
    await eventually(() => expect(texts(client.pushes)).toEqual(['a', 'b']))
  })

  it.each<[string, object, number]>([
    ['an unknown type', { filterSubscribeType: 9 }, 400],
    ['no pubsub topic', { filterSubscribeType: 1, contentTopics: [CONTENT_TOPIC] }, 400],
    ['another cluster', { ...subscribe(CONTENT_TOPIC), pubsubTopic: '/waku/2/rs/1/0' }, 400],
    ['no content topic', subscribe(), 400],
    [
      'too many content topics',
      subscribe(...Array.from({ length: MAX_TOPICS_PER_REQUEST + 1 }, (_, i) => `/a/1/${i}/p`)),
      400,
    ],
    ['a bad content topic', subscribe('chat'), 400],
    ['an unsubscription of nothing', unsubscribe(CONTENT_TOPIC), 404],
  ])('answers %s with its status', async (_, request, status) => {
    const { client, filter } = await setUp()
    expect(await client.filter(request)).toMatchObject({ statusCode: status })
    expect(filter.stats().subscribers).toBe(0)
  })

  it('says 503 when a client asks for more than it may', async () => {
    const { client } = await setUp()
    const statuses: number[] = []
    for (let batch = 0; batch < 11; batch++) {
      const topics = Array.from({ length: MAX_TOPICS_PER_REQUEST }, (_, i) => `/a/1/${batch}-${i}/p`)
      statuses.push((await client.filter(subscribe(...topics))).statusCode)
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 503])
  })

  it('limits the rate of requests', async () => {
    const { client } = await setUp()
    const statuses: number[] = []
    for (let i = 0; i < FILTER_BURST + 20; i++) statuses.push((await client.filter(PING)).statusCode)
    expect(statuses).toContain(429)
  })

  it('forgets a client that has gone', async () => {
    const { filter, client } = await setUp()
    await client.filter(subscribe(CONTENT_TOPIC))
    await client.stop()
    await eventually(() => expect(filter.stats().subscribers).toBe(0))
    filter.accept(entry('a'))
    expect(filter.stats().queued).toBe(0)
  })

  it('forgets a client that stops pinging', async () => {
    const clock = createManualClock(Date.now())
    const { filter, client } = await setUp({ clock })
    await client.filter(subscribe(CONTENT_TOPIC))
    await clock.advance(SUBSCRIPTION_TTL_MS - FILTER_TICK_MS)
    await client.filter(PING)
    await clock.advance(SUBSCRIPTION_TTL_MS - FILTER_TICK_MS)
    expect(filter.stats().subscribers).toBe(1)
    await clock.advance(3 * FILTER_TICK_MS)
    expect(filter.stats().subscribers).toBe(0)
    expect(await client.filter(PING)).toMatchObject({ statusCode: 404 })
  })
})

describe('slow and broken subscribers', () => {
  it('drops one that does not take pushes, and keeps the others served', async () => {
    const { host, filter, client, metrics } = await setUp({ handlePushes: false })
    const good = await connectClient(host)
    running.push(good)
    await client.filter(subscribe(CONTENT_TOPIC))
    await good.filter(subscribe(CONTENT_TOPIC))
    filter.accept(entry('a'))
    await eventually(() => expect(filter.stats().subscribers).toBe(1))
    await eventually(() => expect(texts(good.pushes)).toEqual(['a']))
    expect(await client.filter(PING)).toMatchObject({ statusCode: 404 })
    expect(await metrics.text()).toContain('postrider_light_subscribers_dropped_total')
  })

  it('drops one whose queue is full', async () => {
    const never: PaymentGate = { charge: () => new Promise(() => undefined) }
    const { filter, client } = await setUp({ gate: never })
    await client.filter(subscribe(CONTENT_TOPIC))
    for (let i = 0; i <= MAX_PUSH_QUEUE; i++) filter.accept(entry(`${i}`))
    expect(filter.stats()).toMatchObject({ subscribers: 1, queued: MAX_PUSH_QUEUE })
    filter.accept(entry('one more'))
    expect(filter.stats()).toEqual({ subscribers: 0, criteria: 0, queued: 0 })
  })

  it('drops one that opens the stream and never reads', async () => {
    const clock = createManualClock(Date.now())
    const { filter, client } = await setUp({ handlePushes: false, clock })
    await client.host.libp2p.handle(PROTOCOL_IDS.filterPush, (stream) => stream.pause())
    await client.filter(subscribe(CONTENT_TOPIC))
    // More than the stream's window, so that the writer has to wait for the reader.
    for (let i = 0; i < 10; i++) filter.accept(entry(`${i}`, CONTENT_TOPIC, 100_000))
    await eventually(() => expect(clock.pending()).toBeGreaterThan(1))
    await eventually(async () => {
      await clock.advance(5_000)
      expect(filter.stats().subscribers).toBe(0)
    })
  })
})

describe('payment for pushes', () => {
  it('charges every push before it is sent', async () => {
    const gate = createTestGate()
    const { filter, client } = await setUp({ gate })
    await client.filter(subscribe(CONTENT_TOPIC))
    filter.accept(entry('a'))
    await eventually(() => expect(client.pushes).toHaveLength(1))
    expect(gate.charges).toEqual([
      {
        peer: client.host.peerId,
        requestId: expect.stringMatching(/^push-0x[0-9a-f]{64}$/),
        service: 'push',
      },
    ])
  })

  it('waits for payment within the grace period and then goes on', async () => {
    const clock = createManualClock(Date.now())
    const gate = createTestGate(1)
    const { filter, client } = await setUp({ gate, clock })
    await client.filter(subscribe(CONTENT_TOPIC))
    for (const text of ['a', 'b', 'c']) filter.accept(entry(text))
    await eventually(() => expect(texts(client.pushes)).toEqual(['a']))
    await clock.advance(PUSH_GRACE_MS / 2)
    gate.allow(5)
    await clock.advance(2_000)
    await eventually(() => expect(texts(client.pushes)).toEqual(['a', 'b', 'c']))
    expect(filter.stats().subscribers).toBe(1)
  })

  it('waits while the gate cannot say', async () => {
    const clock = createManualClock(Date.now())
    let stale = true
    const gate: PaymentGate = {
      async charge() {
        if (stale) throw new PostriderError('PAYMENT_CHAIN_STALE')
        return { ok: true, charged: 1n, free: false }
      },
    }
    const { filter, client } = await setUp({ gate, clock })
    await client.filter(subscribe(CONTENT_TOPIC))
    filter.accept(entry('a'))
    await eventually(() => expect(clock.pending()).toBeGreaterThan(1))
    await clock.advance(PUSH_GRACE_MS / 2)
    stale = false
    await clock.advance(2_000)
    await eventually(() => expect(texts(client.pushes)).toEqual(['a']))
  })

  it('unsubscribes a client that does not pay in time', async () => {
    const clock = createManualClock(Date.now())
    const { filter, client } = await setUp({ gate: createTestGate(0), clock })
    await client.filter(subscribe(CONTENT_TOPIC))
    filter.accept(entry('a'))
    await eventually(() => expect(clock.pending()).toBeGreaterThan(1))
    await clock.advance(PUSH_GRACE_MS - 2_000)
    expect(filter.stats().subscribers).toBe(1)
    await clock.advance(4_000)
    expect(filter.stats().subscribers).toBe(0)
    expect(client.pushes).toEqual([])
  })
})

describe('garbage on filter', () => {
  it.each<[string, Uint8Array[]]>([
    ['random bytes', [crypto.getRandomValues(new Uint8Array(500))]],
    ['a truncated frame', [new Uint8Array([200, 1, 1, 2, 3])]],
    ['an oversized frame', [new Uint8Array([0x80, 0x80, 0x80, 0x01])]],
  ])('survives %s', async (_, chunks) => {
    const { client } = await setUp()
    const stream = await client.connection.newStream(PROTOCOL_IDS.filterSubscribe)
    for (const chunk of chunks) stream.send(chunk)
    await stream.close().catch(() => undefined) // it may be reset already
    expect((await client.filter(subscribe(CONTENT_TOPIC))).statusCode).toBe(200)
  })

  it('answers 400 to a frame that is no request', async () => {
    const { client } = await setUp()
    const frame = await client.request(PROTOCOL_IDS.filterSubscribe, new Uint8Array([0xff]))
    expect(decode(FilterSubscribeResponseSchema, frame)).toMatchObject({ statusCode: 400 })
  })

  it('cuts off a stream that stays silent, at the deadline', async () => {
    const { client } = await setUp({ deadlineMs: 200 })
    const stream = await client.connection.newStream(PROTOCOL_IDS.filterSubscribe)
    stream.send(new Uint8Array([0x20]))
    await eventually(() => expect(stream.status).not.toBe('open'))
    expect((await client.filter(subscribe(CONTENT_TOPIC))).statusCode).toBe(200)
  })

  it('resets a push stream on which the subscriber talks', async () => {
    const { filter, client } = await setUp({ handlePushes: false })
    const statuses: string[] = []
    await client.host.libp2p.handle(PROTOCOL_IDS.filterPush, (stream) => {
      stream.send(new Uint8Array(100))
      stream.addEventListener('close', () => statuses.push(stream.status))
    })
    await client.filter(subscribe(CONTENT_TOPIC))
    filter.accept(entry('a'))
    await eventually(() => expect(statuses.length).toBeGreaterThan(0))
  })
})
