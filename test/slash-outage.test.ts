// A member breaks its limit while a node has no chain, for hours and across a restart: the slash still lands, once.
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
import { readEvents, until } from '../devnet/figures.ts'
import { createOperator, type Operator } from '../devnet/operators.ts'
import { createRogueMember, type RogueMember } from '../devnet/people.ts'
import { startTcpProxy, type TcpProxy } from '../node/chain/testing/tcp-proxy.ts'
import { type Clock, systemClock } from '../node/core/clock.ts'
import { loadConfig } from '../node/core/config/index.ts'
import { type RunningNode, startNode } from '../node/main.ts'
import { useTestNetwork } from './support/network.ts'
import { openRawPeer } from './support/raw-peer.ts'

const TOPIC = '/slash-outage/1/room/utf8'
const PATIENCE_MS = 60_000
const HOUR_SECONDS = 3_600
const LIMIT = 8

const net = useTestNetwork({ nodes: 0 })
let proxy: TcpProxy
let operator: Operator
let node: RunningNode
let rogue: RogueMember
let shiftMs = 0
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + shiftMs }

beforeAll(async () => {
  const { devchain } = net
  proxy = await startTcpProxy(Number(new URL(devchain.rpcUrl).port))
  const networkFile = join(net.directory, 'by-proxy.json')
  const rpcUrls = [proxy.url]
  writeFileSync(networkFile, JSON.stringify({ ...devchain.network, rpcUrls }))
  operator = await createOperator({ ...net, devchain: { ...devchain, networkFile }, name: 'cut-off' })
  rogue = await createRogueMember(net, 'rogue', LIMIT)
  node = await start()
}, 240_000)
afterAll(async () => {
  await rogue?.close()
  await node?.stop()
  await proxy?.stop()
})

async function start(): Promise<RunningNode> {
  const overrides = { chain: { pollMs: 100, confirmations: 1 }, log: { level: 'silent' as const } }
  const config = await loadConfig({ file: join(operator.directory, 'config.json'), overrides })
  return startNode(config, { password: readFileSync(join(operator.directory, 'password'), 'utf8'), clock })
}

/** The chain's clock and the node's go on together. */
async function hoursPass(hours: number): Promise<void> {
  shiftMs += hours * HOUR_SECONDS * 1000
  await net.treasury.chain.increaseTime({ seconds: hours * HOUR_SECONDS })
  await net.treasury.chain.mine({ blocks: 1 })
}

type Case = { state: string; reward: { amount: string } | null; commitTx?: string }

async function cases(): Promise<Case[]> {
  const tokens = JSON.parse(readFileSync(join(operator.directory, 'api-tokens.json'), 'utf8')) as {
    tokens: { token: string }[]
  }
  const headers = { authorization: `Bearer ${tokens.tokens[0]?.token}` }
  const answer = await fetch(`${node.apiUrl}/v1/slashing`, { headers })
  return ((await answer.json()) as { items: Case[] }).items
}

async function publish(messageId: number): Promise<number> {
  const { network } = net.devchain
  const message = createWakuMessage({
    contentTopic: TOPIC,
    payload: crypto.getRandomValues(new Uint8Array(16)),
    timestamp: msToTimestamp(clock.nowMs()),
  })
  await using peer = await openRawPeer(network, operator)
  const request = create(LightpushRequestSchema, {
    requestId: crypto.randomUUID(),
    pubsubTopic: pubsubTopicForContent(TOPIC, network),
    message: attachProof(message, await rogue.prove(message, messageId)),
  })
  const answer = await peer.ask(PROTOCOL_IDS.lightpush, encode(LightpushRequestSchema, request))
  return decode(LightpushResponseSchema, answer ?? new Uint8Array()).statusCode
}

/** Two messages with one id in one epoch: the epoch may change in between. */
async function breakTheLimit(): Promise<void> {
  for (let messageId = 0; messageId < LIMIT && (await cases()).length === 0; messageId++) {
    await publish(messageId)
    await publish(messageId)
  }
}

it('slashes once the chain is back, however long it was away and though the node was restarted', async () => {
  await until('the node knows the member', PATIENCE_MS, async () => (await publish(LIMIT - 1)) === 200)
  proxy.cut()
  await breakTheLimit()
  expect(await cases()).toMatchObject([{ state: 'found', reward: null }])

  await hoursPass(3)
  await node.stop()
  node = await start()
  await hoursPass(4)
  expect(await cases()).toMatchObject([{ state: 'found', reward: null }])
  expect((await readEvents(net.devchain.network, net.treasury)).promises).toEqual([])

  proxy.restore()
  await until('the member is slashed', PATIENCE_MS, async () => (await cases())[0]?.state === 'revealed')
  const { promises, slashed } = await readEvents(net.devchain.network, net.treasury)
  expect(promises).toHaveLength(1)
  expect(slashed.map(({ args }) => [args.commitment, args.slasher])).toEqual([
    [rogue.identity.commitment, operator.account],
  ])
  const [{ args } = { args: { reward: 0n } }] = slashed
  const reward = { amount: String(args.reward) }
  expect(await cases()).toMatchObject([{ state: 'revealed', reward }])
  const status = await operator.command(['status', '--api-url', node.apiUrl ?? ''])
  expect(status).toMatchObject({ slashing: [{ state: 'revealed', reward }] })
})
