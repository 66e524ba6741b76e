import { PostriderError } from '@postrider/protocol/errors'
import { type AllocatorState, allocatorReducer, type IdRange, idsRemaining } from '@postrider/protocol/rln'
import { bigIntToBytes, bytesToHex } from '@postrider/protocol/wire'
import type { Db, DbTransaction } from '../core/db/index.ts'
import { MESSAGE_ID_EPOCHS } from './constants.ts'

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
 * Message ids in node.db, a row for each of the newest epochs of a membership. Epochs side by side, because the
 * timestamps of clients differ: one that is ahead must not end the epoch for the others. All shards share the ids of an
 * epoch: the row names no shard, and a node's own proofs are few.
 */
export function createMessageIds(
  { db }: { db: Db },
  options: { commitment: bigint; range: IdRange },
): MessageIds {
  const { range } = options
  const commitment = bytesToHex(bigIntToBytes(options.commitment, 32))

  const load = async (tx: DbTransaction, epoch: bigint): Promise<AllocatorState> => {
    const rows = await tx.rlnMessageId.findMany({ where: { commitment } })
    const newest = rows.map((row) => BigInt(row.epoch)).reduce((a, b) => (a > b ? a : b), epoch)
    // Older rows are gone, and what they said with them.
    if (newest - epoch >= MESSAGE_ID_EPOCHS) return { epoch: newest, used: range.count }
    const row = rows.find((each) => each.epoch === epoch.toString())
    return { epoch, used: row ? Math.max(0, row.nextId - range.first) : 0 }
  }

  const save = async (tx: DbTransaction, { epoch, used }: AllocatorState): Promise<void> => {
    const rows = await tx.rlnMessageId.findMany({ where: { commitment } })
    const replaced = rows.filter(
      (row) => BigInt(row.epoch) === epoch || epoch - BigInt(row.epoch) >= MESSAGE_ID_EPOCHS,
    )
    await tx.rlnMessageId.deleteMany({
      where: { commitment, epoch: { in: replaced.map((row) => row.epoch) } },
    })
    const row = { epoch: epoch.toString(), nextId: range.first + used }
    await tx.rlnMessageId.create({ data: { commitment, ...row } })
  }

  return {
    allocate: (epoch) =>
      db.$transaction(async (tx) => {
        const { state, effects } = allocatorReducer(await load(tx, epoch), { type: 'allocate', epoch }, range)
        const [effect] = effects
        if (effect?.type !== 'allocated') {
          throw new PostriderError(effect?.type === 'refused' ? effect.code : 'RLN_IDS_EXHAUSTED')
        }
        await save(tx, state)
        return effect.messageId
      }),
    remaining: async (epoch) => idsRemaining(await load(db, epoch), range, epoch),
  }
}
