import type { ErrorCode } from '../errors/index.ts'
import { MAX_SLOT_PREFERRED, MAX_SLOT_VERIFYING, MAX_SLOT_WAITING } from './constants.ts'
import { poseidon } from './poseidon.ts'
import { recoverSecret, type Share } from './share.ts'
import { type Verdict, verdictFor } from './verdict.ts'

/** A message that passed the precheck, by the name that the shell gave it, and its share. */
export type SlotEntry = Share & { readonly id: string }

/**
 * What is known of one nullifier. The shell keeps one slot per (external nullifier, nullifier), may forget an
 * idle one (`slotIsIdle`) at once, and all of an epoch when the epoch can no longer be accepted.
 */
export type NullifierSlot = {
  /** The first message whose proof was valid. */
  readonly accepted: SlotEntry | undefined
  /** A second valid share was seen: the secret is known. */
  readonly breached: boolean
  /** At the verifier; all shares differ but those of preferred messages. */
  readonly verifying: readonly SlotEntry[]
  /** Each has the share of one that is at the verifier. */
  readonly waiting: readonly SlotEntry[]
}

export type SlotEvent =
  /**
   * `preferred`: it will be verified sooner than what is at the verifier, so it does not wait for a copy there. The shell
   * says so of trusted sources when no other trusted one sent what is at the verifier.
   */
  | { readonly type: 'arrived'; readonly entry: SlotEntry; readonly preferred?: boolean }
  | { readonly type: 'verified'; readonly id: string; readonly valid: boolean }
  /** The verifier gave no answer: overload, shutdown. */
  | { readonly type: 'dropped'; readonly id: string; readonly code: ErrorCode }

export type SlotEffect =
  /** Give the proof to the verifier; answer with `verified` or `dropped`. */
  | { readonly type: 'verify'; readonly entry: SlotEntry }
  /** The message's verdict; each message gets exactly one. A breach names the accepted message beside it. */
  | { readonly type: 'decide'; readonly id: string; readonly verdict: Verdict; readonly against?: string }

export type SlotStep = { readonly slot: NullifierSlot; readonly effects: readonly SlotEffect[] }

/** A slot that has seen nothing. */
export const EMPTY_SLOT: NullifierSlot = { accepted: undefined, breached: false, verifying: [], waiting: [] }

/** True when the slot holds nothing worth keeping. */
export function slotIsIdle(slot: NullifierSlot): boolean {
  return slot.accepted === undefined && slot.verifying.length === 0
}

/**
 * The nullifier log's rule, for one nullifier. A share counts only once its proof is valid, so bad proofs cannot
 * occupy a nullifier; the verdict falls when the verifier answers, so two messages in flight are never both
 * accepted; a copy waits for the first of its share instead of costing a second verification.
 */
export function slotReducer(slot: NullifierSlot, event: SlotEvent): SlotStep {
  if (event.type === 'arrived') return arrived(slot, event.entry, event.preferred === true)
  const entry = slot.verifying.find(({ id }) => id === event.id)
  if (entry === undefined) return { slot, effects: [] }
  const rest = { ...slot, verifying: slot.verifying.filter((other) => other !== entry) }
  if (event.type === 'dropped') return promote(rest, entry, decide(entry, event.code))
  return event.valid ? valid(rest, entry) : promote(rest, entry, decide(entry, 'RLN_PROOF_INVALID'))
}

function sameShare(a: Share, b: Share): boolean {
  return a.x === b.x && a.y === b.y
}

function decide(entry: SlotEntry, code: ErrorCode): SlotEffect {
  return { type: 'decide', id: entry.id, verdict: verdictFor(code) }
}

function arrived(slot: NullifierSlot, entry: SlotEntry, preferred: boolean): SlotStep {
  const fault = knownFault(slot, entry)
  if (fault !== undefined) return { slot, effects: [decide(entry, fault)] }
  if (!preferred && slot.verifying.some((other) => sameShare(other, entry))) {
    if (slot.waiting.length >= MAX_SLOT_WAITING) return { slot, effects: [decide(entry, 'RLN_SLOT_BUSY')] }
    return { slot: { ...slot, waiting: [...slot.waiting, entry] }, effects: [] }
  }
  const places = MAX_SLOT_VERIFYING + (preferred ? MAX_SLOT_PREFERRED : 0)
  if (slot.verifying.length >= places) return { slot, effects: [decide(entry, 'RLN_SLOT_BUSY')] }
  return { slot: { ...slot, verifying: [...slot.verifying, entry] }, effects: [{ type: 'verify', entry }] }
}

/** What can be said without the verifier, from the share that was accepted. */
function knownFault({ accepted, breached }: NullifierSlot, entry: SlotEntry): ErrorCode | undefined {
  if (accepted === undefined) return undefined
  if (sameShare(accepted, entry)) return 'RLN_DUPLICATE'
  // One nullifier is one line, and a line has one y for an x.
  if (accepted.x === entry.x) return 'RLN_PROOF_INVALID'
  return breached ? 'RLN_NULLIFIER_SPENT' : undefined
}

function valid(slot: NullifierSlot, entry: SlotEntry): SlotStep {
  if (slot.accepted === undefined) {
    const accept: SlotEffect = { type: 'decide', id: entry.id, verdict: { kind: 'accept' } }
    return release({ ...slot, accepted: entry }, entry, 'RLN_DUPLICATE', accept)
  }
  if (sameShare(slot.accepted, entry))
    return release(slot, entry, 'RLN_DUPLICATE', decide(entry, 'RLN_DUPLICATE'))
  if (slot.breached) return release(slot, entry, 'RLN_NULLIFIER_SPENT', decide(entry, 'RLN_NULLIFIER_SPENT'))
  const secret = recoverSecret(slot.accepted, entry)
  const verdict: Verdict = { kind: 'breach', code: 'RLN_BREACH', secret, commitment: poseidon([secret]) }
  const breach: SlotEffect = { type: 'decide', id: entry.id, verdict, against: slot.accepted.id }
  return release({ ...slot, breached: true }, entry, 'RLN_NULLIFIER_SPENT', breach)
}

/** The share was valid: what waited for it is decided. */
function release(slot: NullifierSlot, entry: SlotEntry, code: ErrorCode, first: SlotEffect): SlotStep {
  const copies = slot.waiting.filter((other) => sameShare(other, entry))
  const waiting = slot.waiting.filter((other) => !sameShare(other, entry))
  return { slot: { ...slot, waiting }, effects: [first, ...copies.map((copy) => decide(copy, code))] }
}

/** The share's first copy said nothing about the others: the next one is verified. */
function promote(slot: NullifierSlot, entry: SlotEntry, first: SlotEffect): SlotStep {
  const isCopy = (other: SlotEntry) => sameShare(other, entry)
  const next = slot.verifying.some(isCopy) ? undefined : slot.waiting.find(isCopy)
  if (next === undefined) return { slot, effects: [first] }
  const waiting = slot.waiting.filter((other) => other !== next)
  return {
    slot: { ...slot, waiting, verifying: [...slot.verifying, next] },
    effects: [first, { type: 'verify', entry: next }],
  }
}
