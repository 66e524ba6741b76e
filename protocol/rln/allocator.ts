import { type ErrorCode, PostriderError } from '../errors/index.ts'
import { MAX_MESSAGE_LIMIT } from './constants.ts'

/**
 * The message ids that one device may use: `first`, `first + 1`, … `count` of them, in every epoch and pubsub
 * topic. Two devices of one member get ranges that do not overlap.
 */
export type IdRange = { readonly first: number; readonly count: number }

/** Must be on disk before an allocated id is used. Keep one state for each pubsub topic. */
export type AllocatorState = {
  /** The newest epoch in which an id was allocated or burnt. */
  readonly epoch: bigint
  /** Ids of that epoch that are gone. */
  readonly used: number
}

export type AllocatorEvent =
  | { readonly type: 'allocate'; readonly epoch: bigint }
  /** Nothing is known of what was used up to this epoch (lost or restored state): its ids are gone. */
  | { readonly type: 'burn'; readonly epoch: bigint }

export type AllocatorEffect =
  /** Use the id only after the state is durable; it is gone whether or not it is used. */
  | {
      readonly type: 'allocated'
      readonly epoch: bigint
      readonly messageId: number
      readonly remaining: number
    }
  | { readonly type: 'refused'; readonly code: ErrorCode }

export type AllocatorStep = { readonly state: AllocatorState; readonly effects: readonly AllocatorEffect[] }

/** The state of a membership that has never sent; only for a membership that was just made. */
export const NEW_ALLOCATOR: AllocatorState = { epoch: 0n, used: 0 }

/**
 * The range of all ids of a membership, or a part of it.
 * @throws RLN_ID_RANGE_INVALID unless the range is not empty and lies within 0..limit-1.
 */
export function idRange(limit: number, first = 0, count = limit - first): IdRange {
  const fits =
    Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count > 0 && first + count <= limit
  if (!fits || limit > MAX_MESSAGE_LIMIT) {
    throw new PostriderError('RLN_ID_RANGE_INVALID', { data: { limit, first, count } })
  }
  return { first, count }
}

/** Ids left in an epoch; 0 for one that is over. */
export function idsRemaining(state: AllocatorState, range: IdRange, epoch: bigint): number {
  if (epoch > state.epoch) return range.count
  return epoch === state.epoch ? Math.max(0, range.count - state.used) : 0
}

/**
 * Hands out each id of the range once an epoch. An id is gone when it is allocated; an epoch is gone when a
 * later one was used, so that a clock that goes back cannot bring an id back.
 */
export function allocatorReducer(
  state: AllocatorState,
  event: AllocatorEvent,
  range: IdRange,
): AllocatorStep {
  const { epoch } = event
  if (event.type === 'burn') {
    return {
      state: epoch < state.epoch ? { ...state, used: range.count } : { epoch, used: range.count },
      effects: [],
    }
  }
  if (epoch < state.epoch) return { state, effects: [{ type: 'refused', code: 'RLN_EPOCH_PASSED' }] }
  const remaining = idsRemaining(state, range, epoch)
  if (remaining === 0) return { state, effects: [{ type: 'refused', code: 'RLN_IDS_EXHAUSTED' }] }
  const used = range.count - remaining
  return {
    state: { epoch, used: used + 1 },
    effects: [{ type: 'allocated', epoch, messageId: range.first + used, remaining: remaining - 1 }],
  }
}
