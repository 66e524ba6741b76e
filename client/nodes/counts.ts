import type { Address } from '@postrider/protocol/wire'
import { getRecord, putRecord } from '../storage/records.ts'
import type { Storage } from '../storage/types.ts'
import type { NodeCounts, Outcome } from './types.ts'

const KEY = 'nodes/counts'
const NONE: NodeCounts = { served: 0, failed: 0, late: 0 }

/** What this client saw of each node: the ground of local trust. */
export interface CountBook {
  of(operator: Address): NodeCounts
  add(operator: Address, outcome: Outcome): void
  /** Writes the counts; losing the newest ones costs nothing. */
  save(): Promise<void>
}

/** Loads the counts of earlier runs. */
export async function openCountBook(storage: Storage): Promise<CountBook> {
  const saved = await getRecord<Record<string, NodeCounts>>(storage, KEY)
  const counts = new Map(Object.entries(saved ?? {}))
  const keyOf = (operator: Address) => operator.toLowerCase()
  return {
    of: (operator) => counts.get(keyOf(operator)) ?? NONE,
    add(operator, outcome) {
      const before = counts.get(keyOf(operator)) ?? NONE
      counts.set(keyOf(operator), { ...before, [outcome]: before[outcome] + 1 })
    },
    save: () => putRecord(storage, KEY, Object.fromEntries(counts)),
  }
}
