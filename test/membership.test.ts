// What clients and nodes have in common as members: the list, which a client takes from a node over TCP and checks against
// the contract, and the message ids of one membership.
import {
  createMembershipTree,
  encodeChanges,
  externalNullifier,
  identityFromSecret,
  idRange,
  leavesOfChanges,
  share,
} from '@postrider/protocol/rln'
import { afterEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../client/core/random.ts'
import { nodeTransports } from '../client/node/transports.ts'
import type { NodeView } from '../client/nodes/types.ts'
import { openIdAllocator } from '../client/rln/allocator.ts'
import { createMembership } from '../client/rln/membership.ts'
import { createNodeSources } from '../client/rln/sources.ts'
import { createMemoryStorage } from '../client/storage/memory.ts'
import { createFakeGroup } from '../client/testing/fake-group.ts'
import { createLibp2pTransport } from '../client/transport/libp2p.ts'
import { createChangeLog } from '../node/chain/change-log.ts'
import { systemClock } from '../node/core/clock.ts'
import { openDatabase } from '../node/core/db/index.ts'
import { silentLogger } from '../node/core/logger.ts'
import { createMetrics } from '../node/core/metrics.ts'
import { createTestHost, tcpAddress } from '../node/core/p2p/testing/hosts.ts'
import { createTempDir } from '../node/core/testing/temp-dir.ts'
import { createMembershipServer } from '../node/light/membership.ts'
import { openMessageIds } from '../node/light/message-ids.ts'

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop()
})

describe('the member list', () => {
  it('goes from a node to a client that trusts only the contract', async () => {
    const joined = Array.from({ length: 9_000 }, (_, index) => ({
      index,
      commitment: BigInt(index + 1),
      limit: 9,
    }))
    const left = [5, 8_999].map((index) => ({ index, commitment: 0n, limit: 0 }))
    const changes = [...joined, ...left]

    const log = createChangeLog()
    log.append(changes)
    const host = await createTestHost()
    const server = createMembershipServer({
      ...{ host, clock: systemClock, logger: silentLogger, metrics: createMetrics() },
      changes: { head: () => ({ count: log.count(), block: 1 }), read: log.read },
    })
    await host.start()
    running.push(host)
    await server.start()
    running.push(server)

    const transport = createLibp2pTransport({ clock: systemClock, transports: nodeTransports })
    await transport.start()
    running.push(transport)
    const [address, peerId] = tcpAddress(host).split('/p2p/') as [string, string]
    await transport.connect({ peerId, addresses: [address] })
    const outcomes: string[] = []
    const pool = {
      list: () => [{ peerId, connected: true } as NodeView],
      report: (_: unknown, outcome: string) => void outcomes.push(outcome),
    }

    const group = createFakeGroup()
    group.mine(...changes)
    // The chain's endpoint gives no events: all must come from the node.
    group.hideChanges(() => true)
    const membership = createMembership(
      {
        ...{ chain: group.reader, storage: createMemoryStorage(), clock: systemClock },
        sources: createNodeSources({ pool, transport, random: systemRandom }),
        onError: () => undefined,
      },
      { deployBlock: 1, confirmations: 0 },
    )
    await membership.sync()

    const tree = createMembershipTree()
    tree.setMany(leavesOfChanges(changes))
    expect(membership.members().root()).toBe(tree.root())
    expect(membership.members().size()).toBe(8_998)
    expect(outcomes).toEqual(['served'])
    expect(log.read(0, 3)).toEqual(encodeChanges(changes.slice(0, 3)))
  })
})

describe('two devices of one member', () => {
  it('with ranges that do not overlap have no nullifier in common, whatever each of them sends', async () => {
    const { commitment, secret } = identityFromSecret(987_654_321n)
    const [epoch, pubsubTopic] = [7n, '/waku/2/rs/66/0']
    const scope = externalNullifier({ epoch, networkId: 'test', pubsubTopic })
    const nullifierOf = (messageId: number) => share(secret, scope, messageId, 1n).nullifier
    await using dir = await createTempDir()
    const database = await openDatabase(dir.file('node.db'))
    const node = await openMessageIds(
      { db: database.db, clock: systemClock },
      { commitment, range: idRange(10, 0, 6), epochSeconds: 600 },
    )
    const client = await openIdAllocator(createMemoryStorage(), {
      commitment,
      range: idRange(10, 6),
      epoch: 0n,
    })

    const nullifiers = new Set<bigint>()
    for (let i = 0; i < 6; i++) nullifiers.add(nullifierOf(await node.allocate(epoch)))
    for (let i = 0; i < 4; i++) {
      nullifiers.add(nullifierOf((await client.allocate(pubsubTopic, epoch)).messageId))
    }
    expect(nullifiers.size).toBe(10)
    await expect(node.allocate(epoch)).rejects.toMatchObject({ code: 'RLN_IDS_EXHAUSTED' })
    await expect(client.allocate(pubsubTopic, epoch)).rejects.toMatchObject({ code: 'RLN_IDS_EXHAUSTED' })
    await database.close()
  })
})
