// The node that is measured: relay, verifier and host as in a real one, without a chain. Or, for comparison, the host
// alone, which forwards whatever comes.
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { loadArtifacts } from '@postrider/circuits'
import { type Clock, systemClock } from '../../node/core/clock.ts'
import { createTempDir } from '../../node/core/testing/temp-dir.ts'
import { createBreachSpool, createNullifierJournal, createRelay, type Relay } from '../../node/relay/index.ts'
import { createMemoryEvidence } from '../../node/relay/testing/ports.ts'
import { createProofVerifier } from '../../node/zk/index.ts'
import { base, startHost } from './host.ts'
import { createGroup, MESSAGE_TIME_MS, NETWORK, TOPIC } from './network.ts'
import { serveRole } from './roles.ts'

/** How long before the moment of the messages a run begins: it may take twice this before one is too old. */
const LEAD_MS = 18_000

export type NodeReport = {
  /** Processor time of all threads since `begin`, ms. */
  cpuMs: number
  /** Verdicts by code; `accepted` is one of them. */
  verdicts: Record<string, number>
}

const dir = await createTempDir()
let shiftMs = 0
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + shiftMs }
let relay: Relay | undefined
let cpuAtBegin = process.cpuUsage()

serveRole({
  async start({ validates }: { validates: boolean }) {
    const host = await startHost({ listens: true })
    const common = { ...base, clock, host }
    if (validates) {
      const { root } = createGroup()
      const { verificationKey } = await loadArtifacts()
      const verifier = createProofVerifier({ ...common, verificationKey })
      relay = createRelay(
        {
          ...common,
          verifier,
          roots: { isKnown: (candidate) => candidate === root },
          sinks: [],
          evidence: createMemoryEvidence(clock),
          disk: {
            journal: createNullifierJournal(common, dir.path),
            spool: createBreachSpool(common, dir.path),
          },
          breaches: { report: async () => undefined },
        },
        { network: NETWORK },
      )
      await verifier.start()
      relay.start()
    } else {
      host.gossip.addEventListener('gossipsub:message', ({ detail: { msgId, propagationSource } }) =>
        host.gossip.reportMessageValidationResult(
          msgId,
          propagationSource.toString(),
          TopicValidatorResult.Accept,
        ),
      )
      host.gossip.subscribe(TOPIC)
    }
    return host.addresses()[0]
  },
  begin() {
    shiftMs = MESSAGE_TIME_MS - LEAD_MS - systemClock.nowMs()
    cpuAtBegin = process.cpuUsage()
  },
  report(): NodeReport {
    const { user, system } = process.cpuUsage(cpuAtBegin)
    const { accepted = 0, byCode = {} } = relay?.stats().verdicts ?? {}
    return { cpuMs: (user + system) / 1000, verdicts: { accepted, ...byCode } }
  },
  stop: () => dir.remove(),
})
