import { closeSync, fchmodSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { PRIVATE_FILE_MODE } from '../../core/files.ts'
import { MESSAGE_OVERHEAD_BYTES, TOPIC_CACHE_SIZE } from '../constants.ts'
import { comparePositions, type Range, walkRange } from '../position.ts'
import type { Archive, PageEntry, PageFilter, PageRequest, PruneRule, StoredMessage } from '../types.ts'
import { openSchema } from './schema.ts'
import { prepareStatements, type Statements, type WalkRow } from './statements.ts'

const IN_MEMORY = ':memory:'

/**
 * Opens the archive in one SQLite file (`:memory:` for none), creating it when it is absent.
 *
 * Calls run on the caller's thread, each for a bounded number of rows: a page of 100 takes a fraction of a
 * millisecond, a batch of 256 a few. Only one process may write.
 *
 * @throws PostriderError `STORE_VERSION_UNSUPPORTED`, `STORE_UNAVAILABLE`
 */
export function openSqliteArchive(path: string): Archive {
  const { database, statements } = guard(() => {
    if (path !== IN_MEMORY) createPrivate(path)
    const opened = new DatabaseSync(path)
    openSchema(opened)
    return { database: opened, statements: prepareStatements(opened) }
  })
  const topics = createTopicCache(statements)

  const transaction = <T>(run: () => T): T => {
    statements.begin.run()
    try {
      const result = run()
      statements.commit.run()
      return result
    } catch (error) {
      topics.clear() // ids of rolled-back topics must not live on
      if (database.isTransaction) statements.rollback.run()
      throw error
    }
  }

  return {
    engine: 'sqlite',
    append: async (batch) => guard(() => transaction(() => appendBatch(statements, topics, batch))),
    query: async (request) => guard(() => readPage(statements, topics, request)),
    position: async (hash) =>
      guard(() => {
        const row = statements.byHash.get(hash) as WalkRow | undefined
        return row && { timestamp: row.timestamp, hash: row.hash }
      }),
    stats: async () => guard(() => readStats(statements)),
    prune: async (rule) =>
      guard(() => {
        const removed = transaction(() => pruneBatch(statements, topics, rule))
        if (removed > 0) statements.vacuum.all()
        return removed
      }),
    close: async () => guard(() => database.close()),
  }
}

/** SQLite's own files beside this one get the same mode. */
function createPrivate(path: string): void {
  const file = openSync(path, 'a', PRIVATE_FILE_MODE)
  fchmodSync(file, PRIVATE_FILE_MODE)
  closeSync(file)
}

/** Runs a database call; what SQLite throws becomes `STORE_UNAVAILABLE`. */
function guard<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (isPostriderError(cause)) throw cause
    const detail = cause instanceof Error ? cause.message : undefined
    throw new PostriderError('STORE_UNAVAILABLE', { cause, ...(detail ? { detail } : {}) })
  }
}

type TopicCache = {
  find(pubsub: string, content: string): bigint | undefined
  findOrAdd(pubsub: string, content: string): bigint
  clear(): void
}

function createTopicCache(statements: Statements): TopicCache {
  const ids = new Map<string, bigint>()
  // Topics are at most 256 characters and a pubsub topic has no line break, so the key is unambiguous.
  const keyOf = (pubsub: string, content: string) => `${pubsub}\n${content}`

  const find = (pubsub: string, content: string): bigint | undefined => {
    const key = keyOf(pubsub, content)
    const cached = ids.get(key)
    if (cached !== undefined) return cached
    const id = statements.topicId.get(pubsub, content)?.id as bigint | undefined
    if (id === undefined) return undefined
    if (ids.size >= TOPIC_CACHE_SIZE) ids.clear()
    ids.set(key, id)
    return id
  }

  return {
    find,
    findOrAdd: (pubsub, content) =>
      find(pubsub, content) ?? (statements.insertTopic.get(pubsub, content)?.id as bigint),
    clear: () => ids.clear(),
  }
}

function appendBatch(statements: Statements, topics: TopicCache, batch: readonly StoredMessage[]): number {
  let added = 0
  let bytes = 0
  for (const { timestamp, hash, pubsubTopic, contentTopic, data } of batch) {
    const topic = topics.findOrAdd(pubsubTopic, contentTopic)
    const { changes } = statements.insertMessage.run(timestamp, topic, data.length, hash, data)
    if (BigInt(changes) === 0n) continue
    added++
    bytes += data.length + MESSAGE_OVERHEAD_BYTES
  }
  if (added > 0) statements.addTotal.run(added, bytes)
  return added
}

