import { EMPTY_SLOT, type NullifierSlot, slotIsIdle } from '@postrider/protocol/rln'

/** Where a nullifier belongs. The external nullifier stands for epoch, network and shard. */
export type SlotKey = { epoch: bigint; externalNullifier: bigint; nullifier: bigint }

/** The slots of the nullifiers of every epoch that is still acceptable, in memory. */
export type NullifierLog = {
  get(key: SlotKey): NullifierSlot
  /** False when the nullifier is new and the log holds as many as it may. */
  hasRoom(key: SlotKey): boolean
  /** Keeps a slot, or forgets it when it holds nothing. */
  put(key: SlotKey, slot: NullifierSlot): void
  /** Forgets every epoch before `epoch`; returns how many slots went. */
  pruneBefore(epoch: bigint): number
  size(): number
  /** Epochs with slots. */
  epochs(): number
}

type Scope = { epoch: bigint; slots: Map<bigint, NullifierSlot> }

/** @param limit most slots; the log refuses new nullifiers beyond it, because forgetting one would let it pass twice */
export function createNullifierLog(limit: number): NullifierLog {
  const scopes = new Map<bigint, Scope>()
  let size = 0

  const find = ({ externalNullifier, nullifier }: SlotKey) =>
    scopes.get(externalNullifier)?.slots.get(nullifier)

  const remove = ({ externalNullifier, nullifier }: SlotKey) => {
    if (scopes.get(externalNullifier)?.slots.delete(nullifier)) size--
  }

  return {
    get: (key) => find(key) ?? EMPTY_SLOT,
    hasRoom: (key) => size < limit || find(key) !== undefined,
    put(key, slot) {
      if (slotIsIdle(slot)) return remove(key)
      let scope = scopes.get(key.externalNullifier)
      if (!scope) {
        scope = { epoch: key.epoch, slots: new Map() }
        scopes.set(key.externalNullifier, scope)
      }
      if (!scope.slots.has(key.nullifier)) size++
      scope.slots.set(key.nullifier, slot)
    },
    pruneBefore(epoch) {
      let pruned = 0
      for (const [externalNullifier, scope] of scopes) {
        if (scope.epoch >= epoch) continue
        pruned += scope.slots.size
        scopes.delete(externalNullifier)
      }
      size -= pruned
      return pruned
    },
    size: () => size,
    epochs: () => new Set([...scopes.values()].map(({ epoch }) => epoch)).size,
  }
}
