import { type Clock, systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { createMetrics, type Metrics } from '../../core/metrics.ts'
import { createIdentityKey } from '../../core/p2p/identity.ts'
import { createHost, type Host } from '../../core/p2p.ts'
import { systemRandom } from '../../core/random.ts'
import {
  createBreachSpool,
  createNullifierJournal,
  createRelay,
  type Relay,
  type RelayOptions,
} from '../index.ts'
import type { AcceptedMessage, EvidenceStore, FoundBreach, MessageArchive, ProofVerifier } from '../types.ts'
import { network } from './messages.ts'
import { createMemoryEvidence, createTestRoots, createTestVerifier } from './ports.ts'

/** A relay node on loopback with what it received and reported. */
export type TestNode = {
  host: Host
  relay: Relay
  roots: ReturnType<typeof createTestRoots>
  metrics: Metrics
  received: AcceptedMessage[]
  breaches: FoundBreach[]
  stop(): Promise<void>
}

export async function startNode(
  options: {
    verifier?: ProofVerifier
    relay?: Partial<RelayOptions>
    roots?: bigint[]
    clock?: Clock
    evidence?: EvidenceStore
    archive?: MessageArchive
    /** Folder of what outlives the node. */
    dir?: string
  } = {},
): Promise<TestNode> {
  const metrics = createMetrics()
  const { clock = systemClock, archive, dir } = options
  const common = { clock, logger: silentLogger, metrics }
  const host = await createHost(
    { ...common, random: systemRandom },
    { privateKey: await createIdentityKey(), network },
  )
  const received: AcceptedMessage[] = []
  const breaches: FoundBreach[] = []
  const roots = createTestRoots(...(options.roots ?? []))
  const relay = createRelay(
    {
      ...common,
      host,
      roots,
      verifier: options.verifier ?? createTestVerifier(),
      sinks: [{ accept: (message) => received.push(message) }],
      evidence: options.evidence ?? createMemoryEvidence(clock),
      ...(archive && { archive }),
      ...(dir && {
        disk: { journal: createNullifierJournal(common, dir), spool: createBreachSpool(common, dir) },
      }),
      breaches: { report: async (breach) => void breaches.push(breach) },
    },
    { network, ...options.relay },
  )
  await host.start()
  relay.start()
  const stop = async () => {
    await relay.stop()
    await host.stop()
  }
  return { host, relay, roots, metrics, received, breaches, stop }
}