function readPage(statements: Statements, topics: TopicCache, request: PageRequest) {
  const { filter, cursor, forward, limit, includeData, maxBytes } = request
  const range = walkRange({ ...filter, cursor, forward })
  const walk = filter.hashes
    ? walkHashes(statements, filter.hashes, range, forward)
    : walkTopics(statements, topics, { filter, range, forward, limit: limit + 1 })
  const entries: PageEntry[] = []
  let used = 0
  for (const row of walk.slice(0, limit)) {
    const head = statements.head.get(row.id) as { size: bigint; pubsub: string }
    used += includeData ? Number(head.size) : 0
    if (entries.length > 0 && used > maxBytes) break
    const entry = { timestamp: row.timestamp, hash: row.hash, pubsubTopic: head.pubsub }
    entries.push(includeData ? { ...entry, data: statements.data.get(row.id)?.data as Uint8Array } : entry)
  }
  return { entries: forward ? entries : entries.reverse(), more: walk.length > entries.length }
}

function walkHashes(
  statements: Statements,
  hashes: readonly Uint8Array[],
  range: Range,
  forward: boolean,
): WalkRow[] {
  const rows = new Map<bigint, WalkRow>()
  for (const hash of hashes) {
    const row = statements.byHash.get(hash) as WalkRow | undefined
    if (!row) continue
    const inside = comparePositions(range.after, row) < 0 && comparePositions(row, range.before) < 0
    if (inside) rows.set(row.id, row)
  }
  return sortWalk([...rows.values()], forward)
}

/** Up to `limit` rows of each topic's index, merged: with ten topics that is at most ten pages of positions. */
function walkTopics(
  statements: Statements,
  topics: TopicCache,
  walk: { filter: PageFilter; range: Range; forward: boolean; limit: number },
): WalkRow[] {
  const { filter, range, forward, limit } = walk
  const { after, before } = range
  const bounds = [after.timestamp, after.hash, before.timestamp, before.hash, limit] as const
  const direction = forward ? 'forward' : 'backward'
  if (!filter.contentTopics || filter.pubsubTopic === undefined) {
    return statements.walkAll[direction].all(...bounds) as WalkRow[]
  }
  const rows: WalkRow[] = []
  for (const contentTopic of filter.contentTopics) {
    const topic = topics.find(filter.pubsubTopic, contentTopic)
    if (topic === undefined) continue
    rows.push(...(statements.walkTopic[direction].all(topic, ...bounds) as WalkRow[]))
  }
  return sortWalk(rows, forward).slice(0, limit)
}

function sortWalk(rows: WalkRow[], forward: boolean): WalkRow[] {
  return rows.sort(forward ? comparePositions : (a, b) => comparePositions(b, a))
}

function readStats(statements: Statements) {
  const total = statements.total.get() as { messages: bigint; bytes: bigint }
  const oldest = statements.oldest.get(1)?.timestamp as bigint | undefined
  const newest = statements.newest.get()?.timestamp as bigint | undefined
  return {
    messages: Number(total.messages),
    bytes: Number(total.bytes),
    ...(oldest !== undefined && newest !== undefined ? { oldest, newest } : {}),
  }
}

function pruneBatch(statements: Statements, topics: TopicCache, rule: PruneRule): number {
  const { before, maxBytes, limit } = rule
  let { bytes } = readStats(statements)
  let removed = 0
  let freed = 0
  const touched = new Set<bigint>()
  const rows = statements.oldest.all(limit) as {
    id: bigint
    timestamp: bigint
    topic: bigint
    size: bigint
  }[]
  for (const { id, timestamp, topic, size } of rows) {
    const tooOld = before !== undefined && timestamp < before
    const tooMuch = maxBytes !== undefined && bytes > maxBytes
    if (!(tooOld || tooMuch)) break
    statements.deleteMessage.run(id)
    const gone = Number(size) + MESSAGE_OVERHEAD_BYTES
    bytes -= gone
    freed += gone
    touched.add(topic)
    removed++
  }
  if (removed === 0) return 0
  statements.addTotal.run(-removed, -freed)
  for (const topic of touched) statements.deleteUnusedTopic.run(topic)
  topics.clear()
  return removed
}
