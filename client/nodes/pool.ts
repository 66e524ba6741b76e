import { PostriderError } from '@postrider/protocol/errors'
import type { Address } from '@postrider/protocol/wire'
import { throwIfAborted } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import type { Emitter } from '../core/emitter.ts'
import { toPostriderError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { Transport } from '../transport/types.ts'
import { pickWeighted, weightOf } from './choose.ts'
import { BACKOFF_MAX_MS, BACKOFF_START_MS, MAX_DIALS, POOL_UPKEEP_MS } from './constants.ts'
import type { CountBook } from './counts.ts'
import type { Directory } from './directory.ts'
import type { NodeInfo, NodeView, Outcome, PoolEvents, Scores, Service } from './types.ts'

export type PoolComponents = {
  directory: Directory
  transport: Transport
  /** Says hello on a fresh connection and gives the shards that the node serves. */
  greet(peerId: string, signal: AbortSignal): Promise<readonly number[]>
  counts: CountBook
  scores: Scores
  clock: Clock
  random: Random
  events: Emitter<PoolEvents>
}

export type PoolOptions = {
  size: number
  /** Operators to whom a channel is open: they are taken first, because the money is there already. */
  preferred(): ReadonlySet<Address>
}

export type AcquireOptions = {
  /** The shard that the request is about. */
  shard: number
  /** Operators that were tried already. */
  exclude: ReadonlySet<Address>
  signal?: AbortSignal | undefined
}

/** The nodes that this client is connected to. */
export interface NodePool {
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * A connected node with the service, at random in proportion to stake and score. Dials others if none is left.
   *
   * @throws PostriderError `CLIENT_NO_NODE`, the signal's reason
   */
  acquire(service: Service, options: AcquireOptions): Promise<NodeInfo>
  /** Counts how a request ended; a failure gives the node a rest. */
  report(node: NodeInfo, outcome: Outcome, error?: PostriderError): void
  /** Drops a node that cheated, for the life of this client. */
  distrust(node: NodeInfo, error: PostriderError): void
  list(): NodeView[]
}

type Rest = { untilMs: number; failures: number }

/** Keeps connections to a few nodes and chooses among them. */
export function createNodePool(components: PoolComponents, options: PoolOptions): NodePool {
  const { directory, transport, greet, counts, scores, clock, random, events } = components
  const rests = new Map<Address, Rest>()
  const distrusted = new Map<Address, string>()
  const shards = new Map<string, readonly number[]>()
  const stopped = new AbortController()
  let upkeep: Promise<unknown> = Promise.resolve()

  const scoreOf = (node: NodeInfo) => scores.of(node.operator, counts.of(node.operator))
  const weight = (node: NodeInfo) => weightOf(node.stake, scoreOf(node))
  const choose = (nodes: readonly NodeInfo[]) => pickWeighted(nodes, weight, random.fraction())
  const isConnected = (node: NodeInfo) => shards.has(node.peerId) && transport.isConnected(node.peerId)
  const isResting = ({ operator }: NodeInfo) => (rests.get(operator)?.untilMs ?? 0) > clock.nowMs()
  const usable = () => directory.nodes().filter(({ operator }) => !distrusted.has(operator))

  const rest = ({ operator }: NodeInfo) => {
    const failures = (rests.get(operator)?.failures ?? 0) + 1
    const ms = Math.min(BACKOFF_START_MS * 2 ** (failures - 1), BACKOFF_MAX_MS)
    rests.set(operator, { failures, untilMs: clock.nowMs() + ms })
  }
  const connect = async (node: NodeInfo, signal: AbortSignal): Promise<boolean> => {
    try {
      await transport.connect(node, signal)
      // Alone on the fresh connection: a muxer that is not set up yet drops it at a burst of streams.
      shards.set(node.peerId, await greet(node.peerId, signal))
      events.emit('connected', node)
      return true
    } catch (error) {
      if (signal.aborted) throw error
      await transport.disconnect(node.peerId)
      fail(node, toPostriderError(error, 'CLIENT_CONNECT_FAILED'))
      return false
    }
  }
  const fail = (node: NodeInfo, error: PostriderError) => {
    counts.add(node.operator, 'failed')
    rest(node)
    events.emit('failed', { node, error })
  }
  const fill = async () => {
    await directory.refresh()
    for (let dials = 0; dials < MAX_DIALS; dials++) {
      const open = usable().filter(isConnected)
      if (open.length >= options.size) return
      const rested = usable().filter((node) => !isConnected(node) && !isResting(node))
      const known = rested.filter(({ operator }) => options.preferred().has(operator))
      const next = choose(known.length > 0 ? known : rested)
      if (!next) return
      await connect(next, stopped.signal)
    }
  }
  const keepUp = async () => {
    for (;;) {
      await clock.sleep(POOL_UPKEEP_MS, stopped.signal)
      // A chain that is away is no reason to drop connections; the next round tries again.
      await fill().catch(() => undefined)
    }
  }
  transport.onDisconnect((peerId) => {
    const node = directory.nodes().find((known) => known.peerId === peerId)
    if (shards.delete(peerId) && node) events.emit('disconnected', node)
  })

  return {
    async start() {
      await fill()
      upkeep = keepUp().catch(() => undefined)
    },
    async stop() {
      stopped.abort()
      await upkeep
      await counts.save()
    },
    async acquire(service, { shard, exclude, signal }) {
      throwIfAborted(signal)
      const serves = (node: NodeInfo) =>
        node.services.includes(service) &&
        !exclude.has(node.operator) &&
        servesShard(shards.get(node.peerId), shard)
      const connected = usable().filter((node) => isConnected(node) && serves(node))
      const ready = choose(connected.filter((node) => !isResting(node)))
      if (ready) return ready
      const both = AbortSignal.any([stopped.signal, ...(signal ? [signal] : [])])
      const tried = new Set<Address>()
      while (tried.size < MAX_DIALS) {
        const others = usable().filter(
          (node) => serves(node) && !isConnected(node) && !tried.has(node.operator),
        )
        const next = choose(others.filter((node) => !isResting(node)))
        if (!next) break
        tried.add(next.operator)
        if ((await connect(next, both)) && serves(next)) return next
      }
      // A node that failed lately is better than none.
      const tired = choose(connected)
      if (tired) return tired
      throw new PostriderError('CLIENT_NO_NODE', {
        detail: service,
        data: { service, shard, tried: [...tried] },
      })
    },
    report(node, outcome, error) {
      if (outcome === 'failed') return fail(node, error ?? new PostriderError('CLIENT_BAD_RESPONSE'))
      counts.add(node.operator, outcome)
      rests.delete(node.operator)
    },
    distrust(node, error) {
      distrusted.set(node.operator, error.code)
      fail(node, error)
      void transport.disconnect(node.peerId).catch(() => undefined)
    },
    list: () =>
      directory.nodes().map((node) => {
        const reason = distrusted.get(node.operator)
        return {
          ...node,
          connected: isConnected(node),
          counts: counts.of(node.operator),
          score: scoreOf(node),
          ...(reason ? { distrusted: reason } : {}),
        }
      }),
  }
}

// A node that names no shards serves all of them.
function servesShard(served: readonly number[] | undefined, shard: number): boolean {
  return served === undefined || served.length === 0 || served.includes(shard)
}
