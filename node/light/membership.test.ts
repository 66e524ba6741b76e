import {
  CHANGE_BYTES,
  decodeChanges,
  encodeChanges,
  MAX_CHANGES_PER_PAGE,
  type MembershipChange,
} from '@postrider/protocol/rln'
import {
  concatBytes,
  create,
  decode,
  encode,
  MembershipRequestSchema,
  type MembershipResponse,
  MembershipResponseSchema,
  PROTOCOL_IDS,
} from '@postrider/protocol/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { requestFrame } from '../core/p2p/streams.ts'
import { createTestHost } from '../core/p2p/testing/hosts.ts'
import { PAGES_BURST } from './constants.ts'
import { createMembershipServer } from './membership.ts'
import { connectClient, type TestClient } from './testing/client.ts'
import type { MembershipChanges } from './types.ts'

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop()
})

const joins = (count: number): MembershipChange[] =>
  Array.from({ length: count }, (_, index) => ({ index, commitment: BigInt(index + 1), limit: 7 }))

function listOf(changes: readonly MembershipChange[], block: number | undefined): MembershipChanges {
  const bytes = encodeChanges(changes)
  return {
    head: () => ({ count: changes.length, block }),
    read: (from, limit) => bytes.slice(from * CHANGE_BYTES, (from + limit) * CHANGE_BYTES),
  }
}

async function connect(changes: MembershipChanges): Promise<TestClient> {
  const host = await createTestHost()
  // Time stands still, so that no allowance comes back during a test.
  const clock = { ...systemClock, nowMs: () => 0 }
  const metrics = createMetrics()
  const server = createMembershipServer({ host, changes, clock, logger: silentLogger, metrics })
  await host.start()
  running.push(host)
  await server.start()
  running.push(server)
  const client = await connectClient(host)
  running.push(client)
  return client
}

async function askRaw({ connection }: TestClient, frame: Uint8Array): Promise<MembershipResponse> {
  const answer = await requestFrame({ clock: systemClock }, connection, frame, {
    protocol: PROTOCOL_IDS.membership,
    maxResponseBytes: 400_000,
    deadlineMs: 10_000,
  })
  return decode(MembershipResponseSchema, answer)
}
const ask = (client: TestClient, from: bigint) =>
  askRaw(client, encode(MembershipRequestSchema, create(MembershipRequestSchema, { requestId: 'r', from })))

describe('membership server', () => {
  it('gives the whole list in pages that join', async () => {
    const changes = joins(MAX_CHANGES_PER_PAGE + 100)
    const client = await connect(listOf(changes, 42))
    const first = await ask(client, 0n)
    expect(first).toMatchObject({
      requestId: 'r',
      statusCode: 200,
      block: 42n,
      total: BigInt(changes.length),
    })
    expect(first.changes).toHaveLength(MAX_CHANGES_PER_PAGE * CHANGE_BYTES)
    const second = await ask(client, BigInt(MAX_CHANGES_PER_PAGE))
    expect(decodeChanges(concatBytes(first.changes, second.changes))).toEqual(changes)
  })

  it('goes on from where the client is, and shows when it is behind the client', async () => {
    const client = await connect(listOf(joins(10), 5))
    expect(decodeChanges((await ask(client, 8n)).changes)).toEqual(joins(10).slice(8))
    for (const from of [10n, 11n, 2n ** 60n]) {
      expect(await ask(client, from)).toMatchObject({
        statusCode: 200,
        total: 10n,
        changes: new Uint8Array(0),
      })
    }
  })

  it('says 503 before it has read the chain', async () => {
    const client = await connect(listOf([], undefined))
    expect(await ask(client, 0n)).toMatchObject({ statusCode: 503, total: 0n, block: 0n })
  })

  it('an empty group is an answer', async () => {
    const client = await connect(listOf([], 3))
    expect(await ask(client, 0n)).toMatchObject({ statusCode: 200, total: 0n, block: 3n })
  })

  it('survives garbage', async () => {
    const client = await connect(listOf(joins(3), 1))
    expect(await askRaw(client, Uint8Array.of(0xff))).toMatchObject({ statusCode: 400, requestId: '' })
    await expect(askRaw(client, new Uint8Array(2_000))).rejects.toThrow()
    const long = create(MembershipRequestSchema, { requestId: 'x'.repeat(900) })
    expect((await askRaw(client, encode(MembershipRequestSchema, long))).requestId).toHaveLength(128)
    expect(await ask(client, 0n)).toMatchObject({ statusCode: 200, total: 3n })
  })

  it('limits each client', async () => {
    const client = await connect(listOf(joins(3), 1))
    const statuses = new Set<number>()
    for (let page = 0; page < PAGES_BURST; page++) statuses.add((await ask(client, 0n)).statusCode)
    expect([...statuses]).toEqual([200])
    expect(await ask(client, 0n)).toMatchObject({ statusCode: 429, total: 0n })
  })
})
