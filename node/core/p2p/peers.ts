import { PostriderError } from '@postrider/protocol/errors'
import type { Clock, Timer } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Random } from '../random.ts'
import {
  MAX_KEEPER_DIALS,
  MAX_KEPT_PEERS,
  MAX_PEER_TARGETS,
  PEER_TICK_MS,
  REDIAL_MAX_MS,
  REDIAL_MIN_MS,
} from './constants.ts'

export type PeerKeeperComponents = {
  /** Opens a connection; rejects when it cannot. */
  dial(address: string): Promise<void>
  /** Whether the peer of this address is connected. */
  connected(address: string): boolean
  clock: Clock
  random: Random
  logger: Logger
}

/** Keeps connections to the addresses it is given: bootstrap nodes and the endpoints of the registry. */
export type PeerKeeper = {
  /** Replaces the addresses of one source; other sources keep theirs. Beyond the limit, chance decides. */
  setTargets(source: string, addresses: readonly string[]): void
  targets(): readonly string[]
  /** Looks for missing connections now. Called by a timer while started. */
  tick(): void
  start(): void
  stop(): void
}

const RANKS = 2 ** 32

type Target = { failures: number; nextAttemptMs: number; dialling: boolean }

/**
 * Delay before dial attempt `failures` + 1: doubled per failure up to the maximum, with jitter of ±25 %, so that
 * the peers of a node that comes back do not all return in the same second.
 *
 * @param unit a random number in 0..1
 */
export function redialDelayMs(failures: number, unit: number): number {
  const base = Math.min(REDIAL_MAX_MS, REDIAL_MIN_MS * 2 ** Math.max(0, failures - 1))
  return Math.round(base * (0.75 + unit / 2))
}

export function createPeerKeeper(components: PeerKeeperComponents): PeerKeeper {
  const { clock, random, logger } = components
  const sources = new Map<string, readonly string[]>()
  const targets = new Map<string, Target>()
  /** A random place in the order for each address, kept for as long as somebody names it. */
  const ranks = new Map<string, number>()
  let timer: Timer | undefined

  const dial = async (address: string, target: Target): Promise<void> => {
    target.dialling = true
    try {
      await components.dial(address)
      target.failures = 0
    } catch (err) {
      target.failures++
      const waitMs = redialDelayMs(target.failures, random.int(1001) / 1000)
      target.nextAttemptMs = clock.nowMs() + waitMs
      logger.debug({ err, address, failures: target.failures, waitMs }, 'peer not reachable')
    } finally {
      target.dialling = false
    }
  }

  const tick = () => {
    const all = [...targets]
    const connected = all.filter(([address]) => components.connected(address)).length
    let dialling = all.filter(([, target]) => target.dialling).length
    for (const [address, target] of all) {
      if (connected + dialling >= MAX_KEPT_PEERS || dialling >= MAX_KEEPER_DIALS) return
      if (target.dialling || clock.nowMs() < target.nextAttemptMs || components.connected(address)) continue
      dialling++
      void dial(address, target)
    }
  }

  /**
   * Every node its own order, or all would connect to the same few that registered first. An order that lasts, since
   * the list changes with every registration.
   */
  const inRandomOrder = (addresses: readonly string[]): string[] => {
    for (const address of addresses) {
      if (!ranks.has(address)) ranks.set(address, random.int(RANKS))
    }
    const rank = (address: string) => ranks.get(address) ?? 0
    return [...addresses].sort((a, b) => rank(a) - rank(b))
  }

  return {
    setTargets(source, addresses) {
      sources.set(source, addresses)
      const wanted = new Set([...sources.values()].flatMap(inRandomOrder).slice(0, MAX_PEER_TARGETS))
      const named = new Set([...sources.values()].flat())
      for (const address of ranks.keys()) if (!named.has(address)) ranks.delete(address)
      for (const address of targets.keys()) if (!wanted.has(address)) targets.delete(address)
      for (const address of wanted) {
        if (!targets.has(address)) targets.set(address, { failures: 0, nextAttemptMs: 0, dialling: false })
      }
      if (timer) tick()
    },
    targets: () => [...targets.keys()],
    tick,
    start() {
      if (timer) throw new PostriderError('RELAY_STARTED_TWICE')
      timer = clock.every(PEER_TICK_MS, tick)
      tick()
    },
    stop() {
      timer?.stop()
      timer = undefined
    },
  }
}
