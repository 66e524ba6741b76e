import { multiaddr } from '@multiformats/multiaddr'
import { PostriderError } from '@postrider/protocol/errors'
import { bytesToHex, encode, utf8ToBytes, WakuMessageSchema } from '@postrider/protocol/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { GOSSIP_PROTOCOLS, MAX_GOSSIP_RPC_BYTES } from '../core/p2p/constants.ts'
import { createTestHost, tcpAddress } from '../core/p2p/testing/hosts.ts'
import type { Host } from '../core/p2p.ts'
import { eventually } from '../core/testing/eventually.ts'
import { buildData, buildMessage, createMember, TOPIC, topicOf } from './testing/messages.ts'
import { startNode, type TestNode } from './testing/nodes.ts'
import { createManualVerifier } from './testing/ports.ts'
import type { ProofVerifier, Source } from './types.ts'

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()))
})

async function start(options: Parameters<typeof startNode>[0] = {}): Promise<TestNode> {
  const node = await startNode(options)
  running.push(node)
  return node
}

/** Starts nodes in a line, each connected to the one before it, with the mesh grown. */
async function startLine(count: number, options: Parameters<typeof startNode>[0] = {}): Promise<TestNode[]> {
  const nodes: TestNode[] = []
  for (let i = 0; i < count; i++) {
    const node = await start(options)
    const previous = nodes.at(-1)
    if (previous) await node.host.dial(tcpAddress(previous.host))
    nodes.push(node)
  }
  await meshed(nodes, (i) => (i === 0 || i === count - 1 ? 1 : 2))
  return nodes
}

const meshed = (nodes: TestNode[], degree: (index: number) => number) =>
  eventually(() => {
    for (const [i, { relay }] of nodes.entries())
      expect(relay.stats().meshPeers[TOPIC]).toBeGreaterThanOrEqual(degree(i))
  })

/** A gossip peer without a relay: it publishes what it is told to. */
async function startAttacker(...victims: TestNode[]): Promise<Host> {
  const host = await createTestHost()
  running.push(host)
  await host.start()
  for (const { host: victim } of victims) await host.dial(tcpAddress(victim))
  await eventually(() => expect(host.gossip.getSubscribers(TOPIC)).toHaveLength(victims.length))
  return host
}

const at = <T>(items: readonly T[], index: number): T => {
  const item = items.at(index)
  if (item === undefined) throw new RangeError()
  return item
}
const member = createMember(4321n)
const client: Source = { via: 'lightpush', peer: 'client' }
const build = (options: Partial<Parameters<typeof buildData>[0]> = {}) =>
  buildData({ member, nowMs: Date.now(), ...options })
const texts = ({ received }: TestNode) =>
  received.map(({ message }) => Buffer.from(message.payload).toString())
/** Copies of messages that are being validated, from other peers than the first. */
const gossipDuplicates = (node: TestNode): number => {
  const { mcache } = node.host.gossip as unknown as {
    mcache: { msgs: Map<string, { originatingPeers: Set<string> }> }
  }
  return [...mcache.msgs.values()].reduce((sum, { originatingPeers }) => sum + originatingPeers.size, 0)
}
/** Invalid messages that gossip counts against a peer; unlike the score, not cached. */
const invalidOf = (node: TestNode, peer: string): number => {
  const gossip = node.host.gossip as unknown as {
    dumpPeerScoreStats(): Record<string, { topics: Record<string, { invalidMessageDeliveries: number }> }>
  }
  return gossip.dumpPeerScoreStats()[peer]?.topics[TOPIC]?.invalidMessageDeliveries ?? 0
}
const scoreOf = (node: TestNode, peer: string) => node.host.gossip.getScore(peer)

