import { PostriderError } from '@postrider/protocol/errors'
import { bytesToHex, MAX_TOPIC_CHARS, type StoreQueryRequest } from '@postrider/protocol/wire'
import {
  DEFAULT_PAGE_SIZE,
  MAX_CONTENT_TOPICS,
  MAX_MESSAGE_HASHES,
  MAX_PAGE_SIZE,
  MAX_REQUEST_ID_CHARS,
} from './constants.ts'
import type { PageFilter } from './types.ts'

const HASH_BYTES = 32

/** A store query whose fields have been checked against each other. */
export type CheckedQuery = {
  requestId: string
  filter: PageFilter
  /** The message after which the walk goes on. */
  cursorHash?: Uint8Array
  forward: boolean
  limit: number
  includeData: boolean
}

/**
 * Checks a query by the rules of 13/STORE: a content filter (pubsub topic and content topics, both or neither,
 * with times) or message hashes. A limit above the node's largest page is lowered to it.
 *
 * @throws PostriderError `STORE_QUERY_INVALID`
 */
export function checkQuery(request: StoreQueryRequest): CheckedQuery {
  const { requestId, includeData, paginationForward, paginationCursor, paginationLimit } = request
  if (requestId.length === 0 || requestId.length > MAX_REQUEST_ID_CHARS) {
    throw invalid(`the request id has 1 to ${MAX_REQUEST_ID_CHARS} characters`)
  }
  const cursorHash = paginationCursor?.length ? checkHash(paginationCursor, 'cursor') : undefined
  return {
    requestId,
    filter: request.messageHashes.length > 0 ? hashFilter(request) : contentFilter(request),
    ...(cursorHash ? { cursorHash } : {}),
    forward: paginationForward,
    limit: paginationLimit ? Math.min(Number(paginationLimit), MAX_PAGE_SIZE) : DEFAULT_PAGE_SIZE,
    includeData,
  }
}

// The stock client names the pubsub topic of its decoder in a hash lookup. A hash already binds its topic, so
// the field is allowed and has no effect.
function hashFilter({ messageHashes, contentTopics, timeStart, timeEnd }: StoreQueryRequest): PageFilter {
  if (contentTopics.length > 0 || timeStart !== undefined || timeEnd !== undefined) {
    throw invalid('message hashes exclude content topics and times')
  }
  if (messageHashes.length > MAX_MESSAGE_HASHES) throw invalid(`at most ${MAX_MESSAGE_HASHES} message hashes`)
  const distinct = new Map(messageHashes.map((hash) => [bytesToHex(hash), checkHash(hash, 'message hash')]))
  return { hashes: [...distinct.values()] }
}

function contentFilter(request: StoreQueryRequest): PageFilter {
  const { timeStart, timeEnd } = request
  if (timeStart !== undefined && timeEnd !== undefined && timeStart > timeEnd) {
    throw invalid('the start time is after the end time')
  }
  return {
    ...topicFilter(request),
    ...(timeStart === undefined ? {} : { timeStart }),
    ...(timeEnd === undefined ? {} : { timeEnd }),
  }
}

function topicFilter({ pubsubTopic = '', contentTopics }: StoreQueryRequest): PageFilter {
  if ((pubsubTopic === '') !== (contentTopics.length === 0)) {
    throw invalid('pubsub topic and content topics come together')
  }
  if (pubsubTopic === '') return {}
  if (contentTopics.length > MAX_CONTENT_TOPICS) throw invalid(`at most ${MAX_CONTENT_TOPICS} content topics`)
  for (const topic of [pubsubTopic, ...contentTopics]) {
    if (topic.length === 0 || topic.length > MAX_TOPIC_CHARS) {
      throw invalid(`a topic has 1 to ${MAX_TOPIC_CHARS} characters`)
    }
  }
  return { pubsubTopic, contentTopics: [...new Set(contentTopics)] }
}

function checkHash(hash: Uint8Array, name: string): Uint8Array {
  if (hash.length !== HASH_BYTES) throw invalid(`a ${name} has ${HASH_BYTES} bytes`)
  return hash
}

function invalid(detail: string): PostriderError {
  return new PostriderError('STORE_QUERY_INVALID', { detail })
}
