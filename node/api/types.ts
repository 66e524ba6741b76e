import type { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Random } from '../core/random.ts'
import type { action, actionKind, actionPlan } from './schemas/actions.ts'
import type { chainState } from './schemas/chain.ts'
import type { nodeEvent } from './schemas/events.ts'
import type { subsystem } from './schemas/health.ts'
import type { nodeInfo, peer } from './schemas/node.ts'
import type {
  channel,
  channelState,
  ledgerEntry,
  paymentsSummary,
  redemption,
  rewards,
} from './schemas/payments.ts'
import type { relayStats, storeStats } from './schemas/relay.ts'
import type { rlnState, slashCase, slashSummary } from './schemas/rln.ts'
import type { stakeState } from './schemas/stake.ts'

/*
 * The shapes are the program's side of the schemas: amounts are bigint base units, times Unix ms, bytes
 * Uint8Array. The schemas turn them into JSON.
 */
export type NodeInfo = z.output<typeof nodeInfo>
export type Peer = z.output<typeof peer>
export type RelayStats = z.output<typeof relayStats>
export type StoreStats = z.output<typeof storeStats>
export type PaymentsSummary = z.output<typeof paymentsSummary>
export type Channel = z.output<typeof channel>
export type ChannelState = z.output<typeof channelState>
export type LedgerEntry = z.output<typeof ledgerEntry>
export type Redemption = z.output<typeof redemption>
export type Action = z.output<typeof action>
export type ActionKind = z.output<typeof actionKind>
export type ActionPlan = z.output<typeof actionPlan>
export type StakeState = z.output<typeof stakeState>
export type Rewards = z.output<typeof rewards>
export type RlnState = z.output<typeof rlnState>
export type SlashSummary = z.output<typeof slashSummary>
export type SlashCase = z.output<typeof slashCase>
export type ChainState = z.output<typeof chainState>
export type Subsystem = z.output<typeof subsystem>
export type NodeEvent = z.output<typeof nodeEvent>

type Awaitable<T> = T | Promise<T>

/** Part of a list. `cursor` is the `nextCursor` of the page before; each view defines its own. */
export type PageRequest = { cursor?: string | undefined; limit: number }
export type Page<Item> = { items: readonly Item[]; nextCursor: string | null }

export interface NodeView {
  info(): Awaitable<NodeInfo>
}
export interface PeersView {
  /** All connected peers: the connection manager bounds their number. */
  list(): Awaitable<readonly Peer[]>
}
export interface RelayView {
  stats(): Awaitable<RelayStats>
}
export interface StoreView {
  stats(): Awaitable<StoreStats>
}
export interface PaymentsView {
  summary(): Awaitable<PaymentsSummary>
  /** Oldest first, so that a cursor stays valid while entries are added. */
  ledger(page: PageRequest): Awaitable<Page<LedgerEntry>>
  /** Newest first; `state` filters. */
  redemptions(page: PageRequest & { state?: Redemption['state'] | undefined }): Awaitable<Page<Redemption>>
  redemption(id: string): Awaitable<Redemption | undefined>
}
export interface ChannelsView {
  list(page: PageRequest & { state?: ChannelState | undefined }): Awaitable<Page<Channel>>
  get(id: string): Awaitable<Channel | undefined>
}
export interface RewardsView {
  summary(): Awaitable<Rewards>
}
export interface RlnView {
  state(): Awaitable<RlnState>
}
export interface SlashingView {
  list(page: PageRequest & { state?: SlashSummary['state'] | undefined }): Awaitable<Page<SlashSummary>>
  get(id: string): Awaitable<SlashCase | undefined>
}
export interface ChainView {
  state(): Awaitable<ChainState>
}
export interface HealthView {
  /** One entry per part of the node, from memory: it must answer while everything else hangs. */
  subsystems(): readonly Subsystem[]
}
export interface EventsView {
  /** Calls `listener` for every event from now on, synchronously. @returns the end of the subscription */
  subscribe(listener: (event: NodeEvent) => void): () => void
}
export interface StakeView {
  state(): Awaitable<StakeState>
}

/** What an operator can tell a node to do. */
export type Command =
  /** `amount` null: everything the account has. */
  | { kind: 'stake.add'; amount: bigint | null }
  | { kind: 'stake.exit' }
  | { kind: 'stake.withdraw' }
  /** `channelId` null: every channel that has not ended, as many as fit into one transaction. */
  | { kind: 'channel.close'; channelId: string | null }
  /** `channels` absent: all that there are; `force`: also what is not worth its gas. */
  | { kind: 'rewards.claim'; channels?: readonly string[] | undefined; force: boolean }
  /** Oversight: lets a proposed redemption go. */
  | { kind: 'rewards.claim'; redemption: string }

/**
 * What an operator may start. Each may refuse with a PostriderError, which becomes the answer; undefined if what the
 * command names does not exist.
 */
export interface Actions {
  /** Checks, simulates and prices; sends nothing. */
  plan(command: Command): Promise<ActionPlan | undefined>
  /**
   * Writes the action down and begins it. Nothing is begun, and the plan says so, when there is nothing to do.
   *
   * @param request names the request: a repeated one gets the action that it began before
   * @throws PostriderError `API_ACTION_REFUSED` with the checks when one failed
   */
  begin(request: string, command: Command): Promise<Action | ActionPlan | undefined>
  /** Newest first. */
  list(page: PageRequest): Promise<Page<Action>>
  get(id: string): Promise<Action | undefined>
  /** Oversight: drops a proposed redemption. @returns undefined if there is no such redemption */
  reject(redemptionId: string, reason: string): Promise<Redemption | undefined>
}

/** Everything that the API shows; the composition root plugs the parts of the node in. */
export type Views = {
  node: NodeView
  peers: PeersView
  relay: RelayView
  store: StoreView
  payments: PaymentsView
  channels: ChannelsView
  rewards: RewardsView
  rln: RlnView
  slashing: SlashingView
  chain: ChainView
  stake: StakeView
  health: HealthView
  events: EventsView
  actions: Actions
}

/** read: every GET; operate: also what moves money or changes state. */
export type Scope = 'read' | 'operate'

/** A token as the API knows it: the secret itself stays in the file. */
export type ApiToken = {
  name: string
  scopes: readonly Scope[]
  sha256: Uint8Array
  expiresAtMs?: number | undefined
}

/** The answers to actions, so that a repeated request is answered again and not carried out again. */
export interface IdempotencyStore {
  get(key: string): Awaitable<IdempotencyRecord | undefined>
  set(key: string, record: IdempotencyRecord): Awaitable<void>
}
export type IdempotentAnswer = { status: number; contentType: string; body: string; location?: string }
export type IdempotencyRecord = {
  /** SHA-256 of the request's content, hex. */
  fingerprint: string
  atMs: number
  answer: IdempotentAnswer
}

export type ApiComponents = {
  views: Views
  clock: Clock
  random: Random
  logger: Logger
  metrics: Metrics
  tokens: readonly ApiToken[]
  idempotency: IdempotencyStore
}

export type ApiOptions = {
  /** Address to listen on; loopback by default. */
  host?: string
  /** Port; 0, the default, picks a free one. */
  port?: number
}

/** The running API. */
export type Api = {
  start(): Promise<void>
  stop(): Promise<void>
  /** `http://host:port` once started. */
  url(): string
}
