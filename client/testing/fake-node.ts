import {
  bytesToHex,
  create,
  decode,
  encode,
  equalBytes,
  FilterSubscribeRequestSchema,
  FilterSubscribeResponseSchema,
  LightpushRequestSchema,
  LightpushResponseSchema,
  MessagePushSchema,
  MetadataRequestSchema,
  MetadataResponseSchema,
  messageHash,
  PROTOCOL_IDS,
  type StoreQueryRequest,
  StoreQueryRequestSchema,
  StoreQueryResponseSchema,
  type WakuMessage,
  WakuMessageKeyValueSchema,
} from '@postrider/protocol/wire'
import { privateKeyToAccount } from 'viem/accounts'
import type { Prices } from '../chain/types.ts'
import { createFrameStream } from '../transport/frames.ts'
import { crash } from './crash-storage.ts'
import type { FakeChain } from './fake-chain.ts'
import { serveFrames, startPeer } from './fake-libp2p.ts'
import { servePayments } from './fake-payments.ts'

export type FakeNodeOptions = {
  chain: FakeChain
  clusterId: number
  /** Seed of the operator's account. */
  number: number
  /** Hands a message to the other nodes. */
  relay(pubsubTopic: string, message: WakuMessage): void
  prices?: Prices
  unpaidLimit?: bigint
  freeRequests?: number
  stake?: bigint
}

export type StoredMessage = { pubsubTopic: string; message: WakuMessage; hash: Uint8Array }

export const FAKE_PRICES: Prices = { publish: 10n, query: 20n, push: 1n }

/** A push waits for its payment, as on a real node, but not for long. */
const PUSH_TRIES = 50
const PUSH_RETRY_MS = 10

/** A node of the network over real sockets, without gossip and proof checks, with misbehaviour to order. */
export async function startFakeNode(options: FakeNodeOptions) {
  const { chain, number, prices = FAKE_PRICES, unpaidLimit = 0n, freeRequests = 0, stake = 100n } = options
  const peer = await startPeer()
  const { libp2p, target } = peer
  const key = `0x${(number + 1).toString(16).padStart(64, '0')}` as const
  const operator = privateKeyToAccount(key).address
  const payments = await servePayments(libp2p, { chain, payee: operator, prices, unpaidLimit, freeRequests })
  const archive: StoredMessage[] = []
  const subscribers = new Map<string, Set<string>>()
  const pushing = new Map<string, Promise<void>>()
  /** What this node does wrong; `status` answers every lightpush with it. */
  const faults = {
    status: 0,
    broken: false,
    /** Description of every lightpush answer. */
    says: 'fake',
    /** Lightpush requests that are served, and whose answers are lost. */
    lostAnswers: 0,
    answer: (entry: StoredMessage) => entry,
    forge: (message: WakuMessage) => message,
    clusterId: options.clusterId,
  }
  const pushedRequests: { requestId: string; message: WakuMessage }[] = []

  await serveFrames(libp2p, PROTOCOL_IDS.metadata, async (frames) => {
    decode(MetadataRequestSchema, await frames.read())
    const answer = create(MetadataResponseSchema, { clusterId: faults.clusterId, shards: [] })
    await frames.write(encode(MetadataResponseSchema, answer))
    await frames.close()
  })
  await serveFrames(libp2p, PROTOCOL_IDS.lightpush, async (frames, from) => {
    const { requestId, pubsubTopic = '', message } = decode(LightpushRequestSchema, await frames.read())
    if (!message || faults.broken) throw crash()
    pushedRequests.push({ requestId, message })
    const paid = faults.status === 0 && (await payments.charge(from, requestId, 'publish'))
    const statusCode = faults.status || (paid ? 200 : 402)
    if (statusCode === 200) options.relay(pubsubTopic, message)
    if (statusCode === 200 && faults.lostAnswers-- > 0) throw crash()
    const answer = create(LightpushResponseSchema, { requestId, statusCode, statusDesc: faults.says })
    await frames.write(encode(LightpushResponseSchema, answer))
    await frames.close()
  })
  await serveFrames(libp2p, PROTOCOL_IDS.filterSubscribe, async (frames, from) => {
    const request = decode(FilterSubscribeRequestSchema, await frames.read())
    const topics = subscribers.get(from) ?? new Set<string>()
    for (const topic of request.contentTopics) {
      if (request.filterSubscribeType === 1) topics.add(topic)
      else topics.delete(topic)
    }
    const known = request.filterSubscribeType !== 0 || topics.size > 0
    subscribers.set(from, topics)
    const { requestId } = request
    const answer = create(FilterSubscribeResponseSchema, { requestId, statusCode: known ? 200 : 404 })
    await frames.write(encode(FilterSubscribeResponseSchema, answer))
    await frames.close()
  })
  await serveFrames(libp2p, PROTOCOL_IDS.storeQuery, async (frames, from) => {
    const request = decode(StoreQueryRequestSchema, await frames.read())
    const paid = await payments.charge(from, request.requestId, 'query')
    const page = paid ? pageOf(archive, request, faults.answer) : { messages: [] }
    const answer = create(StoreQueryResponseSchema, {
      requestId: request.requestId,
      statusCode: paid ? 200 : 402,
      ...page,
    })
    await frames.write(encode(StoreQueryResponseSchema, answer))
    await frames.close()
  })

  const push = async (to: string, pubsubTopic: string, message: WakuMessage) => {
    const id = `push-${bytesToHex(messageHash(pubsubTopic, message))}`
    for (let tries = 0; !(await payments.charge(to, id, 'push')); tries++) {
      if (tries === PUSH_TRIES) return
      await new Promise((wake) => setTimeout(wake, PUSH_RETRY_MS))
    }
    const connection = libp2p.getConnections().find(({ remotePeer }) => remotePeer.toString() === to)
    const stream = await connection?.newStream(PROTOCOL_IDS.filterPush)
    if (!stream) return
    const frames = createFrameStream(stream, 'push', 1)
    await frames.write(
      encode(
        MessagePushSchema,
        create(MessagePushSchema, { wakuMessage: faults.forge(message), pubsubTopic }),
      ),
    )
    await frames.close()
  }
  chain.nodes.push({
    operator,
    peerKey: bytesToHex(libp2p.peerId.publicKey?.raw ?? new Uint8Array(32)),
    services: 15,
    endpoints: target.addresses,
    prices,
    stake,
  })
  return {
    operator,
    target,
    payments,
    archive,
    subscribers,
    faults,
    /** Lightpush requests as they came, before any judgement. */
    pushedRequests,
    /** A message came by gossip. */
    accept(pubsubTopic: string, message: WakuMessage) {
      if (!message.ephemeral) archive.push({ pubsubTopic, message, hash: messageHash(pubsubTopic, message) })
      for (const [to, topics] of subscribers) {
        if (!topics.has(message.contentTopic)) continue
        const before = pushing.get(to) ?? Promise.resolve()
        pushing.set(
          to,
          before.then(() => push(to, pubsubTopic, message)).catch(() => undefined),
        )
      }
    },
    push,
    async hangUp() {
      subscribers.clear()
      await Promise.all(libp2p.getConnections().map((connection) => connection.close()))
    },
    stop: peer.stop,
  }
}

