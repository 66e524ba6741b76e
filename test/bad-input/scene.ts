// The stage of the bad-input tests: a node under attack, its honest neighbour, an honest client that goes on all the
// time, and Mallory, who is a member and proves what she likes.
import { attachProof } from '@postrider/protocol/rln'
import {
  create,
  createWakuMessage,
  decode,
  encode,
  LightpushRequestSchema,
  LightpushResponseSchema,
  msToTimestamp,
  PROTOCOL_IDS,
  pubsubTopicForContent,
  utf8ToBytes,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { afterAll, beforeAll, expect } from 'vitest'
import { until } from '../../devnet/figures.ts'
import type { Operator } from '../../devnet/operators.ts'
import { createPerson, createRogueMember, type Person, type RogueMember } from '../../devnet/people.ts'
import { type TestNetwork, useTestNetwork } from '../support/network.ts'
import { openRawPeer, type RawPeer } from '../support/raw-peer.ts'
import { type HonestTraffic, startHonestTraffic } from './honest.ts'
import type { Forged, Good } from './messages.ts'

export const TOPIC = '/bad-input/1/room/utf8'
export const HONEST_TOPIC = '/bad-input/1/honest/utf8'
export const PATIENCE_MS = 20_000
/** One epoch holds the whole test, and every message of it. */
const EPOCH_SECONDS = 3_600
const LIMIT = 200

export type RelayAnswer = {
  verdicts: Record<string, number>
  byCode: { kind: string; code: string; count: number }[]
}

/** Empty until the hooks have run. */
export type Scene = {
  net: TestNetwork
  /** The node under attack. */
  node: Operator
  /** An honest node in one mesh with it. */
  neighbour: Operator
  alice: Person
  honest: HonestTraffic
  mallory: RogueMember
  /** A message id of Mallory's that was not used yet. */
  newId(): number
}

export function useScene(): Scene {
  let ids = 0
  const net = useTestNetwork({ nodes: 2, change: { epochSeconds: EPOCH_SECONDS, shardCount: 2 } })
  const scene = { net, newId: () => ids++ } as Scene
  beforeAll(async () => {
    const [node, neighbour] = net.operators as [Operator, Operator]
    const people = await Promise.all([
      createPerson(net, 'alice', LIMIT),
      createRogueMember(net, 'mallory', LIMIT),
    ])
    const [alice, mallory] = people
    Object.assign(scene, { node, neighbour, alice, mallory, honest: startHonestTraffic(alice, HONEST_TOPIC) })
  })
  afterAll(async () => {
    await scene.honest?.stop().catch(() => undefined)
    await scene.alice?.client.close()
    await scene.mallory?.close()
  })
  return scene
}

export const openPeer = ({ net, node }: Scene, to: Operator = node) => openRawPeer(net.devchain.network, to)

export const relayOf = (operator: Operator) => operator.get<RelayAnswer>('/v1/relay')

/** How often the node under attack gave a verdict of this code. */
export async function countOf({ node }: Scene, code: string, kind: string): Promise<number> {
  return (await relayOf(node)).byCode.find((one) => one.code === code && one.kind === kind)?.count ?? 0
}

/** A message with a valid proof. */
export async function prove(
  { net, mallory, newId }: Scene,
  id = newId(),
  text = `message ${id}`,
): Promise<Good> {
  const timestamp = msToTimestamp(Date.now())
  const message = createWakuMessage({ contentTopic: TOPIC, payload: utf8ToBytes(text), timestamp })
  const proof = await mallory.prove(message, id)
  const pubsubTopic = pubsubTopicForContent(TOPIC, net.devchain.network)
  return { pubsubTopic, message: attachProof(message, proof), proof }
}

export function dataOf({ pubsubTopic, message }: Omit<Good, 'proof'>): Forged {
  return { pubsubTopic, data: encode(WakuMessageSchema, message) }
}

export async function lightpush(
  peer: RawPeer,
  { pubsubTopic, data }: Forged,
): Promise<{ status: number; desc: string }> {
  const message = decode(WakuMessageSchema, data)
  const request = create(LightpushRequestSchema, { requestId: crypto.randomUUID(), pubsubTopic, message })
  const answer = await peer.ask(PROTOCOL_IDS.lightpush, encode(LightpushRequestSchema, request))
  const { statusCode, statusDesc = '' } = decode(LightpushResponseSchema, answer ?? new Uint8Array())
  return { status: statusCode, desc: statusDesc }
}

/** Publishes over gossip; resolves when it is on its way to the node. */
export async function gossip({ host }: RawPeer, to: Operator, { pubsubTopic, data }: Forged): Promise<void> {
  await until('the node can be sent to', PATIENCE_MS, async () => {
    const subscribed = host.gossip.getSubscribers(pubsubTopic).some((peer) => peer.toString() === to.peerId)
    return subscribed && host.gossip.streamsOutbound.has(to.peerId)
  })
  const { recipients } = await host.gossip.publish(pubsubTopic, data)
  expect(recipients.map(String)).toContain(to.peerId)
}
