import type { Hex } from '@postrider/protocol/wire'
import { encodeRecord } from '../storage/records.ts'
import type { Storage, Write } from '../storage/types.ts'

const PREFIX = 'wallet/member/'

/** The memberships that this wallet ever paid for, so that a ledger without one of them is found out. */
export interface MemberBook {
  list(): Hex[]
  /** Adds one, together with `also`; on disk when it resolves. */
  add(commitment: Hex, also: readonly Write[]): Promise<void>
}

export async function openMemberBook(storage: Storage): Promise<MemberBook> {
  const found = await storage.list(PREFIX)
  const members = new Set(found.map(({ key }) => key.slice(PREFIX.length) as Hex))
  return {
    list: () => [...members],
    add(commitment, also) {
      members.add(commitment)
      return storage.batch([{ key: PREFIX + commitment, value: encodeRecord(true) }, ...also])
    },
  }
}
