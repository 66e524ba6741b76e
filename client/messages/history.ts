import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import {
  equalBytes,
  messageHash,
  msToTimestamp,
  type WakuMessage,
  type WakuMessageKeyValue,
} from '@postrider/protocol/wire'
import { throwIfAborted } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import type { NodePool } from '../nodes/pool.ts'
import type { NodeInfo } from '../nodes/types.ts'
import { type PageRequest, queryPage } from '../transport/store.ts'
import type { Transport } from '../transport/types.ts'
import type { Payments } from '../wallet/payments.ts'
import { isOwnShortage } from '../wallet/shortage.ts'
import { createFailover, refusedWith } from './attempts.ts'
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, MAX_QUERY_TOPICS } from './constants.ts'
import { placeOf } from './outgoing.ts'
import type { HistoryQuery, ReceivedMessage } from './types.ts'
import { type ProofChecker, toReceived } from './verify.ts'

export type HistoryComponents = {
  network: Network
  pool: NodePool
  payments: Payments
  transport: Transport
  clock: Clock
  checker: ProofChecker
}

/** The topics of one shard, in one walk through the stores. */
type Walk = {
  shard: number
  pubsubTopic: string
  contentTopics: string[]
  start: bigint | undefined
  end: bigint | undefined
  forward: boolean
  pageSize: number
  verifyProofs: boolean
  signal: AbortSignal | undefined
}

/** One checked message and its place in the archive's order. */
type Found = { position: string; message: ReceivedMessage }
/** Where a walk stands: the last message, and the cursor of the node that gave it. */
type Progress = { last?: Found; cursor?: { node: NodeInfo; hash: Uint8Array } }
type PageOfFound = { found: Found[]; cursor?: { node: NodeInfo; hash: Uint8Array } }

/**
 * Messages of the stores, in the order of their timestamps, each page paid for and each message checked before it
 * is given out. A node that gives a wrong one is left, and the walk goes on with another at the same place.
 *
 * Ends with `CLIENT_QUERY_FAILED`, a payment error or the signal's reason when no node can go on.
 */
export async function* queryHistory(
  components: HistoryComponents,
  query: HistoryQuery,
): AsyncGenerator<ReceivedMessage, void, undefined> {
  const walks = planWalks(components.network, query)
  if (query.verifyProofs) await components.checker.ready()
  const forward = query.direction !== 'backward'
  const streams = walks.map((walk) => walkPages(components, walk))
  for await (const { message } of mergeOrdered(streams, forward)) yield message
}

function planWalks(network: Network, query: HistoryQuery): Walk[] {
  const { pageSize = DEFAULT_PAGE_SIZE, contentTopics } = query
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE) throw optionError('pageSize')
  if (contentTopics.length === 0) throw optionError('contentTopics')
  const groups = new Map<string, { shard: number; topics: string[] }>()
  for (const topic of new Set(contentTopics)) {
    const { pubsubTopic, shard } = placeOf(topic, network)
    const group = groups.get(pubsubTopic) ?? { shard, topics: [] }
    groups.set(pubsubTopic, group)
    group.topics.push(topic)
  }
  return [...groups].flatMap(([pubsubTopic, { shard, topics }]) =>
    chunk(topics, MAX_QUERY_TOPICS).map((part) => ({
      shard,
      pubsubTopic,
      contentTopics: part,
      start: query.startTime && msToTimestamp(query.startTime.getTime()),
      end: query.endTime && msToTimestamp(query.endTime.getTime()),
      forward: query.direction !== 'backward',
      pageSize,
      verifyProofs: query.verifyProofs ?? false,
      signal: query.signal,
    })),
  )
}

async function* walkPages(components: HistoryComponents, walk: Walk): AsyncGenerator<Found, void, undefined> {
  const progress: Progress = {}
  for (;;) {
    throwIfAborted(walk.signal)
    const page = await nextPage(components, walk, progress)
    yield* page.found
    const last = page.found.at(-1)
    if (last) progress.last = last
    if (!page.cursor) return
    progress.cursor = page.cursor
  }
}

/** The next page: from the node of the last one by its cursor, or from another by time. */
async function nextPage(components: HistoryComponents, walk: Walk, progress: Progress): Promise<PageOfFound> {
  const { shard, signal } = walk
  const failover = createFailover(components, { service: 'store', shard, signal })
  try {
    return await failover.run((node) => pageFrom(components, walk, progress, node), progress.cursor?.node)
  } catch (error) {
    throwIfAborted(signal)
    if (isOwnShortage(error)) throw error
    const { attempts } = failover
    throw new PostriderError('CLIENT_QUERY_FAILED', { data: { attempts }, cause: error })
  }
}

