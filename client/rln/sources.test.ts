import type { PostriderError } from '@postrider/protocol/errors'
import type { MembershipChange } from '@postrider/protocol/rln'
import { create, MembershipResponseSchema } from '@postrider/protocol/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { systemRandom } from '../core/random.ts'
import { nodeTransports } from '../node/transports.ts'
import type { NodeInfo, NodeView, Outcome } from '../nodes/types.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { createFakeGroup } from '../testing/fake-group.ts'
import { startPeer } from '../testing/fake-libp2p.ts'
import { type FakeList, serveMembers } from '../testing/fake-members.ts'
import { createLibp2pTransport } from '../transport/libp2p.ts'
import { createMembership } from './membership.ts'
import { createNodeSources } from './sources.ts'

const join = (index: number) => ({ index, commitment: BigInt(index + 100), limit: 5 })
const joins = (count: number, from = 0) => Array.from({ length: count }, (_, i) => join(from + i))

const transport = createLibp2pTransport({ clock: systemClock, transports: nodeTransports })
beforeAll(() => transport.start())
afterAll(() => transport.stop())

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop()
})

/** Nodes over real sockets with these lists (undefined: they do not speak the protocol), asked in this order. */
async function connect(...lists: (FakeList | undefined)[]) {
  const nodes: NodeView[] = []
  const asked: (() => number)[] = []
  for (const list of lists) {
    const { libp2p, target, stop } = await startPeer()
    running.push({ stop })
    asked.push(list ? await serveMembers(libp2p, () => list) : () => 0)
    await transport.connect(target)
    nodes.push({ ...target, operator: '0x', connected: true } as unknown as NodeView)
  }
  const reports: [node: number, outcome: Outcome, code?: string][] = []
  let order = 0
  const pool = {
    list: () => nodes,
    report(node: NodeInfo, outcome: Outcome, error?: PostriderError) {
      const at = nodes.findIndex(({ peerId }) => peerId === node.peerId)
      reports.push(error ? [at, outcome, error.code] : [at, outcome])
    },
  }
  const random = { ...systemRandom, fraction: () => order++ / 1_000 }
  return {
    sources: createNodeSources({ pool, transport, random }),
    reports,
    asked: () => asked.map((n) => n()),
  }
}

/** A chain with a group; `mute`: it gives no events, so that the list can only come from nodes. */
function chainOf(changes: readonly MembershipChange[], { mute = true } = {}) {
  const group = createFakeGroup()
  for (const change of changes) group.mine(change)
  group.hideChanges(() => mute)
  return group
}

type Sources = Awaited<ReturnType<typeof connect>>['sources']

async function sync(
  group: ReturnType<typeof createFakeGroup>,
  sources: Sources,
  storage = createMemoryStorage(),
) {
  const membership = createMembership(
    { chain: group.reader, storage, clock: systemClock, sources, onError: () => undefined },
    { deployBlock: 1, confirmations: 0 },
  )
  await membership.sync()
  return membership.members()
}

const changes = joins(250)
const head = 250n

