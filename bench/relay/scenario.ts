// One run: publisher → validating node → receiver, each a process of its own, over TCP.
import { systemClock } from '../../node/core/clock.ts'
import type { Moment } from './host.ts'
import type { Load } from './publisher.ts'
import { startRole } from './roles.ts'
import type { NodeReport } from './validator.ts'

export type Scenario = {
  /** Whether the node validates, or forwards everything. */
  validates: boolean
  messages: readonly Uint8Array[]
  load: Load
  /** Messages with invalid proofs, sent in proportion by a peer of their own. */
  invalid?: { messages: readonly Uint8Array[]; messagesPerPeer?: number }
}

export type Measured = {
  /** Arrivals a second after the warm-up. */
  perSecond: number
  p50Ms: number
  p95Ms: number
  lost: number
  /** Processor time of the node for one message that arrived, ms. */
  cpuMsPerMessage: number
  /** Messages with invalid proofs that were sent, and that the node checked. */
  invalidSent: number
  invalidChecked: number
}

/** Share of the messages after which compilers and caches are warm. */
const WARM_UP = 0.2
/** Without an arrival for so long, what is missing is lost. */
const LOST_AFTER_MS = 3_000
const POLL_MS = 10

export async function runScenario({ validates, messages, load, invalid }: Scenario): Promise<Measured> {
  await using node = startRole('./validator.ts')
  await using receiver = startRole('./receiver.ts')
  await using publisher = startRole('./publisher.ts')
  await using attacker = invalid && startRole('./publisher.ts')
  const address = await node.call<string>('start', { validates })
  const peers = [receiver, publisher, ...(attacker ? [attacker] : [])]
  await Promise.all(peers.map((peer) => peer.call('connect', { address })))

  let arrived = 0
  receiver.on('arrived', (count) => {
    arrived = count
    publisher.notify('arrived', count)
  })
  publisher.on('sent', (count) => {
    attacker?.notify('allow', Math.floor((count * (invalid?.messages.length ?? 0)) / messages.length))
  })
  await node.call('begin')
  const attack = attacker?.call('publish', { messages: invalid?.messages, load: invalid })
  const departures = await publisher.call<Moment[]>('publish', { messages, load })
  await settled(() => arrived, messages.length)
  attacker?.notify('end', undefined)
  const attempts = (await attack) as Moment[] | undefined
  const arrivals = await receiver.call<Moment[]>('report')
  const report = await node.call<NodeReport>('report')
  await node.call('stop')
  return { ...evaluate(departures, arrivals, report), invalidSent: attempts?.length ?? 0 }
}

async function settled(arrived: () => number, expected: number): Promise<void> {
  for (let last = -1, idleMs = 0; arrived() < expected && idleMs < LOST_AFTER_MS; idleMs += POLL_MS) {
    if (arrived() !== last) idleMs = 0
    last = arrived()
    await systemClock.sleep(POLL_MS)
  }
}

export function evaluate(
  departures: readonly Moment[],
  arrivals: readonly Moment[],
  report: NodeReport,
): Omit<Measured, 'invalidSent'> {
  const sentAt = new Map(departures)
  // Only what the publisher sent: an invalid message that came through would have an index of its own.
  const times = arrivals.flatMap(([index, atMs]): Moment[] => {
    const sentMs = sentAt.get(index)
    return sentMs === undefined ? [] : [[atMs, atMs - sentMs]]
  })
  const measured = times.slice(Math.floor(times.length * WARM_UP))
  const [from = 0, to = 0] = [measured[0]?.[0], measured.at(-1)?.[0]]
  const latencies = measured.map(([, latencyMs]) => latencyMs).sort((a, b) => a - b)
  const quantile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
  return {
    perSecond: ((measured.length - 1) * 1000) / (to - from),
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    lost: departures.length - new Set(arrivals.map(([index]) => index)).size,
    cpuMsPerMessage: report.cpuMs / times.length,
    invalidChecked: report.verdicts.RLN_PROOF_INVALID ?? 0,
  }
}
