import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import type { Address } from '@postrider/protocol/wire'
import {
  bytesToHex,
  equalBytes,
  messageHash,
  timestampToMs,
  type WakuMessage,
} from '@postrider/protocol/wire'
import { throwIfAborted } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { createMutex } from '../core/mutex.ts'
import { createReplay } from '../core/replay.ts'
import type { NodePool } from '../nodes/pool.ts'
import type { NodeInfo } from '../nodes/types.ts'
import type { ProvenMessage } from '../rln/attach.ts'
import { push } from '../transport/lightpush.ts'
import { queryPage } from '../transport/store.ts'
import type { Transport } from '../transport/types.ts'
import type { Payments } from '../wallet/payments.ts'
import { isOwnShortage } from '../wallet/shortage.ts'
import { createFailover, type Failover, refOf, refusedWith } from './attempts.ts'
import {
  CONFIRMATION_PAUSES_MS,
  MAX_QUEUED_PUBLISHES,
  PUBLISH_RETRY_MAX_MS,
  PUBLISH_RETRY_MS,
  PUBLISH_WINDOW_MS,
  REJECTIONS_TO_BELIEVE,
  REQUEST_ID_HASH_CHARS,
} from './constants.ts'
import { checkSize, createStamper, type Place, placeOf, toWakuMessage } from './outgoing.ts'
import type { Attempt, OutgoingMessage, PublishHandle, PublishReceipt, PublishState } from './types.ts'

export type PublisherComponents = {
  network: Network
  pool: NodePool
  payments: Payments
  transport: Transport
  clock: Clock
  /** Attaches a proof of the own membership; undefined: the client has none, and nodes attach theirs. */
  prove(pubsubTopic: string, message: WakuMessage, signal?: AbortSignal): Promise<ProvenMessage> | undefined
}

export type PublishOptions = {
  /** Stores in which the message is looked for after it was relayed; each look is paid. */
  confirmations: number
  signal?: AbortSignal | undefined
}

/** Sends messages. */
export interface Publisher {
  /** Starts at once; what goes wrong comes through the handle. */
  publish(message: OutgoingMessage, options: PublishOptions): PublishHandle
}

/** A message whose bytes are final. */
type Sealed = Place & { message: WakuMessage; hash: Uint8Array; proven?: ProvenMessage }
type Relayed = { node: NodeInfo; paid: bigint }
type Report = (state: PublishState) => void

/**
 * Builds, proves and sends messages. Proofs are made one at a time; everything else overlaps. When a node fails,
 * the same bytes go to the next one: one message id, whatever happens.
 */
export function createPublisher(components: PublisherComponents): Publisher {
  const turn = createMutex()
  const stamp = createStamper(components.clock)
  let queued = 0

  const seal = (outgoing: OutgoingMessage, place: Place, signal?: AbortSignal): Promise<Sealed> =>
    turn.run(async () => {
      throwIfAborted(signal)
      // Stamped when its turn comes: nodes refuse what is older than 20 s.
      const bare = toWakuMessage(outgoing, stamp())
      const proven = await components.prove(place.pubsubTopic, bare, signal)
      const message = proven?.message ?? bare
      return {
        ...place,
        message,
        hash: messageHash(place.pubsubTopic, message),
        ...(proven ? { proven } : {}),
      }
    })

  const run = async (outgoing: OutgoingMessage, options: PublishOptions, report: Report) => {
    const { clock, network } = components
    const place = placeOf(outgoing.contentTopic, network)
    checkSize(outgoing, clock.nowMs())
    if (queued >= MAX_QUEUED_PUBLISHES) throw new PostriderError('CLIENT_BUSY', { data: { queued } })
    queued++
    report({ state: 'queued' })
    try {
      const first = await findNode(components, place, options.signal)
      const sealed = await seal(outgoing, place, options.signal)
      return await deliver(components, sealed, { ...options, first, report })
    } finally {
      queued--
    }
  }

  return {
    publish(outgoing, options) {
      const states = createReplay<PublishState>()
      const receipt = run(outgoing, options, (state) => states.push(state))
      receipt.then(
        () => states.end(),
        (error) => states.end(error),
      )
      return { receipt, [Symbol.asyncIterator]: () => states[Symbol.asyncIterator]() }
    },
  }
}

/** A node that is connected and can be paid, found before an id is used: without one, no id is burnt. */
function findNode(
  components: PublisherComponents,
  { shard }: Place,
  signal?: AbortSignal,
): Promise<NodeInfo> {
  const { payments } = components
  const search = createFailover(components, { service: 'lightpush', shard, signal })
  return search.find(async (node) => {
    await payments.prepare(node, 'publish', signal)
    return node
  })
}

type Delivery = PublishOptions & { first: NodeInfo; report: Report }

async function deliver(
  components: PublisherComponents,
  sealed: Sealed,
  { first, report, confirmations, signal }: Delivery,
): Promise<PublishReceipt> {
  const { message, proven, shard, pubsubTopic } = sealed
  const hash = bytesToHex(sealed.hash)
  if (proven) {
    const { epoch, remaining } = proven
    report({ state: 'proved', messageHash: hash, epoch, rlnRemaining: remaining })
  }
  const failover = createFailover(components, { service: 'lightpush', shard, signal })
  const { node, paid } = await relay(components, sealed, failover, first, signal)
  report({ state: 'relayed', messageHash: hash, node: refOf(node), paid })
  const wanted = message.ephemeral ? 0 : confirmations
  const seen = await confirm(
    components,
    sealed,
    wanted,
    (stores, cost) => {
      report({ state: 'stored', messageHash: hash, stores, paid: paid + cost })
    },
    signal,
  )
  return {
    messageHash: hash,
    pubsubTopic,
    contentTopic: message.contentTopic,
    timestamp: message.timestamp ?? 0n,
    node: refOf(node),
    paid: paid + seen.paid,
    ...(proven ? { rlnRemaining: proven.remaining, epoch: proven.epoch } : {}),
    stores: seen.stores,
    attempts: failover.attempts,
  }
}

