/**
 * Messages at rest: takes what the relay accepted, keeps it for a time, and answers Waku store v3 queries for
 * payment. Wire form: docs/protocol/store.md.
 *
 * @module
 */
import type { Libp2p } from '@libp2p/interface'
import { MAX_MESSAGE_BYTES } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { createIngest, type IngestOptions, type IngestStats } from './ingest.ts'
import { createRetention, type RetentionOptions } from './retention.ts'
import { createQueryServer, type QueryServerOptions } from './server.ts'
import type { Archive, ArchiveStats, MessageSink, PaymentGate } from './types.ts'

export { createMemoryArchive } from './archive/memory.ts'
export { openSqliteArchive } from './archive/sqlite.ts'
export { DEFAULT_RETENTION_BYTES, DEFAULT_RETENTION_SECONDS } from './constants.ts'
export type { IngestStats } from './ingest.ts'
export type { Archive, ArchiveStats, MessageSink, PaymentGate, SinkEntry } from './types.ts'

export type StoreComponents = {
  libp2p: Pick<Libp2p, 'handle' | 'unhandle'>
  /** Opened by the caller; the store closes it when it stops. */
  archive: Archive
  payments: PaymentGate
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type StoreOptions = {
  ingest?: IngestOptions
  retention?: RetentionOptions
  queries?: QueryServerOptions
}

export type Store = MessageSink & {
  start(): Promise<void>
  /** Answers no more queries, writes what waits, and closes the archive. */
  stop(): Promise<void>
  /** Makes everything accepted so far visible to queries. */
  flush(): Promise<void>
  /**
   * The serialized message with this deterministic hash.
   *
   * @throws PostriderError `STORE_UNAVAILABLE`
   */
  message(hash: Uint8Array): Promise<Uint8Array | undefined>
  /** @throws PostriderError `STORE_UNAVAILABLE` */
  stats(): Promise<StoreStats>
  /** The way into the archive, from memory: answers while the archive does not. */
  ingest(): IngestStats
}

export type StoreStats = ArchiveStats & {
  /** Name of the archive's adapter. */
  engine: string
  /** Pages served since the start. */
  queries: number
  ingest: IngestStats
}

/** Creates a node's store over an archive. `accept` works before `start`; queries are served after it. */
export function createStore(components: StoreComponents, options: StoreOptions = {}): Store {
  const { archive, metrics } = components
  const ingest = createIngest(components, options.ingest)
  const retention = createRetention(components, options.retention)
  const server = createQueryServer(components, options.queries)
  // A failing archive shows in its own counters; the other metrics must stay readable.
  const read = async () => archive.stats().catch(() => undefined)
  metrics.gauge('store_messages', {
    help: 'Messages in the archive',
    collect: async (gauge) => gauge.set((await read())?.messages ?? 0),
  })
  metrics.gauge('store_bytes', {
    help: 'What the messages in the archive take',
    collect: async (gauge) => gauge.set((await read())?.bytes ?? 0),
  })

  return {
    accept: ingest.accept,
    async start() {
      retention.start()
      await server.start()
    },
    async stop() {
      await server.stop()
      await retention.stop()
      await ingest.stop()
      await archive.close()
    },
    flush: ingest.flush,
    async message(hash) {
      await ingest.flush()
      const { entries } = await archive.query({
        filter: { hashes: [hash] },
        forward: true,
        limit: 1,
        includeData: true,
        maxBytes: MAX_MESSAGE_BYTES,
      })
      return entries[0]?.data
    },
    async stats() {
      const { engine } = archive
      return { ...(await archive.stats()), engine, queries: server.served(), ingest: ingest.stats() }
    },
    ingest: ingest.stats,
  }
}
