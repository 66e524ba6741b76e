import type { Clock } from '../clock.ts'
import {
  MAX_PENALISED_PEERS,
  PENALTY_BAN_POINTS,
  PENALTY_HALF_LIFE_MS,
  PENALTY_PARDON_POINTS,
  PENALTY_SCORE_WEIGHT,
} from './constants.ts'

/**
 * What peers did wrong, by peer id. Gossipsub forgets its own counters when a peer reconnects; this book does
 * not, it only forgives with time.
 */
export type PenaltyBook = {
  /** Adds points; returns true when this starts a ban. A ban lasts until the points fall below the pardon. */
  add(peer: string, points: number): boolean
  /** Points left after forgiveness. */
  points(peer: string): number
  /** The peer's part of the gossip score, zero or negative. */
  score(peer: string): number
  banned(peer: string): boolean
  size(): number
}

type Entry = { points: number; atMs: number; banned: boolean }

export function createPenaltyBook(clock: Clock): PenaltyBook {
  const entries = new Map<string, Entry>()

  const points = (peer: string): number => {
    const entry = entries.get(peer)
    if (!entry) return 0
    const elapsedMs = Math.max(0, clock.nowMs() - entry.atMs)
    return entry.points * 2 ** (-elapsedMs / PENALTY_HALF_LIFE_MS)
  }

  const banned = (peer: string): boolean =>
    (entries.get(peer)?.banned ?? false) && points(peer) >= PENALTY_PARDON_POINTS

  return {
    add(peer, added) {
      const wasBanned = banned(peer)
      const after = points(peer) + added
      entries.delete(peer) // re-inserting keeps the map in order of the last offence
      if (entries.size >= MAX_PENALISED_PEERS) {
        const oldest = entries.keys().next()
        if (!oldest.done) entries.delete(oldest.value)
      }
      const isBanned = wasBanned || after >= PENALTY_BAN_POINTS
      entries.set(peer, { points: after, atMs: clock.nowMs(), banned: isBanned })
      return isBanned && !wasBanned
    },
    points,
    score: (peer) => (entries.has(peer) ? PENALTY_SCORE_WEIGHT * points(peer) ** 2 : 0),
    banned,
    size: () => entries.size,
  }
}
