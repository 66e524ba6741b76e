import type { WakuMessage } from '@postrider/protocol/wire'

/** A place in the archive's one order: by timestamp, then by hash as unsigned bytes. */
export type Position = {
  /** Unix time, nanoseconds. */
  timestamp: bigint
  /** Deterministic message hash, 32 bytes. */
  hash: Uint8Array
}

/** A message at rest: the bytes that were relayed, proof included, and where they were relayed. */
export type StoredMessage = Position & {
  pubsubTopic: string
  contentTopic: string
  /** A serialized WakuMessage. */
  data: Uint8Array
}

/** One message of a page; `data` is absent when the request asked for presence only. */
export type PageEntry = Position & { pubsubTopic: string; data?: Uint8Array }

/** What a page is taken from. Hashes and the other fields exclude each other; the caller has checked that. */
export type PageFilter = {
  pubsubTopic?: string
  /** Distinct topics, only together with `pubsubTopic`. */
  contentTopics?: readonly string[]
  /** Inclusive, nanoseconds. */
  timeStart?: bigint
  /** Exclusive, nanoseconds. */
  timeEnd?: bigint
  hashes?: readonly Uint8Array[]
}

export type PageRequest = {
  filter: PageFilter
  /** Where the walk goes on, exclusive. */
  cursor?: Position
  /** True: walk from old to new. Pages are in forward order in both directions. */
  forward: boolean
  /** Most messages in the page, at least 1. */
  limit: number
  includeData: boolean
  /** The page ends before its messages exceed this many bytes; it has at least one message. */
  maxBytes: number
}

export type Page = {
  /** In forward order. */
  entries: PageEntry[]
  /** The walk has not reached its end. */
  more: boolean
}

export type ArchiveStats = {
  messages: number
  /** What the messages take: their data plus `MESSAGE_OVERHEAD_BYTES` each. */
  bytes: number
  /** Timestamps of the first and the last message, nanoseconds; absent in an empty archive. */
  oldest?: bigint
  newest?: bigint
}

export type PruneRule = {
  /** Messages before this time go, nanoseconds. */
  before?: bigint
  /** The oldest messages go until the rest takes at most this. */
  maxBytes?: number
  /** Most messages removed by this call. */
  limit: number
}

/**
 * Messages at rest. Every adapter passes `testing/archive-suite.ts`.
 *
 * Each method rejects with PostriderError `STORE_UNAVAILABLE` when the medium fails (full disk, lost
 * connection); the archive is then as it was before the call.
 */
export type Archive = {
  /** Name of the adapter, for the operator. */
  readonly engine: string
  /** Adds a batch in one transaction. A hash that is already there is left alone. Returns how many were new. */
  append(batch: readonly StoredMessage[]): Promise<number>
  query(request: PageRequest): Promise<Page>
  /** The position of a message, for a cursor; undefined if it is not here. */
  position(hash: Uint8Array): Promise<Position | undefined>
  stats(): Promise<ArchiveStats>
  /** Removes the oldest messages that a rule names; returns how many. Call it again until it returns 0. */
  prune(rule: PruneRule): Promise<number>
  close(): Promise<void>
}

/** What the relay hands over for each message that it accepted. */
export type SinkEntry = {
  pubsubTopic: string
  message: WakuMessage
  /** Deterministic message hash, 32 bytes. */
  hash: Uint8Array
  receivedAtMs: number
  /** The message as it was received; encoded anew when absent. */
  data?: Uint8Array
}

/** The port that the relay calls. Never blocks and never throws. */
export type MessageSink = { accept(entry: SinkEntry): void }

/**
 * The port through which a page is paid before it is served; `total` is what the account's paid total must
 * reach. The same request id with the same content is charged once.
 */
export type PaymentGate = {
  charge(charge: {
    peer: string
    requestId: string
    service: 'query'
    content: Uint8Array
  }): Promise<{ ok: true; charged: bigint; free: boolean } | { ok: false; total: bigint }>
}
