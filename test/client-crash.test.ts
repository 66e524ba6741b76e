import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { decodeRlnProof } from '@postrider/protocol/rln'
import {
  create,
  decode,
  encode,
  PROTOCOL_IDS,
  StoreQueryRequestSchema,
  StoreQueryResponseSchema,
} from '@postrider/protocol/wire'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { beforeAll, expect, it } from 'vitest'
import { channelsOf, readEvents, units } from '../devnet/figures.ts'
import type { Operator } from '../devnet/operators.ts'
import { POST } from '../devnet/treasury.ts'
import type { CrashPoint, Note } from './support/crashes.ts'
import { useTestNetwork } from './support/network.ts'
import { openRawPeer } from './support/raw-peer.ts'

const TOPIC = '/crash-test/1/room/utf8'
const CHILD = join(import.meta.dirname, 'support', 'crashing-client.ts')
/** Longer than the test, so that a reused id would be a breach and not the first one of the next epoch. */
const EPOCH_SECONDS = 3_600

const net = useTestNetwork({ change: { epochSeconds: EPOCH_SECONDS } })
let node: Operator
beforeAll(() => {
  node = net.operators[0] as Operator
})

type Run = { notes: Note[]; signal: NodeJS.Signals | null; code: number | null }

async function run(point: CrashPoint, text: string): Promise<Run> {
  const files = [
    net.devchain.networkFile,
    join(net.directory, 'client.db'),
    join(net.directory, 'client.key'),
  ]
  const child = spawn(process.execPath, [CHILD, ...files, point, TOPIC, text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<Pick<Run, 'signal' | 'code'>>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  )
  const notes: Note[] = []
  for await (const line of createInterface({ input: child.stdout })) notes.push(JSON.parse(line) as Note)
  return { notes, ...(await ended) }
}

/** Every nullifier in the node's archive. */
async function storedNullifiers(): Promise<bigint[]> {
  await using peer = await openRawPeer(net.devchain.network, node)
  const request = create(StoreQueryRequestSchema, {
    requestId: 'nullifiers',
    includeData: true,
    contentTopics: [TOPIC],
    pubsubTopic: `/waku/2/rs/${net.devchain.network.clusterId}/0`,
  })
  const answer = await peer.ask(PROTOCOL_IDS.storeQuery, encode(StoreQueryRequestSchema, request))
  const { statusCode, messages } = decode(StoreQueryResponseSchema, answer ?? new Uint8Array())
  expect(statusCode).toBe(200)
  return messages.map(({ message }) => decodeRlnProof(message?.rateLimitProof ?? new Uint8Array()).nullifier)
}

it('never uses a message id twice, whenever the client is killed', async () => {
  const privateKey = generatePrivateKey()
  writeFileSync(join(net.directory, 'client.key'), privateKey, { mode: 0o600 })
  await net.treasury.grant(privateKeyToAddress(privateKey), 100n * POST)

  const points: CrashPoint[] = [
    'none',
    'writing',
    'allocated',
    'proving',
    'proved',
    'relayed',
    'allocated',
    'none',
  ]
  const runs: Run[] = []
  for (const [index, point] of points.entries()) {
    const one = await run(point, `message ${index}`)
    expect([point, one.signal, one.code]).toEqual(
      point === 'none' ? [point, null, 0] : [point, 'SIGKILL', null],
    )
    // Each start finds as many ids used as were put on disk before it. What dies while it writes may be lost: the
    // id was not given to anybody yet.
    const started = one.notes.find(({ event }) => event === 'started')
    const allocated = runs.flatMap(({ notes }) => notes).filter(({ event }) => event === 'allocated')
    expect(started).toMatchObject({ used: allocated.length })
    runs.push(one)
  }
  const notes = runs.flatMap((one) => one.notes)
  const ids = notes.filter((note) => note.event === 'allocated')
  expect(ids.map(({ messageId }) => messageId)).toEqual(ids.map((_, index) => index))
  const proven = notes
    .filter((note) => note.event === 'proving')
    .map(({ scope, messageId }) => `${scope}/${messageId}`)
  expect(proven).toHaveLength(points.filter((point) => point !== 'writing' && point !== 'allocated').length)
  expect(new Set(proven).size).toBe(proven.length)

  // As the node saw it: the messages that were sent, each under a nullifier of its own, and no breach.
  const nullifiers = await storedNullifiers()
  expect(nullifiers).toHaveLength(points.filter((point) => point === 'none' || point === 'relayed').length)
  expect(new Set(nullifiers).size).toBe(nullifiers.length)
  const { verdicts } = await node.get<{ verdicts: Record<string, number> }>('/v1/relay')
  expect(verdicts).toMatchObject({ accept: nullifiers.length, breach: 0, reject: 0 })

  // And the money: one channel through all the crashes, of which nothing was charged but what was sent.
  const { opened } = await readEvents(net.devchain.network, net.treasury)
  const [channel, ...others] = await channelsOf(node)
  expect([opened.length, others]).toEqual([1, []])
  expect(channel && units(channel.spent) <= units(channel.paid)).toBe(true)
  // Client, node and contract agree to the last unit.
  const last = notes.findLast(({ event }) => event === 'reconciled')
  expect(last).toEqual({
    event: 'reconciled',
    differences: 0,
    promised: channel?.paid.amount,
    deposited: String(opened[0]?.args.deposit),
  })
})
