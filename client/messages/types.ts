import type { Address, Hex } from '@postrider/protocol/wire'

/** A message to send. */
export type OutgoingMessage = {
  /** `/application/version/name/encoding`. */
  contentTopic: string
  payload: Uint8Array
  /** True: stores do not keep it. */
  ephemeral?: boolean
  /** At most 64 bytes, readable by every node. */
  meta?: Uint8Array
}

/** A node that had a part in a request. */
export type NodeRef = { operator: Address; peerId: string }

/** What one node answered, when it was not what was hoped for. */
export type Attempt = NodeRef & {
  /** Error code of this client. */
  code: string
  reason: string
  /** Status in the node's answer, if it gave one. */
  status?: number
}

/** Where a message is on its way. */
export type PublishState =
  /** Taken; waits for its proof. */
  | { state: 'queued' }
  /** Has its id and proof; from here on its bytes do not change. Skipped when a node attaches the proof. */
  | { state: 'proved'; messageHash: Hex; epoch: bigint; rlnRemaining: number }
  /** A node checked it and passed it on. */
  | { state: 'relayed'; messageHash: Hex; node: NodeRef; paid: bigint }
  /** So many stores have it. */
  | { state: 'stored'; messageHash: Hex; stores: number; paid: bigint }

/** What became of a message. */
export type PublishReceipt = {
  messageHash: Hex
  pubsubTopic: string
  contentTopic: string
  /** Unix time, nanoseconds. */
  timestamp: bigint
  /** Who passed it on. */
  node: NodeRef
  /** Cost in all, base units: an upper bound, as free allowances may have made it less. */
  paid: bigint
  /** Messages left in this epoch on this topic; absent when a node attached the proof. */
  rlnRemaining?: number
  epoch?: bigint
  /** Stores that were seen to have it. */
  stores: number
  /** Nodes that were tried before. */
  attempts: readonly Attempt[]
}

/** A message under way: its states in order, and its receipt at the end. */
export interface PublishHandle extends AsyncIterable<PublishState> {
  /** Rejects with what stopped the message; the states end with the same error. */
  readonly receipt: Promise<PublishReceipt>
}

/** How far a received message was checked. Its hash always was. */
export type ProofStatus =
  | 'valid'
  /** The proof is against a member list that this client does not remember. */
  | 'unknown-root'
  | 'not-checked'

/** A message from the network. */
export type ReceivedMessage = {
  messageHash: Hex
  pubsubTopic: string
  contentTopic: string
  payload: Uint8Array
  /** Unix time, nanoseconds; the sender's word, within 20 s of the nodes' clocks. */
  timestamp: bigint
  meta?: Uint8Array
  ephemeral: boolean
  proof: ProofStatus
  /** Who delivered it. */
  node: NodeRef
}

/** What history is wanted. */
export type HistoryQuery = {
  contentTopics: readonly string[]
  /** Inclusive. */
  startTime?: Date
  /** Exclusive. */
  endTime?: Date
  /** From old to new (the default), or from new to old. */
  direction?: 'forward' | 'backward'
  /** Messages in a page, each page is paid: 1 to 100. */
  pageSize?: number
  /** Check each proof too. */
  verifyProofs?: boolean
  signal?: AbortSignal
}

/** What a publish would cost. */
export type Estimate = {
  /** Base units; the dearest of the connected nodes, so an upper bound for one try. */
  publish: bigint
  /** For looking the message up in stores, if every look is needed. */
  confirmations: bigint
  total: bigint
  /** Size of the message with its proof, bytes. */
  bytes: number
  /** Who attaches the proof. */
  proof: 'own' | 'node'
  /** Messages left in this epoch, and when the next one starts; absent when a node attaches the proof. */
  rlnRemaining?: number
  epochEndsAtMs?: number
}

export type SubscribeOptions = {
  /** Check each proof before the message is delivered. */
  verifyProofs?: boolean
  signal?: AbortSignal
}

/** A running subscription. */
export interface Subscription {
  readonly contentTopics: readonly string[]
  /** Ends it; resolves when the nodes know. */
  unsubscribe(): Promise<void>
}
