// A publisher, one node that validates everything, and a receiver behind it, each a process of its own: what the node
// lets through, how fast, and what invalid proofs change about it.
import { join } from 'node:path'
import { missedBounds } from './bounds.ts'
import { round } from './measure.ts'
import { loadMessages } from './relay/messages.ts'
import type { Load } from './relay/publisher.ts'
import { type Measured, runScenario } from './relay/scenario.ts'
import { spoil } from './relay/spoil.ts'
import type { Outcome } from './types.ts'

export const title =
  'Relay: one node with full validation of RLN messages of 1 KiB, against the same without any'

export type RelayBenchOptions = {
  /** Valid messages of each run. */
  messages?: number
  /** Where messages are kept. */
  dir?: string
  onProgress?(line: string): void
}

const CACHE_DIR = join(import.meta.dirname, '..', '.postrider', 'bench')
const MESSAGES = 1_500
/**
 * Messages under way at saturation: enough that the verifier always finds a full batch behind the one it works on,
 * and less than what it lets one peer queue (256).
 */
const WINDOW = 192
/** Invalid messages for each valid one: a tenth of all. */
const INVALID_SHARE = 1 / 9
/** Messages after which the attacker of the hardest run takes a new peer id: before it is not listened to any more. */
const MESSAGES_PER_PEER = 8

export async function run(options: RelayBenchOptions = {}): Promise<Outcome> {
  const { messages: count = MESSAGES, dir = CACHE_DIR, onProgress = console.error } = options
  const valid = await loadMessages({ dir, count, onProgress: reportEvery(100, count, onProgress) })
  const invalid = spoil(valid, Math.floor(count * INVALID_SHARE))
  const saturated: Load = { window: WINDOW }
  const measure = (load: Load, attack?: { messagesPerPeer?: number }): Promise<Measured> =>
    runScenario({
      validates: true,
      messages: valid,
      load,
      ...(attack && { invalid: { messages: invalid, ...attack } }),
    })

  const open = await runScenario({ validates: false, messages: valid, load: saturated })
  const full = await measure(saturated)
  const attacked = await measure(saturated, {})
  const fresh = await measure(saturated, { messagesPerPeer: MESSAGES_PER_PEER })
  const again = await measure(saturated)
  const half: Load = { perSecond: (full.perSecond + again.perSecond) / 4 }
  const calm = await measure(half)
  const attackedCalm = await measure(half, {})
  return summarize({
    messages: count,
    open,
    full,
    again,
    calm,
    attacked,
    attackedCalm,
    fresh,
  })
}

/** What was measured, run by run, with how many messages. */
export type Runs = {
  messages: number
  /** Without validation. */
  open: Measured
  /** With validation, as fast as it goes: before the attacks and after them, since the machine may do other work. */
  full: Measured
  again: Measured
  /** At half of that. */
  calm: Measured
  /** The same with a tenth of invalid proofs from one peer. */
  attacked: Measured
  attackedCalm: Measured
  /** As fast as it goes, with a tenth of invalid proofs from ever new peers. */
  fresh: Measured
}

/** What the relay is held to, on two cores. */
const MIN_ACCEPTED_PER_SECOND = 400
const MAX_P95_MS = 300
const MAX_FALL = 0.25

export function summarize(runs: Runs): Outcome {
  const { open, full, again, calm, attacked, attackedCalm, fresh } = runs
  const undisturbed = (full.perSecond + again.perSecond) / 2
  const result = (at: Measured, latency: Measured) => ({
    accepted_per_s: round(at.perSecond),
    cpu_ms_per_message: round(at.cpuMsPerMessage),
    p50_ms: round(latency.p50Ms),
    p95_ms: round(latency.p95Ms),
    lost: at.lost + latency.lost,
  })
  const attack = (at: Measured) => ({
    fall: round(1 - at.perSecond / undisturbed),
    invalid_sent: at.invalidSent,
    invalid_checked: at.invalidChecked,
  })
  const row = (what: string, { perSecond, p50Ms, p95Ms, lost, cpuMsPerMessage }: Measured) => ({
    run: what,
    'messages/s': Math.round(perSecond),
    'CPU ms each': round(cpuMsPerMessage),
    'p50 ms': Math.round(p50Ms),
    'p95 ms': Math.round(p95Ms),
    lost,
  })
  return {
    rows: [
      row('no validation, saturated', open),
      row('validation, saturated', full),
      row('10 % invalid from one peer, saturated', attacked),
      row('10 % invalid from ever new peers, saturated', fresh),
      row('validation, saturated, again', again),
      row('validation, half load', calm),
      row('10 % invalid from one peer, half load', attackedCalm),
    ],
    result: {
      messages: runs.messages,
      ...result(full, calm),
      accepted_per_s: round(undisturbed),
      lost: full.lost + again.lost + calm.lost,
      no_validation_per_s: round(open.perSecond),
      ratio: round(undisturbed / open.perSecond),
      with_invalid: { ...result(attacked, attackedCalm), ...attack(attacked) },
      with_invalid_from_new_peers: { ...result(fresh, fresh), lost: fresh.lost, ...attack(fresh) },
    },
    missed: missedBounds([
      { what: 'accepted_per_s', value: undisturbed, atLeast: MIN_ACCEPTED_PER_SECOND },
      { what: 'p95_ms', value: calm.p95Ms, below: MAX_P95_MS },
      { what: 'lost', value: runsOf(runs).reduce((sum, { lost }) => sum + lost, 0), below: 1 },
      { what: 'with_invalid.fall', value: attack(attacked).fall, below: MAX_FALL },
    ]),
  }
}

const runsOf = ({ full, again, calm, attacked, attackedCalm, fresh }: Runs): Measured[] => [
  ...[full, again, calm],
  ...[attacked, attackedCalm, fresh],
]

function reportEvery(step: number, count: number, onProgress: (line: string) => void) {
  return (made: number) => {
    if (made % step === 0) onProgress(`making messages, once: ${made} of ${count}`)
  }
}
