import type { PostriderError } from '@postrider/protocol/errors'
import type { Hex } from '@postrider/protocol/wire'

/** The head of one block, as far as the node needs it. */
export type BlockHeader = {
  number: number
  hash: Hex
  parentHash: Hex
  /** Unix seconds. */
  timestamp: number
}

export type ContractName = 'rlnMembership' | 'nodeRegistry' | 'paymentChannels'

/** A value of an event as it is kept: integers as decimal text. */
export type EventValue =
  | string
  | number
  | boolean
  | readonly EventValue[]
  | { readonly [name: string]: EventValue }

/** One decoded event of our contracts. */
export type ChainEvent = {
  readonly blockNumber: number
  readonly logIndex: number
  readonly blockHash: Hex
  /** Unix seconds of the block. */
  readonly timestamp: number
  readonly txHash: Hex
  readonly contract: ContractName
  readonly name: string
  readonly args: { readonly [name: string]: EventValue }
}

/** A place in the chain that the follower can recognise again. */
export type Checkpoint = { readonly number: number; readonly hash: Hex; readonly timestamp: number }

/** What the follower reads; over JSON-RPC in production, over a model of a chain in property tests. */
export type ChainSource = {
  /** The newest block. */
  head(): Promise<BlockHeader>
  /** A block by number; undefined if the chain does not have it. */
  block(number: number): Promise<BlockHeader | undefined>
  /** Events of the blocks `from` to `to`, both included, in any order. */
  events(from: number, to: number): Promise<ChainEvent[]>
  /** Told that answers contradict each other, so that it can ask somebody else. */
  suspect?(error: PostriderError): void
}

/** Everything the follower must find again after a restart. */
export type ChainLogSnapshot = {
  nextBlock: number
  /** Ascending. */
  checkpoints: Checkpoint[]
  /** Ascending by block and index. */
  events: ChainEvent[]
}

export type ChainLogChange = {
  fingerprint: string
  /** Checkpoints from this block on are new. */
  newFrom: number
  nextBlock: number
  /** All to keep. */
  checkpoints: readonly Checkpoint[]
  /** All new. */
  events: readonly ChainEvent[]
}

/** Where the log of events is kept. Each call is atomic. */
export type ChainLogStore = {
  /** The log of the network with this fingerprint; undefined if there is none, or one of another network. */
  load(fingerprint: string): Promise<ChainLogSnapshot | undefined>
  /** Adds events. A log of another network must have been truncated before. */
  append(change: ChainLogChange): Promise<void>
  /** Forgets every event and checkpoint from `nextBlock` on, and all of another network's. */
  truncate(fingerprint: string, nextBlock: number): Promise<void>
}

/** A view built from events, and nothing else. */
export type Projection = {
  /**
   * Judges events before they are taken.
   *
   * @throws PostriderError `CHAIN_LOGS_INCONSISTENT` if they cannot follow what was applied so far
   */
  check?(events: readonly ChainEvent[]): void
  /**
   * Compares what these events lead to with the contract at `block`, the last one they are of.
   *
   * @throws PostriderError `CHAIN_LOGS_INCONSISTENT` if they differ
   */
  verify?(events: readonly ChainEvent[], block: number): Promise<void>
  /** Takes events of newer blocks, all up to `tip`. */
  apply(events: readonly ChainEvent[], tip: Checkpoint): void
  /** Starts over from all events up to `tip`: at start and after a reorganisation. */
  reset(events: readonly ChainEvent[], tip: Checkpoint | undefined): void
  /** Learns of events that do not have their confirmations yet; the whole set each time. */
  peek?(events: readonly ChainEvent[]): void
  /**
   * Compares the view with the contract at the last block applied.
   *
   * @throws PostriderError `CHAIN_LOGS_INCONSISTENT` if they differ
   */
  audit?(block: number): Promise<void>
}
