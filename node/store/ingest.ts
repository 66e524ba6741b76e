import { isPostriderError } from '@postrider/protocol/errors'
import { encode, msToTimestamp, type WakuMessage, WakuMessageSchema } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { createBoundedQueue } from '../core/queue.ts'
import {
  INGEST_BATCH_MESSAGES,
  INGEST_DELAY_MS,
  INGEST_QUEUE_BYTES,
  INGEST_QUEUE_MESSAGES,
  INGEST_RETRY_MS,
} from './constants.ts'
import type { Archive, MessageSink, SinkEntry, StoredMessage } from './types.ts'

export type IngestComponents = { archive: Archive; clock: Clock; logger: Logger; metrics: Metrics }

export type IngestOptions = {
  /** Most messages that wait; `INGEST_QUEUE_MESSAGES` when absent. */
  queueMessages?: number
  /** Most bytes that wait; `INGEST_QUEUE_BYTES` when absent. */
  queueBytes?: number
}

/** The way into the archive. */
export type Ingest = MessageSink & {
  /** Writes everything that waits; resolves when it is durable. Rejects if the archive fails. */
  flush(): Promise<void>
  /** Takes no more messages and writes those that wait; what a failing archive refuses is lost and counted. */
  stop(): Promise<void>
  stats(): IngestStats
}

export type IngestStats = {
  /** Messages that wait, and how many may. */
  waiting: number
  limit: number
  /** Messages that were not stored since the start. */
  dropped: number
  /** The archive refused the last batch. */
  failing: boolean
}

/**
 * Collects accepted messages and writes them in batches.
 *
 * A full queue refuses the newest message and counts it: what was taken stays taken, and gossip never waits.
 * While the archive fails, the batch at hand is kept and tried again.
 */
export function createIngest(components: IngestComponents, options: IngestOptions = {}): Ingest {
  const { archive, clock, logger, metrics } = components
  const stored = metrics.counter('store_stored_total', { help: 'Messages written to the archive' })
  const repeated = metrics.counter('store_repeated_total', { help: 'Messages that the archive already had' })
  const drops = metrics.counter('store_dropped_total', {
    help: 'Messages not stored, by reason',
    labels: ['reason'],
  })
  const { queueMessages: limit = INGEST_QUEUE_MESSAGES } = options
  let dropped = 0
  let failing = false
  const drop = (reason: 'queue_full' | 'stopped' | 'invalid', messages = 1): void => {
    dropped += messages
    drops.inc({ reason }, messages)
  }
  const queue = createBoundedQueue<StoredMessage>({
    limit,
    maxWeight: options.queueBytes ?? INGEST_QUEUE_BYTES,
    weight: (message) => message.data.length,
    drop: 'newest',
    onDrop: () => drop('queue_full'),
  })
  metrics.gauge('store_queue_messages', {
    help: 'Messages that wait for the archive',
    collect: (gauge) => gauge.set(queue.size()),
  })

  const stopping = new AbortController()
  let writing: Promise<void> | undefined
  let pending: StoredMessage[] = []

  // One batch at a time. `pending` survives a failure, so that nothing is lost and the order is kept.
  const writeAll = async (): Promise<void> => {
    while (pending.length > 0 || queue.size() > 0) {
      if (pending.length === 0) pending = queue.drain(INGEST_BATCH_MESSAGES)
      const added = await archive.append(pending)
      failing = false
      stored.inc(added)
      repeated.inc(pending.length - added)
      pending = []
    }
  }

  // Until stop() aborts the signal, a sleep resolves; then it ends at once and the rest is written without delay.
  const pause = (ms: number): Promise<void> => clock.sleep(ms, stopping.signal).catch(() => undefined)

  const work = async (): Promise<void> => {
    await pause(INGEST_DELAY_MS)
    while (!stopping.signal.aborted) {
      try {
        return await exclusive()
      } catch (err) {
        failing = true
        if (isPostriderError(err)) metrics.error(err.code)
        logger.warn({ err, waiting: pending.length + queue.size() }, 'archive refused a batch, trying again')
        await pause(INGEST_RETRY_MS)
      }
    }
  }

  let worker: Promise<void> | undefined
  const wake = () => {
    worker ??= work().finally(() => {
      worker = undefined
      if (queue.size() > 0 && !stopping.signal.aborted) wake()
    })
  }

  // flush() and the worker share one writer, since both drain the same queue.
  const exclusive = (): Promise<void> => {
    writing ??= writeAll().finally(() => {
      writing = undefined
    })
    return writing
  }

  return {
    accept(entry) {
      if (entry.message.ephemeral) return
      if (stopping.signal.aborted) return drop('stopped')
      const message = toStored(entry)
      if (!message) return drop('invalid')
      queue.push(message)
      wake()
    },
    flush: () => exclusive(),
    async stop() {
      stopping.abort()
      await worker
      try {
        await exclusive()
      } catch (err) {
        const lost = pending.length + queue.size()
        drop('stopped', lost)
        logger.error({ err, lost }, 'messages lost: the archive failed while the node stopped')
      }
    },
    stats: () => ({ waiting: pending.length + queue.size(), limit, dropped, failing }),
  }
}

function toStored(entry: SinkEntry): StoredMessage | undefined {
  const { message, hash, pubsubTopic, receivedAtMs } = entry
  const data = entry.data ?? encodeOrNothing(message)
  if (!data) return undefined
  // 13/STORE: a message without a time of its own is filed under the time at which it came in.
  const timestamp = message.timestamp || msToTimestamp(receivedAtMs)
  return { timestamp, hash, pubsubTopic, contentTopic: message.contentTopic, data }
}

/** A message that came over the wire always encodes; one built in this process might not. */
function encodeOrNothing(message: WakuMessage): Uint8Array | undefined {
  try {
    return encode(WakuMessageSchema, message)
  } catch (error) {
    if (isPostriderError(error)) return undefined
    throw error
  }
}
