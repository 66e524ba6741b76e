import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { type FilterSubscribeRequest, parseContentTopic, parsePubsubTopic } from '@postrider/protocol/wire'
import { MAX_TOPICS_PER_REQUEST } from './constants.ts'

/** `filter_subscribe_type` of 12/WAKU2-FILTER. */
export const PING = 0
export const SUBSCRIBE = 1
export const UNSUBSCRIBE = 2
export const UNSUBSCRIBE_ALL = 3

/**
 * What a request subscribes to or unsubscribes from.
 *
 * @throws PostriderError `LIGHT_REQUEST_INVALID`
 */
export function checkCriteria(
  request: FilterSubscribeRequest,
  network: Pick<Network, 'clusterId' | 'shardCount'>,
): { pubsubTopic: string; contentTopics: readonly string[] } {
  const { pubsubTopic = '', contentTopics } = request
  const place = parsePubsubTopic(pubsubTopic)
  if (!place || place.clusterId !== network.clusterId || place.shard >= network.shardCount) {
    throw new PostriderError('LIGHT_REQUEST_INVALID', {
      detail: 'pubsub_topic is not a shard of this network',
    })
  }
  const known = contentTopics.every((topic) => parseContentTopic(topic) !== undefined)
  if (contentTopics.length === 0 || contentTopics.length > MAX_TOPICS_PER_REQUEST || !known) {
    throw new PostriderError('LIGHT_REQUEST_INVALID', { detail: 'content_topics' })
  }
  return { pubsubTopic, contentTopics }
}
