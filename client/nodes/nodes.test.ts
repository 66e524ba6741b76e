import { generateKeyPair } from '@libp2p/crypto/keys'
import { PostriderError } from '@postrider/protocol/errors'
import { type Address, bytesToHex } from '@postrider/protocol/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RegisteredNode } from '../chain/types.ts'
import { createEmitter } from '../core/emitter.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { createManualClock, type ManualClock, settle } from '../testing/clock.ts'
import type { Target, Transport } from '../transport/types.ts'
import { localScores, pickWeighted, weightOf } from './choose.ts'
import { BACKOFF_START_MS, DIRECTORY_REFRESH_MS, POOL_UPKEEP_MS } from './constants.ts'
import { openCountBook } from './counts.ts'
import { createDirectory, toNodeInfo } from './directory.ts'
import { createNodePool } from './pool.ts'
import type { NodeInfo, PoolEvents } from './types.ts'

const address = (digit: number) => `0x${String(digit).repeat(40)}` as Address
const prices = { publish: 1n, query: 2n, push: 3n }

async function registered(digit: number, stake = 100n): Promise<RegisteredNode> {
  const { publicKey } = await generateKeyPair('Ed25519')
  const endpoints = [`/ip4/127.0.0.1/tcp/${1000 + digit}`]
  return {
    operator: address(digit),
    peerKey: bytesToHex(publicKey.raw),
    services: 15,
    endpoints,
    prices,
    stake,
  }
}

describe('choice', () => {
  it('is in proportion to the weight', () => {
    const weights = [1n, 2n, 7n]
    const counts = [0, 0, 0]
    for (let at = 0; at < 1_000; at++) {
      const picked = pickWeighted([0, 1, 2], (item) => weights[item] ?? 0n, (at + 0.5) / 1_000)
      counts[picked ?? 0]!++
    }
    expect(counts).toEqual([100, 200, 700])
  })

  it('always picks one of the items, whatever the weights', () => {
    const weights = fc.array(fc.bigInt({ min: 1n, max: 2n ** 96n }), { minLength: 1, maxLength: 9 })
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(weights, fraction, (items, at) => {
        expect(items).toContain(pickWeighted(items, (weight) => weight, at))
      }),
    )
    expect(pickWeighted([], () => 1n, 0)).toBeUndefined()
  })

  it('weighs stake by score, and leaves nobody out', () => {
    expect([weightOf(1_000n, 0.5), weightOf(1_000n, 2), weightOf(0n, 1), weightOf(1_000n, 0)]).toEqual([
      500n,
      1_000n,
      1n,
      1n,
    ])
  })

  it('lowers the score by failures, less by late answers', () => {
    const score = (served: number, failed: number, late: number) =>
      localScores.of(address(1), { served, failed, late })
    expect(score(0, 0, 0)).toBe(1)
    expect(score(0, 2, 0)).toBe(0.5)
    expect(score(0, 0, 2)).toBeGreaterThan(score(0, 2, 0))
    expect(score(100, 2, 0)).toBeGreaterThan(0.98)
  })
})

describe('directory', () => {
  it('leaves out what a client cannot use, and adds bootstrap addresses', async () => {
    const node = await registered(1)
    const info = toNodeInfo(node)
    expect(info).toMatchObject({ services: ['store', 'lightpush', 'filter'], stake: 100n, prices })
    expect(toNodeInfo({ ...node, services: 1 })).toBeUndefined()
    expect(toNodeInfo({ ...node, endpoints: ['nonsense'] })).toBeUndefined()
    expect(toNodeInfo({ ...node, peerKey: `0x${'ff'.repeat(32)}` })?.peerId ?? 'none').toBeTypeOf('string')
    const bootstrap = [`/dns4/a.example/tcp/443/wss/p2p/${info?.peerId}`, '/ip4/1.2.3.4/tcp/1/p2p/12D3other']
    const directory = createDirectory(
      { chain: { nodes: async () => [node] }, storage: createMemoryStorage(), clock: createManualClock() },
      { bootstrap },
    )
    await directory.refresh()
    expect(directory.nodes()[0]?.addresses).toEqual([...node.endpoints, '/dns4/a.example/tcp/443/wss'])
  })

  it('keeps the last list while the chain is away, also over a restart', async () => {
    const node = await registered(1)
    const storage = createMemoryStorage()
    const clock = createManualClock()
    let offline = false
    const chain = {
      nodes: async () => {
        if (offline) throw new PostriderError('CLIENT_CHAIN_UNAVAILABLE')
        return [node]
      },
    }
    const first = createDirectory({ chain, storage, clock }, { bootstrap: [] })
    await first.refresh()
    offline = true
    await clock.advance(DIRECTORY_REFRESH_MS)
    await first.refresh()
    expect(first.nodes()).toHaveLength(1)
    const second = createDirectory({ chain, storage, clock }, { bootstrap: [] })
    await second.refresh()
    expect(second.nodes()).toEqual(first.nodes())
    const empty = createDirectory({ chain, storage: createMemoryStorage(), clock }, { bootstrap: [] })
    await expect(empty.refresh()).rejects.toMatchObject({ code: 'CLIENT_CHAIN_UNAVAILABLE' })
  })
})

