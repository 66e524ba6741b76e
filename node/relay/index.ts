/**
 * The relay: gossip, validation of every message by one function, the nullifier log, and the evidence of broken
 * rate limits.
 *
 * @module
 */
import type { Network } from '@postrider/protocol/network'
import type { Verdict } from '@postrider/protocol/rln'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { shardTopics } from '../core/p2p/gossip.ts'
import type { Host } from '../core/p2p.ts'
import type { BreachSpool } from './breach-spool.ts'
import { createBreachOutbox } from './breaches.ts'
import { BREACH_POINTS, INVALID_MESSAGE_POINTS, RELAY_TICK_MS } from './constants.ts'
import { createFirstHalves } from './first-halves.ts'
import { createGossipInlet } from './gossip.ts'
import type { NullifierJournal } from './nullifier-journal.ts'
import { createRootWait } from './root-wait.ts'
import { createTally, type VerdictCounts } from './tally.ts'
import type {
  AcceptedMessage,
  BreachReporter,
  EvidenceStore,
  MembershipRoots,
  MessageArchive,
  MessageSink,
  Outcome,
  ProofVerifier,
  Source,
  Submission,
} from './types.ts'
import { createValidator, type ValidatorOptions, type ValidatorStats } from './validate.ts'

export { createBreachSpool } from './breach-spool.ts'
export { createNullifierJournal } from './nullifier-journal.ts'
export type { VerdictCounts } from './tally.ts'
export type {
  AcceptedMessage,
  BreachReporter,
  CaseProgress,
  EvidenceStore,
  FoundBreach,
  MembershipRoots,
  MessageArchive,
  MessageSink,
  ProofVerifier,
  SlashCaseRecord,
  Source,
  Submission,
} from './types.ts'

export type RelayComponents = {
  host: Pick<Host, 'gossip' | 'peerId' | 'penalise'>
  verifier: ProofVerifier
  roots: MembershipRoots
  /** Each gets every accepted message once, in this order. */
  sinks: readonly MessageSink[]
  evidence: EvidenceStore
  breaches: BreachReporter
  /** What outlives the process; absent: nothing but the evidence does. */
  disk?: { journal: NullifierJournal; spool: BreachSpool }
  /** Where first halves of breaches are looked for when they have left memory. */
  archive?: MessageArchive
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type RelayOptions = {
  network: Pick<Network, 'networkId' | 'clusterId' | 'shardCount' | 'epochSeconds'>
} & Omit<ValidatorOptions, 'network'>

export type RelayStats = ValidatorStats & {
  verdicts: VerdictCounts
  waitingForRoot: number
  /** Breaches found and not yet stored. */
  pendingBreaches: number
  /** Mesh peers by pubsub topic. */
  meshPeers: Readonly<Record<string, number>>
}

export type Relay = {
  /** The shards that this node relays. */
  readonly topics: readonly string[]
  /**
   * Validates a serialized WakuMessage and, if it is accepted, stores, delivers and publishes it. Never rejects.
   *
   * @param source the client that sent it; counts against its budget at the verifier
   */
  submit(pubsubTopic: string, data: Uint8Array, source: Source): Promise<Submission>
  stats(): RelayStats
  start(): void
  stop(): Promise<void>
}

export function createRelay(components: RelayComponents, options: RelayOptions): Relay {
  const { host, verifier, sinks, disk, archive, clock, logger, metrics } = components
  const topics = shardTopics(options.network)
  const tally = createTally(metrics)
  const stored = metrics.counter('relay_breaches_total', {
    help: 'Breaches stored as evidence, by whether the member had a case already',
    labels: ['member'],
  })
  const outbox = createBreachOutbox({
    ...components,
    ...(disk && { spool: disk.spool }),
    ...(disk && archive && { findFirst: createFirstHalves({ ...disk, archive }, options.network) }),
    onStored: (isNew) => stored.inc({ member: isNew ? 'new' : 'known' }),
  })
  const rootWait = createRootWait(components)
  const validator = createValidator(
    { ...components, ...(disk && { journal: disk.journal }), rootWait, onBreach: outbox.add },
    options,
  )
  let timer: Timer | undefined

  const deliver = (message: AcceptedMessage): void => {
    for (const sink of sinks) sink.accept(message)
  }

  const validate = async (pubsubTopic: string, data: Uint8Array, source: Source): Promise<Outcome> => {
    const startMs = clock.nowMs()
    const outcome = await validator.validate(pubsubTopic, data, source)
    tally.count(outcome.verdict, source.via, (clock.nowMs() - startMs) / 1000)
    if (outcome.accepted) deliver(outcome.accepted)
    return outcome
  }

  const inlet = createGossipInlet(
    {
      ...components,
      gossip: host.gossip,
      validate,
      isTrusted: (peer) => verifier.isTrusted(peer),
      penalise: host.penalise,
    },
    topics,
  )

  const publish = async (pubsubTopic: string, data: Uint8Array): Promise<number> => {
    try {
      return (await host.gossip.publish(pubsubTopic, data)).recipients.length
    } catch (err) {
      // Accepted and delivered here all the same: the store has it, and peers ask for it by its id.
      logger.warn({ err, pubsubTopic }, 'accepted message not published')
      return 0
    }
  }

  observe(metrics, () => ({ ...validator.stats(), waitingForRoot: rootWait.waiting() }))

  return {
    topics,
    async submit(pubsubTopic, data, source) {
      const { verdict, accepted } = await validate(pubsubTopic, data, source)
      if (accepted) return { verdict, relayPeers: await publish(pubsubTopic, data) }
      const points = pointsFor(verdict)
      if (points > 0 && source.via === 'lightpush') host.penalise(source.peer, points)
      return { verdict, relayPeers: 0 }
    },
    stats: () => ({
      verdicts: tally.counts(),
      ...validator.stats(),
      waitingForRoot: rootWait.waiting(),
      pendingBreaches: outbox.pending(),
      meshPeers: Object.fromEntries(topics.map((topic) => [topic, host.gossip.getMeshPeers(topic).length])),
    }),
    start() {
      validator.start()
      outbox.resume()
      rootWait.start()
      inlet.start()
      timer ??= clock.every(RELAY_TICK_MS, () => {
        validator.tick()
        return outbox.flush()
      })
    },
    async stop() {
      timer?.stop()
      timer = undefined
      inlet.stop()
      rootWait.stop()
      validator.stop()
      await outbox.flush()
    },
  }
}

/** Points for a submission. A client may err cheaply; a bad proof cost a verification, a breach is deliberate. */
function pointsFor(verdict: Verdict): number {
  if (verdict.kind === 'breach') return BREACH_POINTS
  return verdict.kind === 'reject' && verdict.code === 'RLN_PROOF_INVALID' ? INVALID_MESSAGE_POINTS : 0
}

type Observed = ValidatorStats & { waitingForRoot: number }

function observe(metrics: Metrics, read: () => Observed): void {
  const gauges: [string, string, (observed: Observed) => number][] = [
    ['relay_in_flight', 'Messages between precheck and verdict', ({ inFlight }) => inFlight],
    ['relay_nullifiers', 'Entries of the nullifier log', ({ nullifiers }) => nullifiers],
    [
      'relay_evidence_bytes',
      'Bytes of accepted messages kept as evidence',
      ({ evidenceBytes }) => evidenceBytes,
    ],
    [
      'relay_waiting_for_root',
      'Messages whose root is not known yet',
      ({ waitingForRoot }) => waitingForRoot,
    ],
  ]
  for (const [name, help, value] of gauges) {
    metrics.gauge(name, { help, collect: (gauge) => gauge.set(value(read())) })
  }
}
