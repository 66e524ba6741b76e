import type { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import type { Address, Hex } from '@postrider/protocol/wire'
import type { ChainReader, ChainWriter } from './chain/types.ts'
import type { Clock } from './core/clock.ts'
import type { Random } from './core/random.ts'
import type {
  Estimate,
  HistoryQuery,
  OutgoingMessage,
  PublishHandle,
  ReceivedMessage,
  SubscribeOptions,
  Subscription,
} from './messages/types.ts'
import type { NodeInfo, NodeView, Scores } from './nodes/types.ts'
import type { Member } from './rln/member.ts'
import type { ProofEngine, ProverProgress, RlnBudget } from './rln/types.ts'
import type { Storage } from './storage/types.ts'
import type { TransportFactories } from './transport/libp2p.ts'
import type { Wallet } from './wallet/keys.ts'
import type { Balances, Budget, ChannelBalance, LedgerEntry, Reconciliation } from './wallet/types.ts'

export type ClientOptions = {
  /** The network file, parsed from JSON. */
  network: Network
  /** Keeps ids, keys and promises. The client is its only user and closes it. */
  storage: Storage
  /** Who pays; without one the client lives on what nodes give for free. */
  wallet?: Wallet
  /** What may be put into channels. */
  budget?: Partial<Budget>
  nodes?: {
    /** How many to stay connected to; 3. */
    count?: number
    /** How good a node is; by default what this client itself saw of it. */
    scores?: Scores
  }
  rln?: {
    /** First message id of this device; 0. Two devices of one member need ranges that do not overlap, at every start. */
    firstId?: number
    /** How many ids this device has; the rest of the limit. */
    idCount?: number
    /** Blocks behind the newest one at which the member list is read; 0. */
    confirmations?: number
    /**
     * Make the next message's proof while nothing is sent, as far as it goes without the message; false. A publish
     * then proves in milliseconds. Costs three to four times the work of a proof, and is made again when the epoch
     * or the group changes.
     */
    proveAhead?: boolean
    /** Use keys under which anyone can forge proofs on a chain that is not local; false. */
    allowDevelopmentKeys?: boolean
  }
  /** Stores in which a published message is looked for; 1. */
  confirmations?: number
  /** Nodes that push each subscribed message; 2. */
  redundancy?: number
}

/** What a platform provides. The Node entry fills in all of it; a browser gives `prover`. */
export type Platform = {
  /** How to reach nodes. */
  transports: TransportFactories
  prover: ProofEngine
  clock?: Clock
  random?: Random
  /** The chain; by default JSON-RPC to the endpoints of the network file. */
  chain?: { reader: ChainReader; writer?: ChainWriter }
}

export type ClientEvents = {
  'node:connected': NodeInfo
  'node:disconnected': NodeInfo
  /** A node failed a request or cheated; another one is used. */
  'node:failed': { node: NodeInfo; error: PostriderError }
  'channel:opened': ChannelBalance
  'channel:toppedUp': ChannelBalance
  /** A channel or promise was found that the storage did not know of. */
  'channel:recovered': ChannelBalance
  'channel:closing': ChannelBalance
  /**
   * The wallet lacks tokens (`CLIENT_FUNDS_MISSING`) or the coin for gas (`CLIENT_GAS_MISSING`); `data` says how much of
   * what, and the address. Told once until money moves again; payments within the deposits go on.
   */
  'wallet:empty': PostriderError
  /** The keys are loaded, or a proof is made; at the first use of a browser the keys are 6 MB. */
  'prover:progress': ProverProgress
  /** Something failed in the background; the client goes on. */
  warning: PostriderError
}

/** Money locked in channels, and how to get it back. */
export interface ClientChannels {
  list(): ChannelBalance[]
  /** Reads every channel that is not closed from the contract. */
  refresh(): Promise<ChannelBalance[]>
  /** Asks to close the channel to a node; after the thaw it can be withdrawn. */
  requestClose(operator: Address): Promise<ChannelBalance>
  /** Takes back what a closing channel has left. */
  withdraw(channelId: Hex): Promise<ChannelBalance>
  /** Takes what channels closed by nodes left in the contract. */
  refund(): Promise<void>
  /**
   * Every movement of this wallet's money on chain, oldest first, read up to the newest block and compared with what
   * the contracts hold; `offline`: as last read. `ledgerCsv` makes a file of it.
   *
   * @throws PostriderError `CLIENT_WALLET_REQUIRED`, `CLIENT_CHAIN_UNAVAILABLE`, `CLIENT_LEDGER_MISMATCH`
   */
  ledger(options?: { offline?: boolean }): Promise<LedgerEntry[]>
  /**
   * Finds out what became of transactions under way, sends again what a reorganisation took back, and compares ledger,
   * records and contracts to the last unit.
   *
   * @throws PostriderError `CLIENT_WALLET_REQUIRED`, `CLIENT_CHAIN_UNAVAILABLE`
   */
  reconcile(): Promise<Reconciliation>
}

/** Membership in the rate-limiting group. */
export type ClientMembership = Pick<
  Member,
  'cost' | 'register' | 'importIdentity' | 'exportIdentity' | 'leave' | 'withdraw' | 'state'
>

/** A client of the network. Every rejection is a `PostriderError` with a code of docs/errors.md. */
export interface Client {
  /**
   * Reads the registry and connects to nodes. With no node in reach it resolves too, and goes on trying.
   *
   * @throws PostriderError `CLIENT_WRONG_CHAIN`, `CLIENT_CHAIN_UNAVAILABLE` (when nothing is known from earlier),
   * `CIRCUITS_DEVELOPMENT_KEYS`, `CIRCUITS_ARTIFACT_*`
   */
  start(): Promise<void>
  /** Ends everything, keeps everything. The client cannot be started again. */
  close(): Promise<void>
  /** Sends a message; returns at once. The handle gives its states and its receipt. */
  publish(message: OutgoingMessage, options?: { confirmations?: number; signal?: AbortSignal }): PublishHandle
  /** What a publish would cost; sends nothing. */
  estimate(message: OutgoingMessage, options?: { confirmations?: number }): Promise<Estimate>
  /** Receives messages of topics from now on. Resolves when nodes push them. */
  subscribe(
    contentTopics: readonly string[],
    onMessage: (message: ReceivedMessage) => void,
    options?: SubscribeOptions,
  ): Promise<Subscription>
  /** Reads history, page by page as it is consumed; each page is paid. */
  query(query: HistoryQuery): AsyncIterable<ReceivedMessage>
  /** Messages left in this epoch on a topic; undefined while the client is no member. */
  budget(contentTopic: string): Promise<RlnBudget | undefined>
  /** Wallet and channels, with the contract's numbers. @throws PostriderError `CLIENT_WALLET_REQUIRED` */
  balances(): Promise<Balances>
  /** Registered nodes as this client sees them. */
  nodes(): NodeView[]
  readonly membership: ClientMembership
  readonly channels: ClientChannels
  /** Calls `handler` for each event until the returned function is called. */
  on<Name extends keyof ClientEvents>(name: Name, handler: (event: ClientEvents[Name]) => void): () => void
}
