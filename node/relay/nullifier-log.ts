import { EMPTY_SLOT, type NullifierSlot, type SlotEntry, slotIsIdle } from '@postrider/protocol/rln'

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

/** Nearly all slots hold one accepted share and nothing else: those are kept as that share, in half the memory. */
type Scope = { epoch: bigint; settled: Map<bigint, SlotEntry>; others: Map<bigint, NullifierSlot> }

/** @param limit most slots; the log refuses new nullifiers beyond it, because forgetting one would let it pass twice */
export function createNullifierLog(limit: number): NullifierLog {
  const scopes = new Map<bigint, Scope>()
  let size = 0

  const sizeOf = ({ settled, others }: Scope) => settled.size + others.size

  const find = ({ externalNullifier, nullifier }: SlotKey): NullifierSlot | undefined => {
    const scope = scopes.get(externalNullifier)
    const accepted = scope?.settled.get(nullifier)
    return accepted ? { ...EMPTY_SLOT, accepted } : scope?.others.get(nullifier)
  }

  const scopeOf = ({ epoch, externalNullifier }: SlotKey): Scope => {
    let scope = scopes.get(externalNullifier)
    if (!scope) {
      scope = { epoch, settled: new Map(), others: new Map() }
      scopes.set(externalNullifier, scope)
    }
    return scope
  }

  return {
    get: (key) => find(key) ?? EMPTY_SLOT,
    hasRoom: (key) => size < limit || find(key) !== undefined,
    put(key, slot) {
      const { nullifier } = key
      const scope = scopeOf(key)
      const before = sizeOf(scope)
      scope.settled.delete(nullifier)
      scope.others.delete(nullifier)
      const { accepted, breached, verifying } = slot
      if (accepted && !breached && verifying.length === 0) scope.settled.set(nullifier, accepted)
      else if (!slotIsIdle(slot)) scope.others.set(nullifier, slot)
      size += sizeOf(scope) - before
    },
    pruneBefore(epoch) {
      let pruned = 0
      for (const [externalNullifier, scope] of scopes) {
        if (scope.epoch >= epoch) continue
        pruned += sizeOf(scope)
        scopes.delete(externalNullifier)
      }
      size -= pruned
      return pruned
    },
    size: () => size,
    epochs: () => new Set([...scopes.values()].map(({ epoch }) => epoch)).size,
  }
}
