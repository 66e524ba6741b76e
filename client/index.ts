/**
 * The client of the network: publishes with rate-limit proofs of its own, pays nodes through channels, receives,
 * reads history, and checks everything that it is given. `@postrider/client` is `./node` in Node and `./browser` in a
 * browser: this, with storage, transports and a prover of the platform.
 *
 * - `createClient({ network, storage, wallet, platform })` → `start`, `publish`, `subscribe`, `query`, `close`
 * - `createWallet({ privateKey })`
 * - `createMemoryStorage()`
 *
 * @module
 */
export type {
  BlockRef,
  ChainReader,
  ChainWriter,
  ChannelState,
  ChannelStatus,
  Descriptor,
  Holdings,
  Keep,
  Member as ChainMember,
  MemberStatus,
  MembershipHead,
  MoneyOf,
  Movement,
  MovementKind,
  Prices,
  RegisteredNode,
  SignedTransaction,
  TransactionOutcome,
} from './chain/types.ts'
export { createClient } from './client.ts'
export type { Clock } from './core/clock.ts'
export type { Random } from './core/random.ts'
export type {
  Attempt,
  Estimate,
  HistoryQuery,
  NodeRef,
  OutgoingMessage,
  ProofStatus,
  PublishHandle,
  PublishReceipt,
  PublishState,
  ReceivedMessage,
  SubscribeOptions,
  Subscription,
} from './messages/types.ts'
export { localScores } from './nodes/choose.ts'
export type { NodeCounts, NodeInfo, NodeView, Outcome, Scores, Service } from './nodes/types.ts'
export type {
  MembershipState,
  PreparedProof,
  ProofEngine,
  ProverOptions,
  ProverProgress,
  RlnBudget,
} from './rln/types.ts'
export { createMemoryStorage } from './storage/memory.ts'
export type { Storage, Write } from './storage/types.ts'
export type { TransportFactories } from './transport/libp2p.ts'
export type {
  Client,
  ClientChannels,
  ClientEvents,
  ClientMembership,
  ClientOptions,
  Platform,
} from './types.ts'
export { ledgerCsv } from './wallet/csv.ts'
export { createWallet, type Wallet } from './wallet/keys.ts'
export type {
  Balances,
  Budget,
  ChannelBalance,
  LedgerDifference,
  LedgerEntry,
  LedgerKind,
  NodeStatement,
  Reconciliation,
} from './wallet/types.ts'
