import { PostriderError } from '@postrider/protocol/errors'
import { type Address, bytesToHex, parsePubsubTopic } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import { toPostriderError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { NodePool } from '../nodes/pool.ts'
import type { NodeInfo } from '../nodes/types.ts'
import { type FilterRequest, filter } from '../transport/filter.ts'
import type { Transport } from '../transport/types.ts'
import type { Payments } from '../wallet/payments.ts'
import { createFailover, refusedWith } from './attempts.ts'
import { MAX_TOPICS_PER_SUBSCRIBE } from './constants.ts'

/** Content topics by the pubsub topic on which they travel. */
export type TopicsByShard = ReadonlyMap<string, ReadonlySet<string>>

export type FeedsComponents = {
  pool: NodePool
  payments: Payments
  transport: Transport
  clock: Clock
  random: Random
}

/** The nodes that push messages to this client, shard by shard. */
export interface Feeds {
  /**
   * Brings the nodes to what is wanted: enough of them for every shard, each with every topic and no other.
   *
   * @throws PostriderError `CLIENT_SUBSCRIBE_FAILED` when a wanted shard is left without any node
   */
  align(wanted: TopicsByShard): Promise<void>
  /** Asks every node whether it still has the subscription; one that has not gets it again at the next `align`. */
  ping(): Promise<void>
  /** The node, if it was asked to push this shard. */
  find(peerId: string, pubsubTopic: string): NodeInfo | undefined
  /** The connection to a node is gone, and its subscriptions with it. */
  lose(node: NodeInfo): void
}

/** One node and the topics that it has for us. */
type Feed = { node: NodeInfo; topics: Set<string> }
type Shard = { pubsubTopic: string; feeds: Map<Address, Feed> }

/** @param options.redundancy nodes per shard; each push of each of them is paid */
export function createFeeds(components: FeedsComponents, options: { redundancy: number }): Feeds {
  const shards = new Map<string, Shard>()
  const shardOf = (pubsubTopic: string): Shard => {
    const shard = shards.get(pubsubTopic) ?? { pubsubTopic, feeds: new Map() }
    shards.set(pubsubTopic, shard)
    return shard
  }
  return {
    async align(wanted) {
      for (const topic of wanted.keys()) shardOf(topic)
      const results = await Promise.allSettled(
        [...shards.values()].map(async (shard) => {
          const topics = wanted.get(shard.pubsubTopic) ?? new Set<string>()
          await alignShard(components, shard, topics, options.redundancy)
          if (topics.size === 0) shards.delete(shard.pubsubTopic)
        }),
      )
      const failed = results.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
    },
    async ping() {
      const feeds = [...shards.values()].flatMap((shard) => [...shard.feeds.values()])
      await Promise.all(
        feeds.map(async (feed) => {
          try {
            await components.payments.prepare(feed.node, 'push')
            await ask(components, feed.node, { type: 'ping' })
          } catch {
            feed.topics.clear()
          }
        }),
      )
    },
    find: (peerId, pubsubTopic) =>
      [...(shards.get(pubsubTopic)?.feeds.values() ?? [])].find(({ node }) => node.peerId === peerId)?.node,
    lose(node) {
      for (const { feeds } of shards.values()) feeds.delete(node.operator)
    },
  }
}

async function alignShard(
  components: FeedsComponents,
  { pubsubTopic, feeds }: Shard,
  topics: ReadonlySet<string>,
  redundancy: number,
): Promise<void> {
  for (const feed of [...feeds.values()]) {
    try {
      await alignFeed(components, feed, pubsubTopic, topics)
    } catch (error) {
      feeds.delete(feed.node.operator)
      components.pool.report(feed.node, 'failed', toPostriderError(error, 'CLIENT_STREAM_FAILED'))
    }
  }
  const shard = parsePubsubTopic(pubsubTopic)?.shard ?? 0
  while (topics.size > 0 && feeds.size < redundancy) {
    const failover = createFailover(components, { service: 'filter', shard, exclude: new Set(feeds.keys()) })
    try {
      await failover.run((node) => openFeed(components, node, { pubsubTopic, feeds }, topics))
    } catch (cause) {
      if (feeds.size > 0) return
      throw new PostriderError('CLIENT_SUBSCRIBE_FAILED', { data: { attempts: failover.attempts }, cause })
    }
  }
}

async function openFeed(
  components: FeedsComponents,
  node: NodeInfo,
  { pubsubTopic, feeds }: Shard,
  topics: ReadonlySet<string>,
): Promise<void> {
  // Paid for before anything is pushed: nodes drop who does not pay.
  await components.payments.prepare(node, 'push')
  const feed = { node, topics: new Set<string>() }
  // Known before the node has the subscription: it may push at once.
  feeds.set(node.operator, feed)
  try {
    await alignFeed(components, feed, pubsubTopic, topics)
  } catch (error) {
    feeds.delete(node.operator)
    throw error
  }
}

async function alignFeed(
  components: FeedsComponents,
  feed: Feed,
  pubsubTopic: string,
  topics: ReadonlySet<string>,
): Promise<void> {
  const missing = [...topics].filter((topic) => !feed.topics.has(topic))
  for (const contentTopics of parts(missing)) {
    await ask(components, feed.node, { type: 'subscribe', pubsubTopic, contentTopics })
    for (const topic of contentTopics) feed.topics.add(topic)
  }
  const surplus = [...feed.topics].filter((topic) => !topics.has(topic))
  for (const contentTopics of parts(surplus)) {
    await ask(components, feed.node, { type: 'unsubscribe', pubsubTopic, contentTopics })
    for (const topic of contentTopics) feed.topics.delete(topic)
  }
}

function parts(topics: readonly string[]): string[][] {
  const count = Math.ceil(topics.length / MAX_TOPICS_PER_SUBSCRIBE)
  const at = (part: number) => part * MAX_TOPICS_PER_SUBSCRIBE
  return Array.from({ length: count }, (_, part) => topics.slice(at(part), at(part + 1)))
}

async function ask(
  { transport, random }: FeedsComponents,
  node: NodeInfo,
  request: Omit<FilterRequest, 'requestId'>,
): Promise<void> {
  const requestId = bytesToHex(random.bytes(16)).slice(2)
  const answer = await filter(transport, node.peerId, { ...request, requestId })
  if (answer.code !== 200) throw refusedWith(answer)
}