describe('gossip', () => {
  it('carries accepted messages to every node, each once', async () => {
    const nodes = await startLine(4)
    const sent = ['a', 'b', 'c'].map((text, messageId) => ({ text, data: build({ text, messageId }) }))
    for (const { data } of sent) {
      const { verdict, relayPeers } = await at(nodes, 0).relay.submit(TOPIC, data, client)
      expect(verdict).toEqual({ kind: 'accept' })
      expect(relayPeers).toBe(1)
    }
    await eventually(() => {
      for (const node of nodes) expect(texts(node).sort()).toEqual(['a', 'b', 'c'])
    })
    for (const node of nodes) {
      expect(node.relay.stats().verdicts).toMatchObject({ accepted: 3, rejected: 0, breaches: 0 })
      expect(node.received.map(({ data }) => bytesToHex(data)).sort()).toEqual(
        sent.map(({ data }) => bytesToHex(data)).sort(),
      )
    }
  })

  it('stops bad messages at the first node and scores their sender down', async () => {
    const nodes = await startLine(2)
    const attacker = await startAttacker(at(nodes, 0))
    const bad: [string, Uint8Array][] = [
      [
        'RLN_SIGNAL_MISMATCH',
        encode(WakuMessageSchema, {
          ...buildMessage({ member, nowMs: Date.now() }),
          payload: utf8ToBytes('x'),
        }),
      ],
      ['RLN_X_ZERO', build({ change: { proof: { x: 0n } } })],
      ['WIRE_MALFORMED', new Uint8Array([255, 255, 255])],
      ['WIRE_TOO_LARGE', new Uint8Array(160 * 1024)],
      ['WIRE_NOT_CANONICAL', Uint8Array.from([...build({ text: 'padded' }), 0xf8, 0x07, 0x01])],
      // Last: nothing of the attacker is heard after it.
      ['RLN_PROOF_INVALID', build({ text: 'forged', valid: false })],
    ]
    for (const [, data] of bad) await attacker.gossip.publish(TOPIC, data)
    await eventually(() => {
      const { byCode } = at(nodes, 0).relay.stats().verdicts
      expect(byCode).toEqual(Object.fromEntries(bad.map(([code]) => [code, 1])))
    })
    expect(at(nodes, 1).relay.stats().verdicts.byCode).toEqual({})
    expect(at(nodes, 0).host.penaltyPoints(attacker.peerId)).toBeGreaterThan(bad.length - 1)
    await eventually(() => expect(scoreOf(at(nodes, 0), attacker.peerId)).toBeLessThan(-1_000))
    expect(scoreOf(at(nodes, 1), at(nodes, 0).host.peerId)).toBe(0)
  })

  it('bans a peer that comes back with invalid proofs', async () => {
    const node = await start()
    const attacker = await startAttacker(node)
    const counted = () => node.relay.stats().verdicts.byCode.RLN_PROOF_INVALID ?? 0
    // In one burst: both are on their way to the verifier before the first verdict.
    const forged = [0, 1].map((messageId) => build({ text: `${messageId}`, messageId, valid: false }))
    await Promise.all(forged.map((data) => attacker.gossip.publish(TOPIC, data)))
    await eventually(() => expect(counted()).toBe(2))
    await eventually(() => expect(node.host.peers()).toEqual([]))
    await expect(
      attacker
        .dial(tcpAddress(node.host))
        .then(() => attacker.libp2p.services.ping.ping(node.host.libp2p.peerId)),
    ).rejects.toThrow()
  })

  it('ignores a re-randomised proof without punishing the forwarder', async () => {
    const nodes = await startLine(2)
    const forwarder = await startAttacker(at(nodes, 0))
    const nowMs = Date.now()
    await at(nodes, 0).relay.submit(TOPIC, build({ text: 'same', nowMs }), client)
    await forwarder.gossip.publish(TOPIC, build({ text: 'same', nowMs, randomness: 1 }))
    await eventually(() => expect(at(nodes, 0).relay.stats().verdicts.byCode).toEqual({ RLN_DUPLICATE: 1 }))
    await eventually(() => expect(texts(at(nodes, 1))).toEqual(['same']))
    expect(scoreOf(at(nodes, 0), forwarder.peerId)).toBe(0)
    expect(at(nodes, 0).host.penaltyPoints(forwarder.peerId)).toBe(0)
  })

  it('is not fooled by the same bytes on another shard', async () => {
    const nodes = await startLine(2)
    const attacker = await startAttacker(at(nodes, 1))
    const data = build({ text: 'good' })
    await attacker.gossip.publish(topicOf('/other/1/room/proto'), data)
    await eventually(() =>
      expect(at(nodes, 1).relay.stats().verdicts.byCode).toEqual({ WIRE_SHARD_MISMATCH: 1 }),
    )
    await at(nodes, 0).relay.submit(TOPIC, data, client)
    await eventually(() => expect(texts(at(nodes, 1))).toEqual(['good']))
  })

  it('forwards a message that reached two nodes by lightpush to those behind them', async () => {
    const slow = createManualVerifier()
    const [first, middle, last] = [await start(), await start({ verifier: slow }), await start()]
    await middle.host.dial(tcpAddress(first.host))
    await last.host.dial(tcpAddress(middle.host))
    await meshed([first, middle, last], (i) => (i === 1 ? 2 : 1))
    const data = build({ text: 'twice' })
    const submitted = middle.relay.submit(TOPIC, data, client)
    await first.relay.submit(TOPIC, data, client)
    await eventually(() => expect(middle.relay.stats().inFlight).toBe(2))
    await slow.answer()
    expect((await submitted).verdict).toEqual({ kind: 'accept' })
    await eventually(() => expect(texts(last)).toEqual(['twice']))
    expect(texts(middle)).toEqual(['twice'])
  })
})

