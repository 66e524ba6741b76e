import type { SlashPhase, Verdict } from '@postrider/protocol/rln'
import type { Hex, WakuMessage } from '@postrider/protocol/wire'

/** Verifies proofs in worker threads behind a bounded queue. */
export type ProofVerifier = {
  /** Whether another proof would be taken. */
  canAccept(): boolean
  /** Whether this source's proofs are verified before those of sources that are not trusted. */
  isTrusted(source: string): boolean
  /**
   * Whether the proof is valid for the signals (y, root, nullifier, x, externalNullifier).
   *
   * @param source whose budget it counts against: a peer id
   * @throws PostriderError `ZK_SOURCE_BUDGET` when this source has too much waiting, others when there is no answer
   */
  verify(proof: Uint8Array, signals: readonly bigint[], source?: string): Promise<boolean>
}

/** The membership roots that are acceptable now. A look-up in memory: it must never ask the chain. */
export type MembershipRoots = { isKnown(root: bigint): boolean }

/** A message that passed every check, once. */
export type AcceptedMessage = {
  pubsubTopic: string
  message: WakuMessage
  /** Deterministic message hash, 32 bytes. */
  hash: Uint8Array
  receivedAtMs: number
  /** The serialized message as it was received. */
  data: Uint8Array
}

/** Takes accepted messages: the store, the filter. Never blocks and never throws. */
export type MessageSink = { accept(entry: AcceptedMessage): void }

/** Accepted messages at rest. */
export type MessageArchive = {
  /** The serialized message with this hash; undefined if it is not here. */
  message(hash: Uint8Array): Promise<Uint8Array | undefined>
}

/** Two messages of one member with one nullifier. */
export type FoundBreach = {
  pubsubTopic: string
  /** The accepted message; empty when neither memory nor archive had it any more. */
  first: Uint8Array
  second: Uint8Array
  secret: bigint
  /** Poseidon(secret): the member. */
  commitment: bigint
}

/** Told of each breach after it is stored; the slasher, which sends transactions in its own time. */
export type BreachReporter = { report(breach: FoundBreach): Promise<void> }

/** What a slashing case has reached; written by the slasher. */
export type CaseProgress = {
  state: SlashPhase
  nonce?: Hex
  commitHash?: Hex
  commitBlock?: number
  revealTx?: Hex
  /** Base units paid to this node. */
  reward?: bigint
  /** Why it ended without a reward. */
  reason?: string
  /** Failed transactions. */
  attempts?: number
}

/** A breach as it is stored, with what became of it. */
export type SlashCaseRecord = FoundBreach &
  Required<Pick<CaseProgress, 'state' | 'attempts'>> &
  CaseProgress & {
    foundMs: number
    updatedMs: number
  }

/** Evidence at rest: one case for each member. */
export type EvidenceStore = {
  /** Stores a breach, durably when it resolves; false if there is a case of this member already. */
  add(breach: FoundBreach): Promise<boolean>
  get(commitment: bigint): Promise<SlashCaseRecord | undefined>
  /** Cases, newest first, of the given states (all if absent). */
  list(filter?: { states?: readonly SlashPhase[] }): Promise<SlashCaseRecord[]>
  /**
   * Records progress; absent fields stay as they are.
   *
   * @throws PostriderError `RELAY_CASE_UNKNOWN`
   */
  update(commitment: bigint, progress: CaseProgress): Promise<void>
}

/** Where a message came from: which peer handed it over, and how. */
export type Source = { via: 'gossip' | 'lightpush' | 'local'; peer: string }

/** A verdict with what the relay needs to treat the sender fairly. */
export type Outcome = {
  verdict: Verdict
  /** Set when the verdict is accept. */
  accepted?: AcceptedMessage
  /** A duplicate that equals the accepted message byte for byte: worth forwarding, not worth storing. */
  identical?: boolean
  /** A breach whose both halves came from this one sender: nobody honest forwards two. */
  bothFromSender?: boolean
}

/** The answer to a submitted message. */
export type Submission = {
  verdict: Verdict
  /** Peers to which the message was sent at once; 0 unless accepted. */
  relayPeers: number
}
