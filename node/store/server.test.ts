import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { PostriderError } from '@postrider/protocol/errors'
import {
  create,
  decode,
  encode,
  type MessageInitShape,
  messageHash,
  PROTOCOL_IDS,
  StoreQueryRequestSchema,
  type StoreQueryResponse,
  StoreQueryResponseSchema,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { createFrameStream, requestFrame } from '../core/p2p/streams.ts'
import { createTestHost, tcpAddress } from '../core/p2p/testing/hosts.ts'
import type { Host } from '../core/p2p.ts'
import { createSeededRandom } from '../core/testing/seeded-random.ts'
import { MAX_PAGE_BYTES, MAX_REQUEST_BYTES } from './constants.ts'
import { createStore, openSqliteArchive, type Store } from './index.ts'
import type { QueryServerOptions } from './server.ts'
import { CONTENT_TOPIC, createOpenGate, PUBSUB_TOPIC, sinkEntry } from './testing/components.ts'
import type { PaymentGate } from './types.ts'

const FILTER = { pubsubTopic: PUBSUB_TOPIC, contentTopics: [CONTENT_TOPIC] }
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024 // what stock clients accept

describe('store over real sockets', () => {
  let server: Host
  let client: Host
  let connection: Connection
  let store: Store | undefined

  beforeAll(async () => {
    server = await createTestHost()
    client = await createTestHost()
    await Promise.all([server.start(), client.start()])
    connection = await client.libp2p.dial(multiaddr(tcpAddress(server)))
  })
  afterAll(() => Promise.all([server.stop(), client.stop()]))
  afterEach(async () => {
    await store?.stop()
    store = undefined
  })

  async function startStore(
    options: { payments?: PaymentGate; queries?: QueryServerOptions; wall?: 'failing' } = {},
  ): Promise<Store> {
    const archive = openSqliteArchive(':memory:')
    if (options.wall) archive.query = () => Promise.reject(new PostriderError('STORE_UNAVAILABLE'))
    store = createStore(
      {
        libp2p: server.libp2p,
        archive,
        payments: options.payments ?? createOpenGate(),
        clock: systemClock,
        logger: silentLogger,
        metrics: createMetrics(),
      },
      // The fixed times of the test messages lie in the past.
      { retention: { seconds: 1e9 }, ...(options.queries ? { queries: options.queries } : {}) },
    )
    await store.start()
    return store
  }

  const send = (frame: Uint8Array): Promise<Uint8Array> =>
    requestFrame({ clock: systemClock }, connection, frame, {
      protocol: PROTOCOL_IDS.storeQuery,
      maxResponseBytes: MAX_RESPONSE_BYTES,
      deadlineMs: 10_000,
    })

  let requests = 0
  async function query(init: MessageInitShape<typeof StoreQueryRequestSchema>): Promise<StoreQueryResponse> {
    const request = create(StoreQueryRequestSchema, {
      requestId: `r${requests++}`,
      includeData: true,
      ...init,
    })
    const response = decode(StoreQueryResponseSchema, await send(encode(StoreQueryRequestSchema, request)))
    expect(response.requestId).toBe(request.requestId)
    return response
  }

  it('serves pages in both directions, each message with its hash, topic and proof', async () => {
    const { accept, flush } = await startStore()
    for (let seed = 1; seed <= 45; seed++) accept(sinkEntry(seed, { rateLimitProof: new Uint8Array([seed]) }))
    await flush()
    for (const paginationForward of [true, false]) {
      const pages: number[][] = []
      let paginationCursor: Uint8Array | undefined
      do {
        const response = await query({
          ...FILTER,
          paginationForward,
          ...(paginationCursor ? { paginationCursor } : {}),
        })
        expect(response.statusCode).toBe(200)
        for (const { message, messageHash: hash, pubsubTopic } of response.messages) {
          expect(hash).toEqual(messageHash(pubsubTopic!, message!))
          expect(message!.rateLimitProof).toEqual(new Uint8Array([Number(message!.timestamp)]))
        }
        pages.push(response.messages.map(({ message }) => Number(message!.timestamp)))
        paginationCursor = response.paginationCursor
      } while (paginationCursor)
      expect(pages.map((page) => page.length)).toEqual([20, 20, 5])
      const numbers = (paginationForward ? pages : pages.reverse()).flat()
      expect(numbers).toEqual(Array.from({ length: 45 }, (_, at) => at + 1))
    }
  })

  it('gives a message of its own node by hash, also one that is not written yet', async () => {
    const { accept, message } = await startStore()
    const entry = sinkEntry(1)
    accept(entry)
    expect(messageHash(entry.pubsubTopic, decode(WakuMessageSchema, (await message(entry.hash))!))).toEqual(
      entry.hash,
    )
    expect(await message(new Uint8Array(32))).toBeUndefined()
  })

  it('finds messages by hash and answers presence without data', async () => {
    const { accept, flush } = await startStore()
    const entries = [1, 2, 3].map((seed) => sinkEntry(seed))
    for (const entry of entries) accept(entry)
    await flush()
    const messageHashes = [entries[2]!.hash, entries[0]!.hash, new Uint8Array(32)]
    const response = await query({ messageHashes, includeData: false, paginationForward: true })
    expect(response.messages.map((found) => found.messageHash)).toEqual([entries[0]!.hash, entries[2]!.hash])
    expect(response.messages.every(({ message, pubsubTopic }) => !message && !pubsubTopic)).toBe(true)
  })

  it('keeps a page of large messages below what stock clients accept', async () => {
    const { accept, flush } = await startStore()
    const payload = new Uint8Array(149_000)
    for (let seed = 1; seed <= 40; seed++) accept(sinkEntry(seed, { payload }))
    await flush()
    const seen: bigint[] = []
    let paginationCursor: Uint8Array | undefined
    do {
      const response = await query({
        paginationForward: true,
        paginationLimit: 100n,
        ...(paginationCursor ? { paginationCursor } : {}),
      })
      expect(response.messages.length).toBeLessThanOrEqual(Math.floor(MAX_PAGE_BYTES / payload.length))
      seen.push(...response.messages.map(({ message }) => message!.timestamp!))
      paginationCursor = response.paginationCursor
    } while (paginationCursor)
    expect(seen).toEqual(Array.from({ length: 40 }, (_, at) => BigInt(at + 1)))
  })

  it('charges each page to the peer, and not a query that it refuses', async () => {
    const payments = createOpenGate()
    await startStore({ payments })
    expect((await query({ requestId: 'paid' })).statusCode).toBe(200)
    expect((await query({ pubsubTopic: PUBSUB_TOPIC })).statusCode).toBe(400)
    const unknown = await query({ paginationCursor: new Uint8Array(32) })
    expect(unknown).toMatchObject({
      statusCode: 400,
      statusDesc: expect.stringMatching(/^STORE_CURSOR_UNKNOWN/),
    })
    expect(payments.charges).toEqual([{ peer: client.peerId, requestId: 'paid' }])
  })

  it('answers 402 with the total when the account does not cover the page', async () => {
    await startStore({ payments: { charge: async () => ({ ok: false, total: 500n }) } })
    const response = await query({})
    expect(response).toMatchObject({ statusCode: 402, messages: [] })
    expect(response.statusDesc).toMatch(/^PAYMENT_REQUIRED: .*total=500$/)
  })

  it.each([
    ['PAYMENT_REQUEST_REPEATED', 429],
    ['PAYMENT_CHANNEL_CLOSING', 402],
  ] as const)('passes %s of the gate on as %i', async (code, status) => {
    await startStore({ payments: { charge: () => Promise.reject(new PostriderError(code)) } })
    expect(await query({})).toMatchObject({
      statusCode: status,
      statusDesc: expect.stringMatching(`^${code}`),
    })
  })

  it('answers 429, 503 and 500 without telling more than it should', async () => {
    await startStore({ queries: { queriesPerSecond: 0.001, queryBurst: 1 } })
    expect((await query({})).statusCode).toBe(200)
    expect(decode(StoreQueryResponseSchema, await send(new Uint8Array()))).toMatchObject({ statusCode: 429 })
    await store?.stop()
    await startStore({ queries: { concurrentQueries: 0 } })
    expect(decode(StoreQueryResponseSchema, await send(new Uint8Array()))).toMatchObject({
      statusCode: 503,
      statusDesc: expect.stringMatching(/^STORE_OVERLOADED/),
    })
    await store?.stop()
    await startStore({ wall: 'failing' })
    expect(await query({})).toMatchObject({ statusCode: 503 })
    await store?.stop()
    await startStore({ payments: { charge: () => Promise.reject(new RangeError('private detail')) } })
    expect(await query({})).toMatchObject({
      statusCode: 500,
      statusDesc: 'the node could not answer the query',
    })
  })

  it('stays up under random, truncated and oversized frames', async () => {
    await startStore()
    const random = createSeededRandom('store frames')
    const valid = encode(
      StoreQueryRequestSchema,
      create(StoreQueryRequestSchema, { requestId: 'fuzz', ...FILTER, paginationLimit: 5n }),
    )
    for (let round = 0; round < 60; round++) {
      const frame =
        round % 2 === 0 ? random.bytes(random.int(200)) : valid.subarray(0, random.int(valid.length))
      const answer = decode(StoreQueryResponseSchema, await send(frame))
      expect([200, 400]).toContain(answer.statusCode)
    }
    await expect(send(new Uint8Array(MAX_REQUEST_BYTES + 1))).rejects.toThrow()
    const cut = await connection.newStream(PROTOCOL_IDS.storeQuery)
    cut.send(new Uint8Array([50, 1, 2, 3]))
    await cut.close()
    await expect(
      createFrameStream(cut, MAX_RESPONSE_BYTES).read(AbortSignal.timeout(5_000)),
    ).rejects.toThrow()
    expect((await query({})).statusCode).toBe(200)
  })

  it('serves nothing any more after it stopped', async () => {
    await startStore()
    await store?.stop()
    store = undefined
    await expect(query({})).rejects.toThrow()
  })
})
