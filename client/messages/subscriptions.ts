import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { abortReason, throwIfAborted } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { toPostriderError } from '../core/errors.ts'
import { createMutex } from '../core/mutex.ts'
import type { NodeInfo } from '../nodes/types.ts'
import type { Pushed } from '../transport/filter.ts'
import type { Payments } from '../wallet/payments.ts'
import { MAX_SUBSCRIBED_TOPICS, SUBSCRIPTION_UPKEEP_MS } from './constants.ts'
import type { Feeds } from './feeds.ts'
import type { Inbox, Listener } from './inbox.ts'
import { placeOf } from './outgoing.ts'
import type { ReceivedMessage, SubscribeOptions, Subscription } from './types.ts'
import type { ProofChecker } from './verify.ts'

export type SubscriptionsComponents = {
  network: Network
  feeds: Feeds
  inbox: Inbox
  payments: Payments
  checker: ProofChecker
  clock: Clock
  /** A shard is without a node, for the moment. */
  onError(error: PostriderError): void
}

/** Keeps the topics of this client subscribed at enough nodes. */
export interface Subscriptions {
  start(): void
  stop(): Promise<void>
  /**
   * Resolves when at least one node pushes each topic.
   *
   * @throws PostriderError `WIRE_CONTENT_TOPIC_INVALID`, `CLIENT_OPTION_INVALID`, `CLIENT_SUBSCRIBE_FAILED` (the
   * subscription is not kept then)
   */
  subscribe(
    contentTopics: readonly string[],
    onMessage: (message: ReceivedMessage) => void,
    options?: SubscribeOptions,
  ): Promise<Subscription>
  /** A node pushed a message. */
  pushed(pushed: Pushed): void
  /** The connection to a node is gone: its place is filled at once. */
  lost(node: NodeInfo): void
}

export function createSubscriptions(components: SubscriptionsComponents): Subscriptions {
  const { network, feeds, inbox, payments, checker, clock, onError } = components
  const turn = createMutex()
  const stopped = new AbortController()
  let upkeep: Promise<unknown> = Promise.resolve()

  const wanted = (): Map<string, Set<string>> => {
    const shards = new Map<string, Set<string>>()
    for (const topic of inbox.listeners().flatMap(({ topics }) => [...topics])) {
      const { pubsubTopic } = placeOf(topic, network)
      shards.set(pubsubTopic, (shards.get(pubsubTopic) ?? new Set()).add(topic))
    }
    return shards
  }
  const align = () => turn.run(() => feeds.align(wanted()))
  const alignQuietly = () =>
    align().catch((error) => onError(toPostriderError(error, 'CLIENT_SUBSCRIBE_FAILED')))
  const keepUp = async () => {
    for (;;) {
      await clock.sleep(SUBSCRIPTION_UPKEEP_MS, stopped.signal)
      await turn.run(() => feeds.ping())
      await alignQuietly()
    }
  }
  const remove = async (listener: Listener) => {
    inbox.remove(listener)
    await alignQuietly()
  }

  return {
    start() {
      upkeep = keepUp().catch(() => undefined)
    },
    async stop() {
      stopped.abort()
      await upkeep
    },
    async subscribe(contentTopics, onMessage, options = {}) {
      const { verifyProofs = false, signal } = options
      throwIfAborted(signal)
      if (verifyProofs) await checker.ready()
      const listener: Listener = { topics: checkTopics(contentTopics, network), verifyProofs, onMessage }
      inbox.add(listener)
      try {
        await align()
        if (signal?.aborted) throw abortReason(signal)
      } catch (error) {
        await remove(listener)
        throw error
      }
      signal?.addEventListener('abort', () => void remove(listener), { once: true })
      return { contentTopics: [...listener.topics], unsubscribe: () => remove(listener) }
    },
    pushed(pushed) {
      const node = feeds.find(pushed.peerId, pushed.pubsubTopic ?? '')
      // Only what was asked for is taken, and paid once.
      if (node && inbox.take(node, pushed)) payments.pushed(node)
    },
    lost(node) {
      feeds.lose(node)
      if (!stopped.signal.aborted && inbox.listeners().length > 0) void alignQuietly()
    },
  }
}

function checkTopics(contentTopics: readonly string[], network: Network): ReadonlySet<string> {
  for (const topic of contentTopics) placeOf(topic, network)
  if (contentTopics.length > 0 && contentTopics.length <= MAX_SUBSCRIBED_TOPICS) return new Set(contentTopics)
  const detail = `1 to ${MAX_SUBSCRIBED_TOPICS} content topics`
  throw new PostriderError('CLIENT_OPTION_INVALID', { detail, data: { option: 'contentTopics' } })
}
