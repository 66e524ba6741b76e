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

/** Up to this epoch nothing is known: all its ids, in every topic, count as used. */
type Floor = { epoch: bigint }

const keyOf = (commitment: bigint, rest: string) => `rln/ids/${commitment.toString(16)}/${rest}`
const floorKey = (commitment: bigint) => keyOf(commitment, 'floor')
const rangeKey = (commitment: bigint) => keyOf(commitment, 'range')
const topicPrefix = (commitment: bigint) => keyOf(commitment, 'topic')

/**
 * Declares every id up to and including `epoch` used: for an identity that comes from elsewhere, or a storage
 * that comes from a backup.
 */
export async function burnEpochs(storage: Storage, commitment: bigint, epoch: bigint): Promise<void> {
  const known = await getRecord<Floor>(storage, floorKey(commitment))
  await putRecord(storage, floorKey(commitment), { epoch: larger(epoch, known?.epoch ?? 0n) })
}

/**
 * Opens the id log of one membership on one device; `range` is what this device may use of the limit. When it is another
 * one than last time, the ids up to and including `epoch`, the newest that a message may have now, are given up.
 */
export async function openIdAllocator(
  storage: Storage,
  { commitment, range, epoch }: { commitment: bigint; range: IdRange; epoch: bigint },
): Promise<IdAllocator> {
  const prefix = topicPrefix(commitment)
  const saved = await listRecords<AllocatorState>(storage, prefix)
  const states = new Map(saved.map(({ key, value }) => [key.slice(prefix.length), value]))
  const newest = [...states.values()].reduce((last, state) => larger(last, state.epoch), epoch)
  await adoptRange(storage, { commitment, range, epoch: newest, isNew: states.size === 0 })
  let floor = await getRecord<Floor>(storage, floorKey(commitment))
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
      await storage.put(prefix + pubsubTopic, encodeRecord({ ...state }))
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

type Adoption = { commitment: bigint; range: IdRange; epoch: bigint; isNew: boolean }

/** Writes the range down; before that gives up what another device may have used of a changed one until now. */
async function adoptRange(storage: Storage, { commitment, range, epoch, isNew }: Adoption): Promise<void> {
  const known = await getRecord<IdRange>(storage, rangeKey(commitment))
  if (known?.first === range.first && known.count === range.count) return
  if (known || !isNew) await burnEpochs(storage, commitment, epoch)
  await putRecord(storage, rangeKey(commitment), { ...range })
}

function burnTo(state: AllocatorState, floor: Floor | undefined, range: IdRange): AllocatorState {
  if (!floor || state.epoch > floor.epoch) return state
  return allocatorReducer(state, { type: 'burn', epoch: floor.epoch }, range).state
}

function burntError({ epoch }: Floor): PostriderError {
  return new PostriderError('CLIENT_RLN_EPOCH_BURNT', { data: { firstEpoch: (epoch + 1n).toString() } })
}
