import { errorTable } from '@postrider/protocol/errors'
import type { HealthView, Subsystem } from '../api/types.ts'
import { type ChainReadings, isGasLow } from './chain-readings.ts'
import { type Finding, findings, type Snapshot } from './health-rules.ts'
import type { NodeParts } from './types.ts'

export type HealthParts = Pick<
  NodeParts,
  'base' | 'chain' | 'config' | 'host' | 'own' | 'relay' | 'store' | 'verifier'
>

/** The state of every part, from memory, and since when it is so. */
export function createHealthView(
  parts: HealthParts,
  { operator }: Pick<ChainReadings, 'operator'>,
): HealthView {
  const { base, chain } = parts
  const since = new Map<string, Pick<Subsystem, 'state' | 'since'>>()
  let synced = false

  const take = (): Snapshot => {
    const { follower, membership, slashings } = chain
    const status = follower.status()
    synced ||= status.state === 'following'
    const state = operator.peek()
    return {
      ...servicesOf(parts),
      chain: { ...status, synced },
      membership: parts.own && {
        known: membership.member(parts.own.commitment) !== undefined,
        slashed: slashings.of(parts.own.commitment) !== undefined,
      },
      gasLow: state !== undefined && isGasLow(state),
    }
  }

  return {
    subsystems() {
      const nowMs = base.clock.nowMs()
      return findings(take()).map((finding) => {
        const { name, state } = finding
        const known = since.get(name)
        const entry = known?.state === state ? known : { state, since: nowMs }
        since.set(name, entry)
        return toSubsystem(finding, entry.since)
      })
    },
  }
}

function servicesOf({ config, host, own, relay, store, verifier }: HealthParts) {
  return {
    services: config.services,
    host: host.libp2p.status,
    peers: relay.topics.reduce((sum, topic) => sum + host.gossip.getSubscribers(topic).length, 0),
    verifier: verifier.stats(),
    prover: own?.pool.stats(),
    ingest: store?.ingest(),
  }
}

function toSubsystem({ name, required, state, code, reason }: Finding, since: number): Subsystem {
  if (!code) return { name, required, state, since, reason: reason ?? null, code: null, fix: null }
  const { title, fix } = errorTable[code]
  return { name, required, state, since, reason: reason ?? title, code, fix }
}
