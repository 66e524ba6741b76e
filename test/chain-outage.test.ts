import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
} from '@postrider/protocol/wire'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ChannelEntry, channelsOf, readEvents, units, until } from '../devnet/figures.ts'
import { createOperator, type Operator } from '../devnet/operators.ts'
import { createPerson, createRogueMember, type Person, type RogueMember } from '../devnet/people.ts'
import { startTcpProxy, type TcpProxy } from '../node/chain/testing/tcp-proxy.ts'
import { useTestNetwork } from './support/network.ts'
import { openRawPeer } from './support/raw-peer.ts'

const TOPIC = '/outage/1/room/utf8'
const PATIENCE_MS = 30_000
/** How long the node believes a chain that does not answer. */
const LAG_SECONDS = 2
/** Nobody is asked again by chance: a client chooses among two nodes. */
const MAX_PUBLISHES = 20

const net = useTestNetwork()
let proxy: TcpProxy
/** The node whose chain goes away, and one with a chain of its own. */
let node: Operator
let neighbour: Operator
let alice: Person
let member: RogueMember

beforeAll(async () => {
  neighbour = net.operators[0] as Operator
  proxy = await startTcpProxy(Number(new URL(net.devchain.rpcUrl).port))
  node = await createNodeBehindProxy()
  await node.start()
  await until(
    'the nodes are in one mesh',
    PATIENCE_MS,
    async () => (await peerAt(neighbour, node))?.meshTopics.length === 1,
  )
  alice = await createPerson(net, 'alice')
  member = await createRogueMember(net, 'member', 8)
}, 240_000)
afterAll(async () => {
  await alice?.client.close()
  await member?.close()
  await proxy?.stop()
})

/** An operator whose only way to the chain is the proxy. */
async function createNodeBehindProxy(): Promise<Operator> {
  const { devchain } = net
  const networkFile = join(net.directory, 'network-by-proxy.json')
  const network = { ...devchain.network, rpcUrls: [proxy.url] }
  writeFileSync(networkFile, JSON.stringify(network))
  const operator = await createOperator({ ...net, devchain: { ...devchain, networkFile }, name: 'cut-off' })
  const configFile = join(operator.directory, 'config.json')
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as { chain?: object }
  writeFileSync(
    configFile,
    JSON.stringify({ ...config, chain: { ...config.chain, lagSeconds: LAG_SECONDS } }),
  )
  return operator
}

type PeerAnswer = { peerId: string; score: number | null; meshTopics: string[] }
const peerAt = async (operator: Operator, { peerId }: Operator) =>
  (await operator.get<{ items: PeerAnswer[] }>('/v1/peers')).items.find((peer) => peer.peerId === peerId)
const isReady = () =>
  node.getText('/readyz').then(
    () => true,
    () => false,
  )
const storedAt = async (operator: Operator) =>
  (await operator.get<{ messages: number }>('/v1/store')).messages
const owedTo = async (operator: Operator): Promise<ChannelEntry | undefined> =>
  (await channelsOf(operator)).find(({ paid }) => units(paid) > 0n)

/** Hands a message of a member to a node, without a channel: the free allowance pays. */
async function publish(author: RogueMember, to: Operator, messageId: number) {
  const { network } = net.devchain
  const payload = crypto.getRandomValues(new Uint8Array(16))
  const message = createWakuMessage({ contentTopic: TOPIC, payload, timestamp: msToTimestamp(Date.now()) })
  const proven = attachProof(message, await author.prove(message, messageId))
  await using peer = await openRawPeer(network, to)
  const pubsubTopic = pubsubTopicForContent(TOPIC, network)
  const request = create(LightpushRequestSchema, {
    requestId: crypto.randomUUID(),
    pubsubTopic,
    message: proven,
  })
  const answer = await peer.ask(PROTOCOL_IDS.lightpush, encode(LightpushRequestSchema, request))
  const { statusCode, statusDesc, relayPeerCount } = decode(
    LightpushResponseSchema,
    answer ?? new Uint8Array(),
  )
  return { statusCode, statusDesc, relayPeerCount }
}

it('relays through an outage of its chain, says that it is not ready, and loses nothing', async () => {
  const text = (index: number) => new TextEncoder().encode(`message ${index}`)
  for (let index = 0; (await owedTo(node)) === undefined; index++) {
    expect(index).toBeLessThan(MAX_PUBLISHES)
    await alice.client.publish({ contentTopic: TOPIC, payload: text(index) }).receipt
  }
  await until(
    'both nodes have stored the same',
    PATIENCE_MS,
    async () => (await storedAt(node)) === (await storedAt(neighbour)),
  )
  const [owed, stored] = [await owedTo(node), await storedAt(node)]
  expect(await isReady()).toBe(true)

  proxy.cut()
  await until('the node is not ready any more', PATIENCE_MS, async () => !(await isReady()))
  expect(await node.get('/livez')).toEqual({ alive: true })
  const { subsystems } = await node.get<{ subsystems: { name: string; state: string; code: string }[] }>(
    '/health',
  )
  expect(subsystems.find(({ name }) => name === 'chain')).toMatchObject({
    state: 'down',
    code: 'CHAIN_UNREACHABLE',
  })

  // It takes and forwards what its members send.
  expect(await publish(member, node, 0)).toMatchObject({ statusCode: 200, relayPeerCount: 1 })
  await until('the message arrived', PATIENCE_MS, async () => (await storedAt(neighbour)) === stored + 1)
  expect(await storedAt(node)).toBe(stored + 1)

  // Whoever joins meanwhile is unknown to it, which is nobody's fault.
  const newcomer = await createRogueMember(net, 'newcomer', 8)
  try {
    expect((await publish(newcomer, neighbour, 0)).statusCode).toBe(200)
    expect(await publish(newcomer, node, 1)).toMatchObject({
      statusCode: 503,
      statusDesc: expect.stringContaining('RLN_UNKNOWN_ROOT'),
    })
    expect((await peerAt(node, neighbour))?.score).toBeGreaterThanOrEqual(0)

    // What cannot be checked is not begun; what is owed stays owed.
    await expect(node.command(['rewards', 'claim-all', '--force'])).rejects.toThrow('CHAIN_UNREACHABLE')
    expect(await owedTo(node)).toMatchObject({ id: owed?.id, paid: owed?.paid, settled: { amount: '0' } })

    proxy.restore()
    await until('the node is ready again', PATIENCE_MS, isReady)
    expect((await publish(newcomer, node, 2)).statusCode).toBe(200)
  } finally {
    await newcomer.close()
  }
  await node.command(['rewards', 'claim-all', '--force'])
  await until('the claim is confirmed', PATIENCE_MS, async () => {
    const channel = await owedTo(node)
    return channel !== undefined && channel.settled.amount === owed?.paid.amount
  })
  const { settled } = await readEvents(net.devchain.network, net.treasury)
  expect(settled.map(({ args }) => [args.channelId, args.amount])).toEqual([
    [owed?.id, BigInt(owed?.paid.amount ?? 0)],
  ])

  const { paid } = await alice.client.publish({ contentTopic: TOPIC, payload: text(99) }).receipt
  expect(paid).toBeGreaterThan(0n)
  await until('client and node agree', PATIENCE_MS, async () => {
    const ofClient = alice.client.channels.list().reduce((total, channel) => total + channel.paid, 0n)
    const ofNodes = (await Promise.all([node, neighbour].map(channelsOf))).flat()
    return ofClient === ofNodes.reduce((total, channel) => total + units(channel.paid), 0n)
  })
})