async function pageFrom(
  components: HistoryComponents,
  walk: Walk,
  progress: Progress,
  node: NodeInfo,
): Promise<PageOfFound> {
  const { payments, transport } = components
  const request = toRequest(walk, progress, node)
  const send = (requestId: string) =>
    queryPage(transport, node.peerId, { ...request, requestId }, walk.signal)
  const { answer } = await payments.request(node, 'query', send, walk.signal)
  if (answer.code !== 200) throw refusedWith(answer)
  const found = await Promise.all(answer.messages.map((entry) => checkEntry(components, walk, node, entry)))
  const ordered = walk.forward ? found : found.reverse()
  const hash = answer.paginationCursor
  const cursor = hash && ordered.length > 0 ? { cursor: { node, hash } } : {}
  return { found: onlyNew(walk, progress, request.paginationCursor !== undefined, ordered), ...cursor }
}

/** Another node may not know the cursor: it is asked from the last message's time on, and copies are left out. */
function toRequest(walk: Walk, { last, cursor }: Progress, node: NodeInfo): Omit<PageRequest, 'requestId'> {
  const { pubsubTopic, contentTopics, forward, pageSize } = walk
  const known = cursor?.node.operator === node.operator ? cursor.hash : undefined
  const resume = known ? undefined : last?.message.timestamp
  const start = forward ? (resume ?? walk.start) : walk.start
  const end = !forward && resume !== undefined ? resume + 1n : walk.end
  return {
    includeData: true,
    pubsubTopic,
    contentTopics,
    ...(start === undefined ? {} : { timeStart: start }),
    ...(end === undefined ? {} : { timeEnd: end }),
    ...(known ? { paginationCursor: known } : {}),
    paginationForward: forward,
    paginationLimit: BigInt(pageSize),
  }
}

async function checkEntry(
  { checker }: HistoryComponents,
  walk: Walk,
  node: NodeInfo,
  entry: WakuMessageKeyValue,
): Promise<Found> {
  const { message, messageHash: hash, pubsubTopic } = entry
  if (!message || !hash || pubsubTopic !== walk.pubsubTopic) throw wrong('an incomplete entry')
  if (!equalBytes(messageHash(walk.pubsubTopic, message), hash)) throw wrong('a hash that is not its own')
  if (!matches(walk, message)) throw wrong('a message outside the filter')
  const proof = walk.verifyProofs ? await checker.check(walk.pubsubTopic, message) : 'not-checked'
  const received = toReceived(walk.pubsubTopic, message, node, proof)
  return { position: positionOf(received), message: received }
}

function matches(
  { contentTopics, start, end }: Walk,
  { contentTopic, timestamp = 0n }: WakuMessage,
): boolean {
  const inTime = (start === undefined || timestamp >= start) && (end === undefined || timestamp < end)
  return inTime && contentTopics.includes(contentTopic)
}

/** Leaves out what was given already, and checks that the rest goes on in order: no node can make a walk endless. */
function onlyNew(walk: Walk, { last }: Progress, strict: boolean, found: Found[]): Found[] {
  const after = (a: Found, b: Found) => (walk.forward ? a.position > b.position : a.position < b.position)
  const rest = last && !strict ? found.filter((entry) => after(entry, last)) : found
  rest.forEach((entry, at) => {
    const before = at === 0 ? last : rest[at - 1]
    if (before && !after(entry, before)) throw wrong('messages out of order')
  })
  return rest
}

// Sorts as timestamp, then hash. Timestamps of received messages are not negative.
function positionOf({ timestamp, messageHash: hash }: ReceivedMessage): string {
  return `${timestamp.toString().padStart(20, '0')}${hash}`
}

async function* mergeOrdered(
  streams: AsyncGenerator<Found, void, undefined>[],
  forward: boolean,
): AsyncGenerator<Found, void, undefined> {
  const heads = await Promise.all(streams.map(async (stream) => ({ stream, next: await stream.next() })))
  for (;;) {
    const open = heads.filter(({ next }) => !next.done)
    const first = open.reduce<(typeof open)[number] | undefined>((best, head) => {
      if (!best) return head
      const earlier = (head.next.value as Found).position < (best.next.value as Found).position
      return earlier === forward ? head : best
    }, undefined)
    if (!first) return
    yield first.next.value as Found
    first.next = await first.stream.next()
  }
}

function wrong(detail: string): PostriderError {
  return new PostriderError('CLIENT_HISTORY_INVALID', { detail })
}

function optionError(option: string): PostriderError {
  return new PostriderError('CLIENT_OPTION_INVALID', { detail: option, data: { option } })
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  )
}