describe('a sender that may not fill the verifier', () => {
  /** Refuses what one peer sent, as the verifier does with a peer that has too much waiting. */
  const refusing = (refused: () => string | undefined, decide = () => Promise.resolve()): ProofVerifier => ({
    canAccept: () => true,
    isTrusted: () => true,
    async verify(_, __, source) {
      await decide()
      if (source === refused()) throw new PostriderError('ZK_SOURCE_BUDGET')
      return true
    },
  })
  /** Long enough for every rule of gossip that looks at the size of a message. */
  const long = () => build({ text: 'long '.repeat(2_000) })

  it('cannot keep a message from the node by sending it first', async () => {
    let refused: string | undefined
    const node = await start({ verifier: refusing(() => refused) })
    const neighbour = await start()
    await neighbour.host.dial(tcpAddress(node.host))
    await meshed([node, neighbour], () => 1)
    const attacker = await startAttacker(node)
    refused = attacker.peerId
    const data = long()
    await attacker.gossip.publish(TOPIC, data)
    await eventually(() => expect(node.relay.stats().verdicts.byCode).toEqual({ RELAY_PEER_BUDGET: 1 }))
    await neighbour.relay.submit(TOPIC, data, client)
    await eventually(() => expect(node.received).toHaveLength(1))
    expect(node.host.penaltyPoints(attacker.peerId)).toBe(0)
  })

  it('cannot do so while the node decides either: the next sender stands in', async () => {
    let refused: string | undefined
    const decision = Promise.withResolvers<void>()
    const verifier = refusing(
      () => refused,
      () => decision.promise,
    )
    const [node, neighbour, origin, behind] = [
      await start({ verifier }),
      await start(),
      await start(),
      await start(),
    ]
    await neighbour.host.dial(tcpAddress(node.host))
    await behind.host.dial(tcpAddress(node.host))
    await origin.host.dial(tcpAddress(neighbour.host))
    await meshed([node, neighbour, origin, behind], (i) => (i < 2 ? 2 : 1))
    const attacker = await startAttacker(node)
    refused = attacker.peerId
    const data = long()
    await attacker.gossip.publish(TOPIC, data)
    await eventually(() => expect(node.relay.stats().inFlight).toBe(1))
    // The neighbour must forward it all the same: nothing may have told it that the node has it.
    await origin.relay.submit(TOPIC, data, client)
    await eventually(() => expect(gossipDuplicates(node)).toBe(1))
    decision.resolve()
    await eventually(() => expect(behind.received).toHaveLength(1))
    expect(node.received).toHaveLength(1)
  })

  it('cannot do so by making the node verify it late: a trusted sender of it is not made to wait', async () => {
    const slow = createManualVerifier()
    const node = await start({ verifier: slow })
    const [neighbour, behind] = [await start(), await start()]
    for (const { host } of [neighbour, behind]) await host.dial(tcpAddress(node.host))
    await meshed([node, neighbour, behind], (i) => (i === 0 ? 2 : 1))
    const attacker = await startAttacker(node)
    slow.newcomers.add(attacker.peerId)
    const data = long()
    await attacker.gossip.publish(TOPIC, data)
    await eventually(() => expect(slow.waiting()).toBe(1))
    await neighbour.relay.submit(TOPIC, data, client)
    await eventually(() => expect(slow.waiting()).toBe(2))
    await slow.answer(1)
    await eventually(() => expect(behind.received).toHaveLength(1))
    expect(node.received).toHaveLength(1)
    await slow.answer()
    expect(node.relay.stats().verdicts).toMatchObject({ accepted: 1, rejected: 0, breaches: 0 })
    expect(node.host.penaltyPoints(attacker.peerId)).toBe(0)
  })

  it('is not listened to any more once it has sent an invalid proof', async () => {
    const node = await start()
    const attacker = await startAttacker(node)
    await attacker.gossip.publish(TOPIC, build({ text: 'forged', valid: false }))
    await eventually(() => expect(node.relay.stats().verdicts.byCode).toEqual({ RLN_PROOF_INVALID: 1 }))
    for (let i = 0; i < 5; i++)
      await attacker.gossip.publish(TOPIC, build({ text: `${i}`, messageId: i, valid: false }))
    const honest = await start()
    await honest.host.dial(tcpAddress(node.host))
    await meshed([node, honest], () => 1)
    await honest.relay.submit(TOPIC, build({ text: 'fine', messageId: 9 }), client)
    await eventually(() => expect(texts(node)).toEqual(['fine']))
    expect(node.relay.stats().verdicts.byCode).toEqual({ RLN_PROOF_INVALID: 1 })
  })
})

