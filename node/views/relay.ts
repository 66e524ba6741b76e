import type { ErrorCode } from '@postrider/protocol/errors'
import { verdictFor } from '@postrider/protocol/rln'
import type { RelayStats, RelayView } from '../api/types.ts'
import type { NodeParts } from './types.ts'

type RelayViewParts = {
  host: { gossip: Pick<NodeParts['host']['gossip'], 'getSubscribers'> }
  relay: Pick<NodeParts['relay'], 'topics' | 'stats'>
  verifier: Pick<NodeParts['verifier'], 'stats'>
  startedAtMs: number
}

export function createRelayView({ host, relay, verifier, startedAtMs }: RelayViewParts): RelayView {
  return {
    stats() {
      const { verdicts, meshPeers } = relay.stats()
      const { accepted, ignored, rejected, breaches, byCode } = verdicts
      const { waiting, limit } = verifier.stats()
      return {
        since: startedAtMs,
        verdicts: { accept: accepted, ignore: ignored, reject: rejected, breach: breaches },
        byCode: Object.entries(byCode).map(([code, count]) => ({
          kind: kindOf(code as ErrorCode),
          code,
          count,
        })),
        topics: relay.topics.map((pubsubTopic) => ({
          pubsubTopic,
          peers: host.gossip.getSubscribers(pubsubTopic).length,
          meshPeers: meshPeers[pubsubTopic] ?? 0,
        })),
        queue: { waiting, limit, dropped: byCode.RELAY_OVERLOADED ?? 0 },
      }
    },
  }
}

/** A code always leads to the same kind of verdict. */
function kindOf(code: ErrorCode): RelayStats['byCode'][number]['kind'] {
  return code === 'RLN_BREACH' ? 'breach' : verdictFor(code).kind
}