/** Offers the message to nodes until one takes it, the nodes agree that it is invalid, or it is too old. */
async function relay(
  components: PublisherComponents,
  sealed: Sealed,
  failover: Failover,
  first: NodeInfo,
  signal?: AbortSignal,
): Promise<Relayed> {
  const { clock } = components
  const untilMs = timestampToMs(sealed.message.timestamp ?? 0n) + PUBLISH_WINDOW_MS
  const offer = createOffer(components, sealed, signal)
  for (let round = 0; ; round++) {
    try {
      return await failover.run(offer, round === 0 ? first : undefined)
    } catch (error) {
      throwIfAborted(signal)
      const { attempts } = failover
      if (isRejected(attempts)) throw publishError('CLIENT_PUBLISH_REJECTED', attempts, error)
      if (isOwnShortage(error)) throw error
      if (isHopeless(error)) throw publishError('CLIENT_PUBLISH_FAILED', attempts, error)
      const pauseMs = Math.min(PUBLISH_RETRY_MS * 2 ** round, PUBLISH_RETRY_MAX_MS)
      if (clock.nowMs() + pauseMs > untilMs) throw publishError('CLIENT_PUBLISH_FAILED', attempts, error)
      await clock.sleep(pauseMs, signal)
      failover.restart()
    }
  }
}

/**
 * Hands the message to a node. After an answer the next try is a request of its own; one whose answer was lost is
 * sent again under the same id, so that a node that had served it does not charge it twice.
 */
function createOffer(
  { payments, transport }: PublisherComponents,
  { pubsubTopic, message, hash }: Sealed,
  signal?: AbortSignal,
): (node: NodeInfo) => Promise<Relayed> {
  let answered = 0
  return async (node) => {
    const id = `${bytesToHex(hash).slice(2, 2 + REQUEST_ID_HASH_CHARS)}-${answered}`
    const send = (requestId: string) =>
      push(transport, node.peerId, { requestId, pubsubTopic, message }, signal)
    const { answer, paid } = await payments.request(node, 'publish', send, signal, id)
    answered++
    if (answer.code !== 200) throw refusedWith(answer)
    return { node, paid }
  }
}

/** Looks for the message in stores, another one each time, until enough have it or the looks are used up. */
async function confirm(
  components: PublisherComponents,
  { hash, shard }: Sealed,
  wanted: number,
  onFound: (stores: number, paid: bigint) => void,
  signal?: AbortSignal,
): Promise<{ stores: number; paid: bigint }> {
  const { clock, payments, transport } = components
  const found = new Set<Address>()
  let cost = 0n
  const look = async (node: NodeInfo): Promise<void> => {
    const send = (requestId: string) => {
      const query = { requestId, includeData: false, messageHashes: [hash], paginationForward: true }
      return queryPage(transport, node.peerId, query, signal)
    }
    const { answer, paid } = await payments.request(node, 'query', send, signal)
    cost += paid
    if (answer.code !== 200) throw refusedWith(answer)
    if (!answer.messages.some(({ messageHash: theirs }) => theirs && equalBytes(theirs, hash))) return
    found.add(node.operator)
    onFound(found.size, cost)
  }
  for (const pauseMs of CONFIRMATION_PAUSES_MS) {
    if (found.size >= wanted) break
    await clock.sleep(pauseMs, signal)
    const failover = createFailover(components, { service: 'store', shard, exclude: found, signal })
    // The message is on the network: a store that cannot be asked is no failure of the publish.
    await failover.run(look).catch(() => throwIfAborted(signal))
  }
  return { stores: found.size, paid: cost }
}

const REJECTING_STATUSES: ReadonlySet<unknown> = new Set([400, 413, 420])
const REJECTING_REASONS = /\b(RLN_BREACH|RLN_NULLIFIER_SPENT)\b/

/** True when enough different nodes found the message itself at fault. */
function isRejected(attempts: readonly Attempt[]): boolean {
  const rejecting = attempts.filter(({ status, reason }) => {
    return REJECTING_STATUSES.has(status) || REJECTING_REASONS.test(reason)
  })
  const nodes = new Set(attempts.map(({ operator }) => operator))
  const rejectors = new Set(rejecting.map(({ operator }) => operator))
  return rejectors.size >= Math.min(REJECTIONS_TO_BELIEVE, nodes.size) && rejectors.size > 0
}

/** No node is registered, or none that is trusted: waiting changes nothing. */
function isHopeless(error: unknown): boolean {
  return isPostriderError(error) && error.code === 'CLIENT_NO_NODE' && error.data.known === 0
}

function publishError(
  code: 'CLIENT_PUBLISH_REJECTED' | 'CLIENT_PUBLISH_FAILED',
  attempts: readonly Attempt[],
  cause: unknown,
): PostriderError {
  const detail = attempts.at(-1)?.reason ?? (cause instanceof Error ? cause.message : undefined)
  return new PostriderError(code, { ...(detail ? { detail } : {}), data: { attempts }, cause })
}
