import { PostriderError } from '@postrider/protocol/errors'
import {
  type AllocatorState,
  allocatorReducer,
  type IdRange,
  idsRemaining,
  NEW_ALLOCATOR,
} from '@postrider/protocol/rln'
import { larger } from '../core/bigint.ts'
import { encodeRecord, getRecord, listRecords, putRecord } from '../storage/records.ts'
import type { Storage } from '../storage/types.ts'

/** A message id that nothing else will ever use in its epoch and topic. */
export type AllocatedId = { messageId: number; remaining: number }

/** Hands out message ids. An id is on disk as used before it is given to the caller. */
export interface IdAllocator {
  readonly range: IdRange
  /**
   * The next id. Whatever happens afterwards, it is gone: no id is given twice, also when the write fails.
   *
   * @throws PostriderError `RLN_IDS_EXHAUSTED`, `RLN_EPOCH_PASSED`, `CLIENT_RLN_EPOCH_BURNT`, `CLIENT_STORAGE_FAILED`
   */
  allocate(pubsubTopic: string, epoch: bigint): Promise<AllocatedId>
  remaining(pubsubTopic: string, epoch: bigint): number
  /** The id that `allocate` would give next; undefined if it would give none. */
  next(pubsubTopic: string, epoch: bigint): number | undefined
  /** Gives up every id up to and including this epoch, in all topics. */
  burn(epoch: bigint): Promise<void>
}

/** One topic's state, with the range for which it counts. */
type Saved = AllocatorState & IdRange

/** Up to this epoch nothing is known: all its ids, in every topic, count as used. */
type Floor = { epoch: bigint }

const keyOf = (commitment: bigint, rest: string) => `rln/ids/${commitment.toString(16)}/${rest}`
const floorKey = (commitment: bigint) => keyOf(commitment, 'floor')
const topicPrefix = (commitment: bigint) => keyOf(commitment, 'topic')

/**
 * Declares every id up to and including `epoch` used: for an identity that comes from elsewhere, or a storage
 * that comes from a backup.
 */
export async function burnEpochs(storage: Storage, commitment: bigint, epoch: bigint): Promise<void> {
  const known = await getRecord<Floor>(storage, floorKey(commitment))
  await putRecord(storage, floorKey(commitment), { epoch: larger(epoch, known?.epoch ?? 0n) })
}

/** Opens the id log of one membership on one device; `range` is what this device may use of the limit. */
export async function openIdAllocator(
  storage: Storage,
  { commitment, range }: { commitment: bigint; range: IdRange },
): Promise<IdAllocator> {
  const prefix = topicPrefix(commitment)
  let floor = await getRecord<Floor>(storage, floorKey(commitment))
  const states = new Map<string, AllocatorState>()
  for (const { key, value } of await listRecords<Saved>(storage, prefix)) {
    states.set(key.slice(prefix.length), resume(value, range))
  }
  const stateOf = (topic: string): AllocatorState => burnTo(states.get(topic) ?? NEW_ALLOCATOR, floor, range)

  return {
    range,
    async allocate(pubsubTopic, epoch) {
      if (floor && epoch <= floor.epoch) throw burntError(floor)
      const { state, effects } = allocatorReducer(stateOf(pubsubTopic), { type: 'allocate', epoch }, range)
      const [effect] = effects
      if (effect?.type !== 'allocated') throw new PostriderError(effect?.code ?? 'RLN_IDS_EXHAUSTED')
      // In memory first: if the write fails the id is burnt, and no later call can get it.
      states.set(pubsubTopic, state)
      await storage.put(prefix + pubsubTopic, encodeRecord({ ...state, ...range }))
      return { messageId: effect.messageId, remaining: effect.remaining }
    },
    next(pubsubTopic, epoch) {
      const { effects } = allocatorReducer(stateOf(pubsubTopic), { type: 'allocate', epoch }, range)
      const [effect] = effects
      return effect?.type === 'allocated' ? effect.messageId : undefined
    },
    remaining: (pubsubTopic, epoch) => idsRemaining(stateOf(pubsubTopic), range, epoch),
    async burn(epoch) {
      floor = { epoch: larger(epoch, floor?.epoch ?? 0n) }
      await burnEpochs(storage, commitment, epoch)
    },
  }
}

// Another range than last time: which of its ids the old one used in that epoch is not worth finding out.
function resume({ epoch, used, first, count }: Saved, range: IdRange): AllocatorState {
  const same = first === range.first && count === range.count
  return same ? { epoch, used } : { epoch, used: range.count }
}

function burnTo(state: AllocatorState, floor: Floor | undefined, range: IdRange): AllocatorState {
  if (!floor || state.epoch > floor.epoch) return state
  return allocatorReducer(state, { type: 'burn', epoch: floor.epoch }, range).state
}

function burntError({ epoch }: Floor): PostriderError {
  return new PostriderError('CLIENT_RLN_EPOCH_BURNT', { data: { firstEpoch: (epoch + 1n).toString() } })
}