describe('breach', () => {
  /** Two messages of one nullifier: of one time, since the test network's epochs are short. */
  const bothHalves = (): [Uint8Array, Uint8Array] => {
    const nowMs = Date.now()
    return [build({ text: 'one', nowMs }), build({ text: 'two', nowMs })]
  }

  it('is found and reported once by each node that sees both messages, and its messages go no further', async () => {
    const nodes = await startLine(3)
    const nowMs = Date.now()
    const half = (text: string) => build({ text, nowMs })
    await at(nodes, 0).relay.submit(TOPIC, half('one'), client)
    await eventually(() => expect(at(nodes, 2).received).toHaveLength(1))
    const { verdict } = await at(nodes, 0).relay.submit(TOPIC, half('two'), {
      via: 'lightpush',
      peer: 'spammer',
    })
    expect(verdict).toMatchObject({ kind: 'breach', secret: member.secret, commitment: member.commitment })
    await eventually(() => expect(at(nodes, 0).breaches).toHaveLength(1))
    await at(nodes, 0).relay.submit(TOPIC, half('three'), client)
    expect(at(nodes, 0).breaches).toHaveLength(1)
    expect(nodes.map(texts)).toEqual([['one'], ['one'], ['one']])
    expect(at(nodes, 0).host.penaltyPoints('spammer')).toBeGreaterThan(9)
  })

  it('does not punish honest neighbours that heard the other half first', async () => {
    const nodes = await startLine(2)
    const [first, second] = bothHalves()
    // Both halves enter at the same time at the two ends.
    await Promise.all([
      at(nodes, 0).relay.submit(TOPIC, first, client),
      at(nodes, 1).relay.submit(TOPIC, second, client),
    ])
    await eventually(() => {
      for (const node of nodes) expect(node.breaches).toHaveLength(1)
    })
    for (const [i, node] of nodes.entries()) {
      const neighbour = at(nodes, 1 - i).host.peerId
      expect(scoreOf(node, neighbour)).toBe(0)
      expect(node.host.penaltyPoints(neighbour)).toBe(0)
    }
  })

  it('does not punish an honest neighbour that forwards the half which a spammer sends beside it', async () => {
    const slow = createManualVerifier()
    const [node, neighbour] = [await start({ verifier: slow }), await start()]
    await neighbour.host.dial(tcpAddress(node.host))
    await meshed([node, neighbour], () => 1)
    const spammer = await startAttacker(node)
    const [first, second] = bothHalves()
    await spammer.gossip.publish(TOPIC, first)
    await eventually(() => expect(slow.waiting()).toBe(1))
    await slow.answer()
    await eventually(() => expect(texts(neighbour)).toEqual(['one']))
    // The neighbour starts over and knows only the second half; the spammer sends that to the node as well.
    const fresh = await start()
    await fresh.host.dial(tcpAddress(node.host))
    await meshed([node, fresh], () => 1)
    await spammer.gossip.publish(TOPIC, second)
    await eventually(() => expect(slow.waiting()).toBe(1))
    await fresh.relay.submit(TOPIC, second, client)
    await eventually(() => expect(gossipDuplicates(node)).toBe(1))
    await slow.answer()
    await eventually(() => expect(node.breaches).toHaveLength(1))
    expect(node.host.penaltyPoints(spammer.peerId)).toBeGreaterThan(0.9)
    expect(node.host.penaltyPoints(fresh.host.peerId)).toBe(0)
    expect(invalidOf(node, fresh.host.peerId)).toBe(0)
  })

  it('punishes a gossip peer that sends both halves', async () => {
    const node = await start()
    const attacker = await startAttacker(node)
    const [first, second] = bothHalves()
    await attacker.gossip.publish(TOPIC, first)
    await eventually(() => expect(node.received).toHaveLength(1))
    await attacker.gossip.publish(TOPIC, second)
    await eventually(() => expect(node.breaches).toHaveLength(1))
    expect(node.host.penaltyPoints(attacker.peerId)).toBeGreaterThan(0.9)
  })
})

