import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { channelId } from '@postrider/protocol/payment'
import { systemClock } from '../../client/core/clock.ts'
import { createEmitter } from '../../client/core/emitter.ts'
import { systemRandom } from '../../client/core/random.ts'
import { createSqliteStorage } from '../../client/node/sqlite-storage.ts'
import { nodeTransports } from '../../client/node/transports.ts'
import type { NodeInfo } from '../../client/nodes/types.ts'
import { createLibp2pTransport } from '../../client/transport/libp2p.ts'
import { queryPage } from '../../client/transport/store.ts'
import { openChannelBook } from '../../client/wallet/book.ts'
import type { Channels } from '../../client/wallet/channels.ts'
import { createChannelKeys, createWallet } from '../../client/wallet/keys.ts'
import { createPayments } from '../../client/wallet/payments.ts'
import { NOTHING_PROMISED } from '../../client/wallet/promised.ts'
import type { ChannelRecord, WalletEvents } from '../../client/wallet/types.ts'
import { processorMs } from '../measure.ts'
import { CONTENT_TOPIC, DEPOSIT, DOMAIN, PAYEE, PRICES, PUBSUB_TOPIC } from './setting.ts'

/**
 * Requests asked for at once. The client lets 32 of one protocol onto the wire; with three times as many there is always
 * one to send while others wait for a disk, also on a machine that does much else.
 */
const IN_FLIGHT = 96
const WARM_UP = 1_000
const REQUESTS = 3_000
const ROUNDS = 5

/** Requests a second, and the processor time of one request in each process, ms; each the best of a few rounds. */
export type RequestFigures = { perSecond: number; clientMs: number; nodeMs: number }

/** History pages asked for and paid, one real connection between two processes, wallet and ledger on disk. */
export async function measureRequests(): Promise<RequestFigures> {
  const record = channelRecord()
  const node = await startNode(record)
  const dir = await mkdtemp(join(tmpdir(), 'postrider-bench-'))
  const storage = createSqliteStorage(join(dir, 'client.db'))
  const transport = createLibp2pTransport({ clock: systemClock, transports: nodeTransports })
  try {
    await transport.start()
    await transport.connect(node.info)
    const book = await openChannelBook(storage)
    await book.add(record)
    const components = { transport, book, keys, clock: systemClock, random: systemRandom }
    const events = createEmitter<WalletEvents>()
    const payments = createPayments(
      { ...components, events, channels: fixedChannel(record) },
      { domain: DOMAIN },
    )
    const ask = async () => {
      const send = (requestId: string) => queryPage(transport, node.info.peerId, { ...QUERY, requestId })
      const { answer, paid } = await payments.request(node.info, 'query', send)
      if (answer.code !== 200 || answer.messages.length !== 1 || paid !== PRICES.query)
        throw new Error(`${answer.code} ${answer.reason}`)
    }
    const measure = async (requests: number): Promise<RequestFigures> => {
      const clientBefore = processorMs()
      const nodeBefore = await node.processorMs()
      const before = performance.now()
      let left = requests
      const worker = async () => {
        while (left-- > 0) await ask()
      }
      await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
      const perSecond = (requests * 1000) / (performance.now() - before)
      const nodeMs = ((await node.processorMs()) - nodeBefore) / requests
      return { perSecond, clientMs: (processorMs() - clientBefore) / requests, nodeMs }
    }
    await measure(WARM_UP)
    const rounds: RequestFigures[] = []
    for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(REQUESTS))
    await payments.close()
    const { charged } = await node.stop()
    if (charged !== WARM_UP + ROUNDS * REQUESTS) throw new Error(`the node charged ${charged} requests`)
    return {
      perSecond: Math.max(...rounds.map(({ perSecond }) => perSecond)),
      clientMs: Math.min(...rounds.map(({ clientMs }) => clientMs)),
      nodeMs: Math.min(...rounds.map(({ nodeMs }) => nodeMs)),
    }
  } finally {
    await transport.stop()
    await storage.close()
    await rm(dir, { recursive: true })
    node.process.kill()
  }
}

const keys = createChannelKeys(createWallet({ privateKey: '07'.repeat(32) }))

const QUERY = {
  includeData: true,
  pubsubTopic: PUBSUB_TOPIC,
  contentTopics: [CONTENT_TOPIC],
  paginationForward: true,
  paginationLimit: 1n,
}

function channelRecord(): ChannelRecord {
  const { chainId, contract } = DOMAIN
  const salt = keys.salt({ chainId, contract, payee: PAYEE }, 0)
  const payer = `0x${'66'.repeat(20)}` as const
  const descriptor = { payer, payee: PAYEE, signer: keys.signer(salt).address, salt }
  return {
    channelId: channelId(descriptor, DOMAIN),
    operator: PAYEE,
    number: 0,
    descriptor,
    status: 'open',
    deposit: DEPOSIT,
    settled: 0n,
    closeAt: 0,
    known: true,
    promised: NOTHING_PROMISED,
    spent: 0n,
  }
}

/** The chain has no part in what is measured. */
function fixedChannel(record: ChannelRecord): Channels {
  const same = async () => record
  return {
    ensure: same,
    raise: same,
    refresh: same,
    requestClose: same,
    withdraw: same,
    replenish: () => undefined,
    idle: async () => undefined,
    close: async () => undefined,
  }
}

type RunningNode = {
  info: NodeInfo
  process: ChildProcess
  /** Processor time that the node has used so far, ms. */
  processorMs(): Promise<number>
  stop(): Promise<{ charged: number }>
}

async function startNode({ channelId: id, descriptor }: ChannelRecord): Promise<RunningNode> {
  const flags = process.env.POSTRIDER_BENCH_NODE_FLAGS?.split(' ') ?? []
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'node.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  child.stdin.write(`${JSON.stringify({ channelId: id, descriptor })}\n`)
  const { peerId, address } = (await nextLine(lines)) as { peerId: string; address: string }
  const info: NodeInfo = {
    operator: PAYEE,
    peerId,
    addresses: [address],
    services: ['store'],
    prices: PRICES,
    stake: 1n,
  }
  const stop = async () => {
    child.stdin.end()
    const end = (await nextLine(lines)) as { charged: number }
    if (child.exitCode === null) await once(child, 'exit')
    return end
  }
  const nodeProcessorMs = async () => {
    child.stdin.write('\n')
    return ((await nextLine(lines)) as { processorMs: number }).processorMs
  }
  return { info, process: child, processorMs: nodeProcessorMs, stop }
}

async function nextLine(lines: Interface): Promise<unknown> {
  const [line] = (await once(lines, 'line')) as [string]
  return JSON.parse(line)
}
