import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, bigIntToBytes, bytesToHex, concatBytes, type Hex, hexToBytes } from '../wire/index.ts'
import { MAX_SLASH_ATTEMPTS, SLASH_TURN_BLOCKS } from './constants.ts'

/**
 * One member that this node can slash. Commit and reveal are two transactions, so that whoever copies the
 * revealed secret from the mempool has no promise to go with it.
 *
 * found → committed → revealable → revealed (we were first), lost (somebody else was), failed (no deposit left,
 * or too many failures).
 */
export type SlashPhase = 'found' | 'committed' | 'revealable' | 'revealed' | 'lost' | 'failed'

export type SlashCase = {
  readonly phase: SlashPhase
  /** The member's identity commitment. */
  readonly commitment: bigint
  readonly secret: bigint
  /** Hides the secret inside the promise; random, kept until the reveal. */
  readonly nonce: Hex
  /** Block of our promise, from `committed` on. */
  readonly committedAtBlock: bigint | undefined
  /** Unix seconds after which the promise is void. */
  readonly expiresAt: bigint | undefined
  /** A transaction of this phase is out and its end is not known. */
  readonly sending: boolean
  /** Transactions that failed so far. */
  readonly failures: number
}

export type SlashEvent =
  /**
   * A block is the head: what is due is sent. Also the first event after a restart. `turn` is how many others go before
   * us; undefined while our promise is not among the confirmed ones.
   */
  | {
      readonly type: 'head'
      readonly block: bigint
      readonly time: bigint
      readonly turn?: number | undefined
    }
  /** Our promise is on chain. */
  | { readonly type: 'committed'; readonly block: bigint; readonly expiresAt: bigint }
  /** A reorganisation removed our promise. */
  | { readonly type: 'uncommitted' }
  /** The transaction of this phase failed, was refused in simulation, or is lost. */
  | { readonly type: 'sendFailed' }
  /** The process started again: what was out is looked for anew. */
  | { readonly type: 'restarted' }
  /** The member is slashed on chain, with enough confirmations. */
  | { readonly type: 'slashed'; readonly byUs: boolean }
  /** The member holds no deposit: never registered, or withdrawn. */
  | { readonly type: 'gone' }

export type SlashEffect =
  | { readonly type: 'sendCommit' }
  | { readonly type: 'sendReveal' }
  | { readonly type: 'ended'; readonly phase: 'revealed' | 'lost' | 'failed' }

export type SlashStep = { readonly state: SlashCase; readonly effects: readonly SlashEffect[] }

/** A case from a breach; the state goes to disk before its effects are carried out. */
export function openSlashCase(found: { commitment: bigint; secret: bigint; nonce: Hex }): SlashCase {
  return {
    ...found,
    phase: 'found',
    committedAtBlock: undefined,
    expiresAt: undefined,
    sending: false,
    failures: 0,
  }
}

/** What `commitSlash` takes: keccak256(abi.encode(address slasher, uint256 secret, bytes32 nonce)). */
export function slashCommitHash(slasher: Address, secret: bigint, nonce: Hex): Hex {
  const words = [
    new Uint8Array(12),
    hexToBytes(slasher, 20),
    bigIntToBytes(secret, 32),
    hexToBytes(nonce, 32),
  ]
  return bytesToHex(keccak_256(concatBytes(...words)))
}

/** True once nothing will change any more. */
export function slashCaseEnded({ phase }: SlashCase): boolean {
  return phase === 'revealed' || phase === 'lost' || phase === 'failed'
}

/** The rule of one case. Events that do not fit the phase change nothing. */
export function slashingReducer(state: SlashCase, event: SlashEvent): SlashStep {
  if (slashCaseEnded(state)) return { state, effects: [] }
  switch (event.type) {
    case 'slashed':
      return end(state, event.byUs ? 'revealed' : 'lost')
    case 'gone':
      return end(state, 'failed')
    case 'head':
      return head(state, event)
    case 'committed':
      return committed(state, event.block, event.expiresAt)
    case 'uncommitted':
      return state.phase === 'found' ? { state, effects: [] } : { state: recommit(state), effects: [] }
    case 'restarted':
      return { state: { ...state, sending: false }, effects: [] }
    case 'sendFailed':
      return failed(state)
  }
}

function end(state: SlashCase, phase: 'revealed' | 'lost' | 'failed'): SlashStep {
  return { state: { ...state, phase, sending: false }, effects: [{ type: 'ended', phase }] }
}

function recommit(state: SlashCase): SlashCase {
  return { ...state, phase: 'found', committedAtBlock: undefined, expiresAt: undefined, sending: false }
}

function committed(state: SlashCase, block: bigint, expiresAt: bigint): SlashStep {
  if (state.phase !== 'found' && state.committedAtBlock === block) return { state, effects: [] }
  return {
    state: { ...state, phase: 'committed', committedAtBlock: block, expiresAt, sending: false },
    effects: [],
  }
}

function head(previous: SlashCase, event: SlashEvent & { type: 'head' }): SlashStep {
  const { expiresAt, sending } = previous
  const expired = expiresAt !== undefined && event.time > expiresAt && !sending
  const state = ripen(expired ? recommit(previous) : previous, event)
  if (state.sending) return { state, effects: [] }
  if (state.phase === 'found')
    return { state: { ...state, sending: true }, effects: [{ type: 'sendCommit' }] }
  if (state.phase !== 'revealable') return { state, effects: [] }
  return { state: { ...state, sending: true }, effects: [{ type: 'sendReveal' }] }
}

/** The contract takes a reveal in any block after the promise's; we also let those go first who promised before us. */
function ripen(state: SlashCase, { block, turn }: SlashEvent & { type: 'head' }): SlashCase {
  const { phase, committedAtBlock } = state
  if (phase !== 'committed' || committedAtBlock === undefined || turn === undefined) return state
  const ripe = block >= committedAtBlock + BigInt(turn) * SLASH_TURN_BLOCKS
  return ripe ? { ...state, phase: 'revealable' } : state
}

/** The next head tries again. */
function failed(state: SlashCase): SlashStep {
  const failures = state.failures + 1
  if (failures >= MAX_SLASH_ATTEMPTS) return end({ ...state, failures }, 'failed')
  return { state: { ...state, failures, sending: false }, effects: [] }
}
