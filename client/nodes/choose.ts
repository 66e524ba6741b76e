import { LATE_WEIGHT, SCORE_PRIOR, SCORE_STEPS } from './constants.ts'
import type { NodeCounts, Scores } from './types.ts'

/** Local experience only: the share of requests served well, with a prior for nodes that are hardly known. */
export const localScores: Scores = {
  of: (_, counts) => successRatio(counts),
}

function successRatio({ served, failed, late }: NodeCounts): number {
  const good = served + SCORE_PRIOR
  return good / (good + failed + late * LATE_WEIGHT)
}

/** Stake times score; at least 1, so that nobody who is registered is left out for ever. */
export function weightOf(stake: bigint, score: number): bigint {
  const steps = BigInt(Math.round(Math.min(Math.max(score, 0), 1) * SCORE_STEPS))
  const weight = (stake * steps) / BigInt(SCORE_STEPS)
  return weight > 0n ? weight : 1n
}

const FRACTION_STEPS = 2 ** 32

/** One of the items at random, in proportion to its weight; undefined if there is none. `fraction` is in [0, 1). */
export function pickWeighted<T>(
  items: readonly T[],
  weight: (item: T) => bigint,
  fraction: number,
): T | undefined {
  const total = items.reduce((sum, item) => sum + weight(item), 0n)
  let rest = (total * BigInt(Math.floor(fraction * FRACTION_STEPS))) / BigInt(FRACTION_STEPS)
  for (const item of items) {
    rest -= weight(item)
    if (rest < 0n) return item
  }
  return undefined
}