describe('the member list from nodes, over real sockets', () => {
  it('comes from an honest node in pages, with one call to the contract', async () => {
    const { sources, reports, asked } = await connect({ changes, block: head })
    const members = await sync(chainOf(changes), sources)
    expect([members.size(), members.find(349n)]).toEqual([250, { index: 249, limit: 5 }])
    expect(reports).toEqual([[0, 'served']])
    expect(asked()).toEqual([3])
  })

  const lies: Record<string, FakeList> = {
    'an invented member': { changes: changes.with(120, { ...join(120), commitment: 7n }), block: head },
    'another limit': { changes: changes.with(120, { ...join(120), limit: 6 }), block: head },
    'a missing member': { changes: changes.toSpliced(120, 1), block: head },
    'two members swapped': { changes: changes.with(1, join(2)).with(2, join(1)), block: head },
    'one that ends too soon': { changes: changes.slice(0, 200), block: head },
    'an empty one': { changes: [], block: head },
  }
  it.each(Object.entries(lies))(
    'that lies (%s) is found out, blamed, and another node is asked',
    async (_, lie) => {
      const { sources, reports } = await connect(lie, { changes, block: head })
      expect((await sync(chainOf(changes), sources)).size()).toBe(250)
      expect(reports).toEqual([
        [0, 'failed', 'CLIENT_MEMBERSHIP_MISMATCH'],
        [1, 'served'],
      ])
    },
  )

  it('that is cut within a change, or answers another request, counts as a bad answer', async () => {
    const forged = (fields: object) => (answer: object) =>
      create(MembershipResponseSchema, { ...answer, ...fields })
    const { sources, reports } = await connect(
      { changes, block: head, forge: forged({ changes: new Uint8Array(39) }) },
      { changes, block: head, forge: forged({ requestId: 'another' }) },
      { changes, block: head },
    )
    expect((await sync(chainOf(changes), sources)).size()).toBe(250)
    expect(reports).toEqual([
      [0, 'failed', 'CLIENT_BAD_RESPONSE'],
      [1, 'failed', 'CLIENT_BAD_RESPONSE'],
      [2, 'served'],
    ])
  })

  it('is read from the chain when every node lies', async () => {
    const { sources, reports } = await connect(lies['a missing member'], lies['an empty one'])
    expect((await sync(chainOf(changes, { mute: false }), sources)).size()).toBe(250)
    expect(reports.map(([, outcome]) => outcome)).toEqual(['failed', 'failed'])
  })

  it('is refused when nodes and endpoint lie alike', async () => {
    const { sources } = await connect(lies['a missing member'])
    await expect(sync(chainOf(changes), sources)).rejects.toMatchObject({
      code: 'CLIENT_MEMBERSHIP_MISMATCH',
    })
  })

  it('blames nobody who is busy, not ready, or does not speak the protocol', async () => {
    const busy = (statusCode: number) => (answer: object) =>
      create(MembershipResponseSchema, { ...answer, statusCode })
    const list = { changes, block: head }
    const { sources, reports } = await connect(
      { ...list, forge: busy(429) },
      { ...list, forge: busy(503) },
      undefined,
      list,
    )
    // Three are asked at a time; then the chain is read.
    expect((await sync(chainOf(changes, { mute: false }), sources)).size()).toBe(250)
    expect(reports).toEqual([])
  })

  it('is completed from the chain when the node is behind, and cut when it is ahead', async () => {
    const group = chainOf(changes, { mute: false })
    const behind = await connect({ changes: changes.slice(0, 240), block: 240n })
    expect((await sync(group, behind.sources)).size()).toBe(250)
    const ahead = await connect({ changes: joins(260), block: 260n })
    expect((await sync(group, ahead.sources)).size()).toBe(250)
    expect([behind.reports, ahead.reports]).toEqual([[[0, 'served']], [[0, 'served']]])
  })

  it('is taken up where it was saved, and built anew when a reorganisation made it wrong', async () => {
    const storage = createMemoryStorage()
    const { sources, asked } = await connect({ changes, block: head })
    await sync(chainOf(changes), sources, storage)
    expect(asked()).toEqual([3])

    const restored = createMembership(
      { chain: chainOf(changes).reader, storage, clock: systemClock, onError: () => undefined },
      { deployBlock: 1, confirmations: 0 },
    )
    await restored.start()
    expect(restored.members().size()).toBe(250)
    await restored.stop()

    const other = [...joins(240), ...joins(20, 300).map((change, i) => ({ ...change, index: 240 + i }))]
    const rewritten = await connect({ changes: other, block: 260n })
    const again = createMembership(
      {
        ...{ chain: chainOf(other).reader, storage, clock: systemClock, onError: () => undefined },
        sources: rewritten.sources,
      },
      { deployBlock: 1, confirmations: 0 },
    )
    await again.start()
    expect(again.members().find(other[255]?.commitment ?? 0n)).toEqual({ index: 255, limit: 5 })
    expect(rewritten.reports).toEqual([[0, 'served']])
    await again.stop()
  })
})

describe('a long list', () => {
  it('is built in slices, between which the event loop turns', async () => {
    const many = joins(1_500)
    const { sources } = await connect({ changes: many, block: 1_500n, pageSize: 1_000 })
    let turns = 0
    let going = true
    const tick = () => {
      turns++
      if (going) setImmediate(tick)
    }
    tick()
    const members = await sync(chainOf(many), sources)
    going = false
    expect(members.size()).toBe(1_500)
    expect(turns).toBeGreaterThan(3)
  })
})