export type FakeNode = Awaited<ReturnType<typeof startFakeNode>>

/** 13/STORE's paging, as a node does it. */
function pageOf(
  archive: readonly StoredMessage[],
  request: StoreQueryRequest,
  forge: (entry: StoredMessage) => StoredMessage,
) {
  const { messageHashes, contentTopics, timeStart, timeEnd, paginationCursor, paginationForward } = request
  const time = ({ message }: StoredMessage) => message.timestamp ?? 0n
  const fits = (entry: StoredMessage) =>
    messageHashes.length > 0
      ? messageHashes.some((hash) => equalBytes(hash, entry.hash))
      : entry.pubsubTopic === request.pubsubTopic &&
        contentTopics.includes(entry.message.contentTopic) &&
        (timeStart === undefined || time(entry) >= timeStart) &&
        (timeEnd === undefined || time(entry) < timeEnd)
  const place = (entry: StoredMessage) =>
    `${time(entry).toString().padStart(20, '0')}${bytesToHex(entry.hash)}`
  const sorted = archive.filter(fits).sort((a, b) => (place(a) < place(b) ? -1 : 1))
  const walk = paginationForward ? sorted : sorted.reverse()
  const start = paginationCursor ? walk.findIndex(({ hash }) => equalBytes(hash, paginationCursor)) + 1 : 0
  const limit = Number(request.paginationLimit ?? 20n)
  const page = walk.slice(start, start + limit)
  const last = page.at(-1)
  const more = last !== undefined && start + limit < walk.length
  const messages = (paginationForward ? page : page.toReversed())
    .map(forge)
    .map(({ hash, message, pubsubTopic }) =>
      create(WakuMessageKeyValueSchema, {
        messageHash: hash,
        ...(request.includeData ? { message, pubsubTopic } : {}),
      }),
    )
  return { messages, ...(more ? { paginationCursor: last.hash } : {}) }
}
