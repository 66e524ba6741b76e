import type { Position } from './types.ts'

/** Orders positions: by timestamp, then by hash as unsigned bytes, which is how SQLite compares blobs. */
export function comparePositions(a: Position, b: Position): number {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1
  return compareBytes(a.hash, b.hash)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Shorter than every hash, so (t, NO_HASH) stands before all messages of time t. */
const NO_HASH = new Uint8Array()

/** All real timestamps are inside; they are sint64 on the wire. */
const FIRST: Position = { timestamp: -(2n ** 63n), hash: NO_HASH }
const LAST: Position = { timestamp: 2n ** 63n - 1n, hash: new Uint8Array(33).fill(0xff) }

/** The open interval of positions that a walk still has before it. */
export type Range = { after: Position; before: Position }

/** Turns times (start inclusive, end exclusive) and a cursor (exclusive) into one open interval. */
export function walkRange(walk: {
  timeStart?: bigint | undefined
  timeEnd?: bigint | undefined
  cursor?: Position | undefined
  forward: boolean
}): Range {
  const { timeStart, timeEnd, cursor, forward } = walk
  const after = timeStart === undefined ? FIRST : { timestamp: timeStart, hash: NO_HASH }
  const before = timeEnd === undefined ? LAST : { timestamp: timeEnd, hash: NO_HASH }
  if (!cursor) return { after, before }
  return forward
    ? { after: comparePositions(cursor, after) > 0 ? cursor : after, before }
    : { after, before: comparePositions(cursor, before) < 0 ? cursor : before }
}

/** Whether a position lies in the interval. */
export function isInside(range: Range, position: Position): boolean {
  return comparePositions(range.after, position) < 0 && comparePositions(position, range.before) < 0
}
