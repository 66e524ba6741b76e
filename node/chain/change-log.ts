import { CHANGE_BYTES, encodeChanges, type MembershipChange } from '@postrider/protocol/rln'

/** First room of the log, changes; doubles when it is full. */
const INITIAL_ROOM = 64

/** Every change of the member list in order, encoded: 38 bytes each. */
export type ChangeLog = {
  count(): number
  append(changes: readonly MembershipChange[]): void
  clear(): void
  /** A copy of the changes from the `from`-th on, at most `limit`. */
  read(from: number, limit: number): Uint8Array
}

export function createChangeLog(): ChangeLog {
  let bytes = new Uint8Array(INITIAL_ROOM * CHANGE_BYTES)
  let used = 0

  return {
    count: () => used / CHANGE_BYTES,
    append(changes) {
      const added = encodeChanges(changes)
      if (used + added.length > bytes.length) {
        const larger = new Uint8Array(Math.max(used + added.length, 2 * bytes.length))
        larger.set(bytes)
        bytes = larger
      }
      bytes.set(added, used)
      used += added.length
    },
    clear() {
      used = 0
    },
    read(from, limit) {
      const start = Math.min(from * CHANGE_BYTES, used)
      return bytes.slice(start, Math.min(start + limit * CHANGE_BYTES, used))
    },
  }
}
