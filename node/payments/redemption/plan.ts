import type { Hex } from '@postrider/protocol/wire'
import { MAX_BATCH_CLAIMS } from '../constants.ts'

/** A channel with something to claim. */
export type Candidate = {
  channelId: Hex
  /** What a claim would add, base units; above 0. */
  owed: bigint
  /** The payer is leaving: what is not claimed soon is lost. */
  urgent: boolean
}

export type PlanOptions = {
  /** What each claim of a batch of this size costs, base units. */
  claimCost(batchSize: number): Promise<bigint>
  /** A claim is worth sending from this many times its cost; an urgent one as soon as it covers its cost. */
  gasMultiple: bigint
}

export type Plan = {
  /** Worth sending, most valuable first. */
  worth: Candidate[]
  /** What a claim had to be worth that is not urgent; base units. */
  threshold: bigint
}

/**
 * Chooses what is worth its gas. A claim is dearer in a small batch, so leaving some out may make others not
 * worth it; this repeats until nothing more falls out.
 */
export async function planClaims(candidates: readonly Candidate[], options: PlanOptions): Promise<Plan> {
  let worth = [...candidates].sort((a, b) => (a.owed < b.owed ? 1 : a.owed > b.owed ? -1 : 0))
  for (;;) {
    const cost = await options.claimCost(Math.min(Math.max(worth.length, 1), MAX_BATCH_CLAIMS))
    const threshold = cost * options.gasMultiple
    const kept = worth.filter(({ owed, urgent }) => owed >= (urgent ? cost : threshold))
    if (kept.length === worth.length) return { worth, threshold }
    worth = kept
  }
}

export type BatchOptions = {
  /** Claims in one batch; `MAX_BATCH_CLAIMS` when absent, and at most. */
  maxClaims?: number
  /** Least value of a batch without an urgent claim, base units; 0 when absent. */
  minValue?: bigint
}

/** Batches with the most valuable claims in the first; one that is worth too little is left for later. */
export function toBatches(claims: readonly Candidate[], options: BatchOptions = {}): Candidate[][] {
  const { maxClaims = MAX_BATCH_CLAIMS, minValue = 0n } = options
  const size = Math.min(maxClaims, MAX_BATCH_CLAIMS)
  const batches: Candidate[][] = []
  for (let at = 0; at < claims.length; at += size) {
    const batch = claims.slice(at, at + size)
    const value = batch.reduce((sum, { owed }) => sum + owed, 0n)
    if (value >= minValue || batch.some(({ urgent }) => urgent)) batches.push(batch)
  }
  return batches
}