describe('garbage on the gossip stream', () => {
  const honest = async (node: TestNode) => {
    const peer = await start()
    await peer.host.dial(tcpAddress(node.host))
    await meshed([node, peer], () => 1)
    const before = node.received.length
    await peer.relay.submit(TOPIC, build({ text: `honest ${before}`, messageId: before }), client)
    await eventually(() => expect(node.received).toHaveLength(before + 1))
  }

  it.each<[string, () => Uint8Array[]]>([
    ['random bytes', () => [crypto.getRandomValues(new Uint8Array(4_096))]],
    ['a truncated frame', () => [new Uint8Array([200, 1, 2, 3])]],
    ['an empty frame', () => [new Uint8Array([0])]],
    ['an endless prefix', () => [new Uint8Array(64).fill(0x80)]],
    [
      'an oversized frame',
      () => [new Uint8Array([0x81, 0x80, 0x80, 0x01]), new Uint8Array(MAX_GOSSIP_RPC_BYTES)],
    ],
    ['a frame that is no RPC', () => [new Uint8Array([4, 255, 255, 255, 255])]],
  ])('survives %s and serves the next honest peer', async (_, chunks) => {
    const node = await start()
    const attacker = await createTestHost({ listen: [] })
    running.push(attacker)
    await attacker.start()
    const connection = await attacker.libp2p.dial(multiaddr(tcpAddress(node.host)))
    const stream = await connection.newStream([...GOSSIP_PROTOCOLS])
    for (const chunk of chunks()) stream.send(chunk)
    await stream.close().catch(() => undefined) // the node may have reset it already
    await honest(node)
  })
})

describe('metrics', () => {
  it('show verdicts by code without naming a peer', async () => {
    const node = await start()
    await node.relay.submit(TOPIC, build(), client)
    await node.relay.submit(TOPIC, new Uint8Array([1]), client)
    const text = await node.metrics.text()
    expect(text).toContain('postrider_relay_verdicts_total{verdict="accept",code="",via="lightpush"} 1')
    expect(text).toContain(
      'postrider_relay_verdicts_total{verdict="reject",code="WIRE_MALFORMED",via="lightpush"} 1',
    )
    expect(text).toContain('postrider_relay_nullifiers 1')
    expect(text).not.toContain('client')
  })
})
