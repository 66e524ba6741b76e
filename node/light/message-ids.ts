import { PostriderError } from '@postrider/protocol/errors'
import {
  type AllocatorState,
  allocatorReducer,
  type IdRange,
  idsRemaining,
  NEW_ALLOCATOR,
} from '@postrider/protocol/rln'
import { bigIntToBytes, bytesToHex } from '@postrider/protocol/wire'
import type { Db, DbTransaction } from '../core/db/index.ts'

/** The message ids of the node's own membership. */
export type MessageIds = {
  /**
   * Takes an id of an epoch; it is gone from the disk before this resolves, and never given out again.
   *
   * @throws PostriderError `RLN_IDS_EXHAUSTED`, `RLN_EPOCH_PASSED`
   */
  allocate(epoch: bigint): Promise<number>
  /** Ids that are left in an epoch. */
  remaining(epoch: bigint): Promise<number>
}

/**
 * Message ids in node.db, one row for a membership. All shards share the ids of an epoch: the row names no shard,
 * and a node's own proofs are few.
 */
export function createMessageIds(
  { db }: { db: Db },
  options: { commitment: bigint; range: IdRange },
): MessageIds {
  const { range } = options
  const commitment = bytesToHex(bigIntToBytes(options.commitment, 32))

  const load = async (tx: DbTransaction): Promise<AllocatorState> => {
    const [row] = await tx.rlnMessageId.findMany({ where: { commitment } })
    if (!row) return NEW_ALLOCATOR
    return { epoch: BigInt(row.epoch), used: Math.max(0, row.nextId - range.first) }
  }

  return {
    allocate: (epoch) =>
      db.$transaction(async (tx) => {
        const { state, effects } = allocatorReducer(await load(tx), { type: 'allocate', epoch }, range)
        const [effect] = effects
        if (effect?.type !== 'allocated') {
          throw new PostriderError(effect?.type === 'refused' ? effect.code : 'RLN_IDS_EXHAUSTED')
        }
        const row = { epoch: state.epoch.toString(), nextId: range.first + state.used }
        await tx.rlnMessageId.deleteMany({ where: { commitment } })
        await tx.rlnMessageId.create({ data: { commitment, ...row } })
        return effect.messageId
      }),
    remaining: async (epoch) => idsRemaining(await load(db), range, epoch),
  }
}
