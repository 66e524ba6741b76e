import type { ErrorCode } from '../errors/index.ts'

/**
 * What a node does with a message.
 *
 * - `accept`: forward, store, deliver.
 * - `ignore`: drop; nobody is punished, because an honest forwarder may have sent it.
 * - `reject`: drop; provably bad whatever the clock, the chain and the order of arrival, so whoever forwarded it
 *   did not check it and is scored down.
 * - `breach`: drop, recover the secret, report the evidence. The publisher is refused; a gossip peer that
 *   forwarded it is not punished, since it may have seen this message before the other one.
 */
export type Verdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'ignore'; readonly code: ErrorCode }
  | { readonly kind: 'reject'; readonly code: ErrorCode }
  | {
      readonly kind: 'breach'
      readonly code: 'RLN_BREACH'
      readonly secret: bigint
      readonly commitment: bigint
    }

/** Faults that an honest forwarder can pass on: they depend on clock, chain, load or order of arrival. */
const IGNORED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RLN_TIMESTAMP_OUTSIDE_WINDOW',
  'RLN_UNKNOWN_ROOT',
  'RLN_DUPLICATE',
  'RLN_SLOT_BUSY',
  'RLN_NULLIFIER_SPENT',
  'RELAY_OVERLOADED',
  'ZK_QUEUE_FULL',
  'ZK_SOURCE_BUDGET',
  'ZK_WORKER_FAILED',
  'ZK_STOPPED',
])

/** The verdict for a fault: ignore for the few that honest forwarders pass on, else reject. */
export function verdictFor(code: ErrorCode): Extract<Verdict, { kind: 'ignore' | 'reject' }> {
  return IGNORED.has(code) ? { kind: 'ignore', code } : { kind: 'reject', code }
}
