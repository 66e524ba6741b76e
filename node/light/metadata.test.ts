import {
  create,
  decode,
  encode,
  MetadataRequestSchema,
  MetadataResponseSchema,
  PROTOCOL_IDS,
} from '@postrider/protocol/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { createTestHost, TEST_NETWORK, tcpAddress } from '../core/p2p/testing/hosts.ts'
import { eventually } from '../core/testing/eventually.ts'
import { createMetadataServer } from './metadata.ts'
import { connectClient } from './testing/client.ts'

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop()
})

async function start(network: { clusterId: number; shardCount: number } = TEST_NETWORK) {
  const host = await createTestHost({ network })
  const server = createMetadataServer(
    { host, clock: systemClock, logger: silentLogger, metrics: createMetrics() },
    { network },
  )
  await host.start()
  running.push(host)
  await server.start()
  running.push(server)
  return host
}

async function ask(clusterId?: number) {
  const host = await start()
  const client = await connectClient(host)
  running.push(client)
  const request = create(MetadataRequestSchema, clusterId === undefined ? {} : { clusterId })
  const frame = await client.request(PROTOCOL_IDS.metadata, encode(MetadataRequestSchema, request))
  return { host, client, answer: decode(MetadataResponseSchema, frame) }
}

describe('metadata', () => {
  it('tells cluster and shards, and keeps a client that names no shards', async () => {
    const { host, client, answer } = await ask(TEST_NETWORK.clusterId)
    expect(answer).toMatchObject({ clusterId: 66, shards: [0, 1, 2, 3, 4, 5, 6, 7] })
    expect(host.peers()).toEqual([client.host.peerId])
  })

  it('keeps a client that names no cluster', async () => {
    const { host, client } = await ask()
    expect(host.peers()).toEqual([client.host.peerId])
  })

  it('answers a client of another cluster and hangs up', async () => {
    const { host, client, answer } = await ask(1)
    expect(answer.clusterId).toBe(66)
    await eventually(() => expect([host.peers(), client.host.peers()]).toEqual([[], []]))
  })

  it('keeps nodes of one network connected and parts those of two', async () => {
    const [a, b, foreign] = [await start(), await start(), await start({ clusterId: 67, shardCount: 8 })]
    await b.dial(tcpAddress(a))
    await foreign.dial(tcpAddress(a)).catch(() => undefined) // parted during or just after the handshake
    await eventually(() => expect(foreign.peers()).toEqual([]))
    expect(a.peers()).toEqual([b.peerId])
  })

  it('survives garbage', async () => {
    const { client } = await ask(TEST_NETWORK.clusterId)
    await expect(client.request(PROTOCOL_IDS.metadata, new Uint8Array([0xff]))).rejects.toThrow()
    await expect(client.request(PROTOCOL_IDS.metadata, new Uint8Array(5_000))).rejects.toThrow()
    const frame = await client.request(PROTOCOL_IDS.metadata, new Uint8Array())
    expect(decode(MetadataResponseSchema, frame).clusterId).toBe(66)
  })
})
