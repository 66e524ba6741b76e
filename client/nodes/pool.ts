import { PostriderError } from '@postrider/protocol/errors'
import type { Address } from '@postrider/protocol/wire'
import { anySignal, throwIfAborted } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import type { Emitter } from '../core/emitter.ts'
import { toPostriderError } from '../core/errors.ts'
import { createMutex } from '../core/mutex.ts'
import type { Random } from '../core/random.ts'
import type { Transport } from '../transport/types.ts'
import { pickWeighted, weightOf } from './choose.ts'
import { type Connections, createConnections } from './connections.ts'
import { MAX_DIALS, POOL_UPKEEP_MS } from './constants.ts'
import type { CountBook } from './counts.ts'
import type { Directory } from './directory.ts'
import { createRests, type Rests } from './rests.ts'
import type { NodeInfo, NodeView, Outcome, PoolEvents, Scores, Service } from './types.ts'

export type PoolComponents = {
  directory: Directory
  transport: Transport
  greet(peerId: string, signal: AbortSignal): Promise<readonly number[]>
  counts: CountBook
  scores: Scores
  clock: Clock
  random: Random
  events: Emitter<PoolEvents>
}

export type PoolOptions = {
  /** Nodes to stay connected to. */
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
  /** Reads the registry and connects; no connection at all is no error, it goes on trying. */
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

/** Keeps connections to a few nodes and chooses among them. */
export function createNodePool(components: PoolComponents, options: PoolOptions): NodePool {
  const { directory, counts, clock, events } = components
  const distrusted = new Map<Address, string>()
  const rests = createRests(clock)
  const stopped = new AbortController()
  const turn = createMutex()
  let upkeep: Promise<unknown> = Promise.resolve()

  const onLost = (peerId: string) => {
    const node = directory.nodes().find((known) => known.peerId === peerId)
    if (node) events.emit('disconnected', node)
    void fillQuietly()
  }
  const connections = createConnections({ ...components, onLost })
  const usable = () => directory.nodes().filter(({ operator }) => !distrusted.has(operator))
  const choice = createChoice(components)
  const fail = (node: NodeInfo, error: PostriderError) => {
    counts.add(node.operator, 'failed')
    rests.failed(node.operator)
    events.emit('failed', { node, error })
  }
  const dial = async (node: NodeInfo, signal: AbortSignal): Promise<boolean> => {
    try {
      await connections.connect(node, signal)
      events.emit('connected', node)
      return true
    } catch (error) {
      throwIfAborted(signal)
      fail(node, toPostriderError(error, 'CLIENT_CONNECT_FAILED'))
      return false
    }
  }
  /** Connects to as many as are missing, a few rounds long. */
  const fill = async () => {
    if (stopped.signal.aborted) return
    await directory.refresh()
    for (let round = 0; round < MAX_DIALS; round++) {
      const missing = options.size - usable().filter(connections.isConnected).length
      const free = usable().filter(
        (node) => !connections.isConnected(node) && !rests.isResting(node.operator),
      )
      const next = choice.several(free, missing, options.preferred())
      if (next.length === 0) return
      await Promise.all(next.map((node) => dial(node, stopped.signal)))
    }
  }
  // A chain that is away is no reason to drop connections; the next round tries again.
  const fillQuietly = () => turn.run(fill).catch(() => undefined)
  const keepUp = async () => {
    for (;;) {
      await clock.sleep(POOL_UPKEEP_MS, stopped.signal)
      await fillQuietly()
    }
  }
  return {
    async start() {
      await turn.run(fill)
      upkeep = keepUp().catch(() => undefined)
    },
    async stop() {
      stopped.abort()
      await upkeep
      await counts.save()
    },
    async acquire(service, { signal, ...wanted }) {
      const within = anySignal(stopped.signal, signal)
      throwIfAborted(within)
      return acquire({ usable, connections, rests, choice, dial }, { ...wanted, service, signal: within })
    },
    report(node, outcome, error) {
      if (outcome === 'failed') return fail(node, error ?? new PostriderError('CLIENT_BAD_RESPONSE'))
      counts.add(node.operator, outcome)
      rests.served(node.operator)
    },
    distrust(node, error) {
      distrusted.set(node.operator, error.code)
      fail(node, error)
      void connections.drop(node)
    },
    list: () =>
      directory.nodes().map((node) => {
        const reason = distrusted.get(node.operator)
        const seen = { counts: counts.of(node.operator), score: choice.scoreOf(node) }
        const connected = connections.isConnected(node)
        return { ...node, ...seen, connected, ...(reason ? { distrusted: reason } : {}) }
      }),
  }
}

/** Random choice in proportion to stake times score. */
function createChoice({ scores, counts, random }: PoolComponents) {
  const scoreOf = ({ operator }: NodeInfo) => scores.of(operator, counts.of(operator))
  const weight = (node: NodeInfo) => weightOf(node.stake, scoreOf(node))
  const one = (nodes: readonly NodeInfo[]) => pickWeighted(nodes, weight, random.fraction())
  return {
    scoreOf,
    one,
    /** Different ones, the preferred first. */
    several(nodes: readonly NodeInfo[], count: number, preferred: ReadonlySet<Address>): NodeInfo[] {
      const chosen: NodeInfo[] = []
      while (chosen.length < count) {
        const rest = nodes.filter((node) => !chosen.includes(node))
        const known = rest.filter(({ operator }) => preferred.has(operator))
        const next = one(known.length > 0 ? known : rest)
        if (!next) break
        chosen.push(next)
      }
      return chosen
    },
  }
}

type Acquiring = {
  usable(): NodeInfo[]
  connections: Connections
  rests: Rests
  choice: ReturnType<typeof createChoice>
  dial(node: NodeInfo, signal: AbortSignal): Promise<boolean>
}

async function acquire(
  { usable, connections, rests, choice, dial }: Acquiring,
  wanted: { service: Service; shard: number; exclude: ReadonlySet<Address>; signal: AbortSignal },
): Promise<NodeInfo> {
  const { service, shard, exclude, signal } = wanted
  const known = usable().filter(({ services }) => services.includes(service)).length
  const fits = (node: NodeInfo) =>
    node.services.includes(service) && !exclude.has(node.operator) && connections.servesShard(node, shard)
  const awake = (node: NodeInfo) => !rests.isResting(node.operator)
  const connected = usable().filter((node) => connections.isConnected(node) && fits(node))
  const ready = choice.one(connected.filter(awake))
  if (ready) return ready
  const dialOne = async (among: (node: NodeInfo) => boolean): Promise<NodeInfo | undefined> => {
    const dialled = new Set<Address>()
    while (dialled.size < MAX_DIALS) {
      const free = usable().filter((node) => fits(node) && !dialled.has(node.operator) && among(node))
      const next = choice.one(free.filter((node) => !connections.isConnected(node)))
      if (!next) return undefined
      dialled.add(next.operator)
      if ((await dial(next, signal)) && fits(next)) return next
    }
    return undefined
  }
  // A node that failed lately is better than none.
  const tired = () => choice.one(connected.filter(connections.isConnected))
  const found = (await dialOne(awake)) ?? tired() ?? (await dialOne(() => true))
  if (found) return found
  throw new PostriderError('CLIENT_NO_NODE', { detail: service, data: { service, shard, known } })
}
