import { PostriderError } from '@postrider/protocol/errors'
import {
  type AllocatorState,
  allocatorReducer,
  epochAt,
  type IdRange,
  idsRemaining,
  MAX_CLOCK_GAP_SECONDS,
} from '@postrider/protocol/rln'
import { bigIntToBytes, bytesToHex } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
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
 *
 * When `range` is another one than last time, the ids of every epoch that a message may have now are given up first.
 */
export async function openMessageIds(
  { db, clock }: { db: Db; clock: Clock },
  options: { commitment: bigint; range: IdRange; epochSeconds: number },
): Promise<MessageIds> {
  const { range, epochSeconds } = options
  const commitment = bytesToHex(bigIntToBytes(options.commitment, 32))
  const newestPossible = epochAt(clock.nowMs() + MAX_CLOCK_GAP_SECONDS * 1000, epochSeconds)
  const floor = await db.$transaction((tx) => adoptRange(tx, { commitment, range, newestPossible }))

  const load = async (tx: DbTransaction, epoch: bigint): Promise<AllocatorState> => {
    if (epoch <= floor) return { epoch, used: range.count }
    const rows = await tx.rlnMessageId.findMany({ where: { commitment } })
    const newest = newestOf([epoch, ...rows.map((row) => BigInt(row.epoch))])
    // Older rows are gone, and what they said with them.
    if (newest - epoch >= MESSAGE_ID_EPOCHS) return { epoch: newest, used: range.count }
    const row = rows.find((each) => each.epoch === epoch.toString())
    return { epoch, used: row ? row.nextId - range.first : 0 }
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

type Adoption = { commitment: string; range: IdRange; newestPossible: bigint }

/**
 * Writes the range down and returns the epoch up to which all ids are given up: of a changed range, another device of
 * the member may have used some until now.
 */
async function adoptRange(
  tx: DbTransaction,
  { commitment, range, newestPossible }: Adoption,
): Promise<bigint> {
  const known = await tx.rlnIdRange.findUnique({ where: { commitment } })
  const floor = BigInt(known?.floorEpoch ?? 0)
  if (known?.first === range.first && known.count === range.count) return floor
  const rows = await tx.rlnMessageId.findMany({ where: { commitment } })
  const isNew = known === null && rows.length === 0
  const raised = isNew ? floor : newestOf([floor, newestPossible, ...rows.map((row) => BigInt(row.epoch))])
  const data = { first: range.first, count: range.count, floorEpoch: raised.toString() }
  await tx.rlnIdRange.upsert({ where: { commitment }, create: { commitment, ...data }, update: data })
  return raised
}

function newestOf(epochs: readonly bigint[]): bigint {
  return epochs.reduce((newest, epoch) => (epoch > newest ? epoch : newest))
}