/** A transport that connects to whom it may. */
function createFakeTransport() {
  const connected = new Set<string>()
  const refusing = new Set<string>()
  const listeners = new Set<(peerId: string) => void>()
  const transport: Pick<Transport, 'connect' | 'disconnect' | 'isConnected' | 'onDisconnect'> = {
    async connect({ peerId }: Target) {
      if (refusing.has(peerId)) throw new PostriderError('CLIENT_CONNECT_FAILED')
      connected.add(peerId)
    },
    async disconnect(peerId) {
      if (connected.delete(peerId)) for (const listener of listeners) listener(peerId)
    },
    isConnected: (peerId) => connected.has(peerId),
    onDisconnect(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { transport: transport as Transport, connected, refusing }
}

async function setUp(count: number, options: { size?: number; preferred?: Address[] } = {}) {
  const clock: ManualClock = createManualClock()
  const storage = createMemoryStorage()
  const list = await Promise.all(Array.from({ length: count }, (_, at) => registered(at + 1)))
  const directory = createDirectory({ chain: { nodes: async () => list }, storage, clock }, { bootstrap: [] })
  const fake = createFakeTransport()
  const shards = new Map<string, number[]>()
  const events = createEmitter<PoolEvents>()
  const counts = await openCountBook(storage)
  const pool = createNodePool(
    {
      directory,
      transport: fake.transport,
      greet: async (peerId) => shards.get(peerId) ?? [],
      counts,
      scores: localScores,
      clock,
      random: { bytes: (length) => new Uint8Array(length), fraction: () => Math.random() },
      events,
    },
    { size: options.size ?? 2, preferred: () => new Set(options.preferred ?? []) },
  )
  await directory.refresh()
  return { pool, clock, events, ...fake, nodes: directory.nodes(), shards, storage, counts }
}
const any = { shard: 0, exclude: new Set<Address>() }
const failure = new PostriderError('CLIENT_BAD_RESPONSE')

describe('pool', () => {
  it('connects to as many as it should, those with a channel first', async () => {
    const { pool, connected, nodes } = await setUp(5, { preferred: [address(3), address(5)] })
    await pool.start()
    const open = nodes.filter(({ peerId }) => connected.has(peerId)).map(({ operator }) => operator)
    expect(open).toEqual([address(3), address(5)])
    await pool.stop()
  })

  it('replaces those that cannot be reached or are lost', async () => {
    const { pool, clock, connected, refusing, nodes, transport } = await setUp(4)
    for (const { peerId } of nodes.slice(0, 2)) refusing.add(peerId)
    await pool.start()
    expect(connected.size).toBe(2)
    refusing.clear()
    await transport.disconnect(nodes[3]!.peerId)
    await settle()
    await clock.advance(POOL_UPKEEP_MS)
    expect(connected.size).toBe(2)
    await pool.stop()
  })

  it('spreads requests, leaves out who was tried, and dials others when none is left', async () => {
    const { pool } = await setUp(3)
    await pool.start()
    const picked = new Set<Address>()
    for (let at = 0; at < 50; at++) picked.add((await pool.acquire('store', any)).operator)
    expect(picked.size).toBe(2)
    const third = await pool.acquire('store', { ...any, exclude: picked })
    expect(picked).not.toContain(third.operator)
    const all = new Set([...picked, third.operator])
    await expect(pool.acquire('store', { ...any, exclude: all })).rejects.toMatchObject({
      code: 'CLIENT_NO_NODE',
    })
    await pool.stop()
  })

  it('lets a node that failed rest, longer each time, unless there is no other', async () => {
    const { pool, clock } = await setUp(2)
    await pool.start()
    const first = await pool.acquire('filter', any)
    pool.report(first, 'failed', failure)
    for (let at = 0; at < 20; at++)
      expect((await pool.acquire('filter', any)).operator).not.toBe(first.operator)
    const other = await pool.acquire('filter', any)
    expect((await pool.acquire('filter', { ...any, exclude: new Set([other.operator]) })).operator).toBe(
      first.operator,
    )
    await clock.advance(BACKOFF_START_MS)
    const seen = new Set<Address>()
    for (let at = 0; at < 50; at++) seen.add((await pool.acquire('filter', any)).operator)
    expect(seen.size).toBe(2)
    await pool.stop()
  })

  it('asks only nodes that serve the shard', async () => {
    const { pool, shards, nodes } = await setUp(3, { size: 3 })
    for (const [at, { peerId }] of nodes.entries()) shards.set(peerId, [at])
    await pool.start()
    expect((await pool.acquire('store', { ...any, shard: 2 })).operator).toBe(nodes[2]!.operator)
    await pool.stop()
  })

  it('never goes back to a node that cheated', async () => {
    const { pool, clock, connected, events } = await setUp(1)
    const failed: NodeInfo[] = []
    events.on('failed', ({ node }) => failed.push(node))
    await pool.start()
    const cheat = await pool.acquire('store', any)
    pool.distrust(cheat, new PostriderError('CLIENT_OVERCHARGED'))
    await clock.advance(POOL_UPKEEP_MS * 100)
    expect(connected.size).toBe(0)
    await expect(pool.acquire('store', any)).rejects.toMatchObject({
      code: 'CLIENT_NO_NODE',
      data: { known: 0 },
    })
    expect(pool.list()[0]).toMatchObject({ distrusted: 'CLIENT_OVERCHARGED', connected: false })
    expect(failed).toEqual([cheat])
    await pool.stop()
  })

  it('keeps its counts over a restart', async () => {
    const { pool, storage } = await setUp(1)
    await pool.start()
    const node = await pool.acquire('store', any)
    pool.report(node, 'served')
    pool.report(node, 'late')
    pool.report(node, 'failed')
    await pool.stop()
    const counts = await openCountBook(storage)
    expect(counts.of(node.operator)).toEqual({ served: 1, late: 1, failed: 1 })
  })

  it('stops for the caller and when it is stopped', async () => {
    const { pool } = await setUp(1)
    await pool.start()
    const aborted = pool.acquire('store', { ...any, signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
    await pool.stop()
    await expect(pool.acquire('store', any)).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
  })
})
