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

/** Faults of a message that an honest forwarder can pass on: they depend on clock, chain and order of arrival. */
const IGNORED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RLN_TIMESTAMP_OUTSIDE_WINDOW',
  'RLN_UNKNOWN_ROOT',
  'RLN_DUPLICATE',
  'RLN_SLOT_BUSY',
  'RLN_NULLIFIER_SPENT',
])

/** Faults of a message as such. What else can go wrong (overload, shutdown) is the node's own and never its peer's. */
const OF_THE_MESSAGE = /^(?:WIRE|RLN)_/

/** The verdict for a fault: reject for what no honest forwarder passes on, else ignore. */
export function verdictFor(code: ErrorCode): Extract<Verdict, { kind: 'ignore' | 'reject' }> {
  const rejected = OF_THE_MESSAGE.test(code) && !IGNORED.has(code)
  return rejected ? { kind: 'reject', code } : { kind: 'ignore', code }
}
