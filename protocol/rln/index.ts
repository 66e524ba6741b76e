/**
 * Rate-limiting nullifiers: identities, the membership tree, signal and nullifiers, the proof on the wire, the
 * checks and verdicts of the relay, message-id allocation, evidence and slashing. Pure: time, randomness,
 * proofs and chain come from the caller. Specified in docs/protocol/rln.md.
 *
 * @module
 */
export {
  type AllocatorEffect,
  type AllocatorEvent,
  type AllocatorState,
  type AllocatorStep,
  allocatorReducer,
  type IdRange,
  idRange,
  idsRemaining,
  NEW_ALLOCATOR,
} from './allocator.ts'
export {
  type Breach,
  type BreachContext,
  decodeBreach,
  encodeBreach,
  type VerifiedBreach,
  verifyBreach,
} from './breach.ts'
export {
  CHANGE_BYTES,
  FIELD_MODULUS,
  MAX_CHANGES_PER_PAGE,
  MAX_CLOCK_GAP_SECONDS,
  MAX_MESSAGE_LIMIT,
  MAX_SLASH_TURNS,
  PROOF_BYTES,
  ROOT_WINDOW,
  SIGNAL_TAG,
  SLASH_TURN_BLOCKS,
  SLASH_TURN_WINDOW_BLOCKS,
  TREE_CAPACITY,
  TREE_DEPTH,
} from './constants.ts'
export { isFieldElement } from './field.ts'
export { createIdentity, type Identity, identityFromSecret, rateCommitment } from './identity.ts'
export {
  accumulate,
  decodeChanges,
  EMPTY_ACCUMULATOR,
  encodeChanges,
  foldChanges,
  leafOfChange,
  leavesOfChanges,
  type MembershipChange,
} from './membership.ts'
export { poseidon } from './poseidon.ts'
export { type CheckedMessage, type PrecheckContext, type PrecheckResult, precheck } from './precheck.ts'
export {
  attachProof,
  decodeRlnProof,
  encodeRlnProof,
  type PublicSignals,
  publicSignals,
  type RlnProof,
} from './proof.ts'
export { checkKeySetup, developmentKeys, type KeySetup, LOCAL_CHAIN_IDS } from './setup.ts'
export { recoverSecret, type Share, share } from './share.ts'
export { epochAt, externalNullifier, type RateScope, signalX } from './signal.ts'
export {
  openSlashCase,
  type SlashCase,
  type SlashEffect,
  type SlashEvent,
  type SlashPhase,
  type SlashStep,
  slashCaseEnded,
  slashCommitHash,
  slashingReducer,
} from './slashing.ts'
export {
  EMPTY_SLOT,
  type NullifierSlot,
  type SlotEffect,
  type SlotEntry,
  type SlotEvent,
  type SlotStep,
  slotIsIdle,
  slotReducer,
} from './slot.ts'
export {
  createMembershipTree,
  type MembershipTree,
  type MembershipTreeOptions,
  type MerklePath,
  restoreMembershipTree,
  rootOfPath,
} from './tree.ts'
export { type Verdict, verdictFor } from './verdict.ts'
