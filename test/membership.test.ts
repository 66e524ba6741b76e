// A client takes the whole list of members from a node's own server, over TCP, and checks it against the contract.
import { createMembershipTree, encodeChanges, leavesOfChanges } from '@postrider/protocol/rln'
import { afterEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../client/core/random.ts'
import { nodeTransports } from '../client/node/transports.ts'
import type { NodeView } from '../client/nodes/types.ts'
import { createMembership } from '../client/rln/membership.ts'
import { createNodeSources } from '../client/rln/sources.ts'
import { createMemoryStorage } from '../client/storage/memory.ts'
import { createFakeGroup } from '../client/testing/fake-group.ts'
import { createLibp2pTransport } from '../client/transport/libp2p.ts'
import { createChangeLog } from '../node/chain/change-log.ts'
import { systemClock } from '../node/core/clock.ts'
import { silentLogger } from '../node/core/logger.ts'
import { createMetrics } from '../node/core/metrics.ts'
import { createTestHost, tcpAddress } from '../node/core/p2p/testing/hosts.ts'
import { createMembershipServer } from '../node/light/membership.ts'

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
