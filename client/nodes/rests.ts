import type { Address } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import { BACKOFF_MAX_MS, BACKOFF_START_MS } from './constants.ts'

/** Pauses for nodes that failed: each failure in a row doubles the pause. */
export interface Rests {
  isResting(operator: Address): boolean
  failed(operator: Address): void
  served(operator: Address): void
}

export function createRests(clock: Clock): Rests {
  const rests = new Map<Address, { untilMs: number; failures: number }>()
  return {
    isResting: (operator) => (rests.get(operator)?.untilMs ?? 0) > clock.nowMs(),
    failed(operator) {
      const failures = (rests.get(operator)?.failures ?? 0) + 1
      const ms = Math.min(BACKOFF_START_MS * 2 ** (failures - 1), BACKOFF_MAX_MS)
      rests.set(operator, { failures, untilMs: clock.nowMs() + ms })
    },
    served: (operator) => void rests.delete(operator),
  }
}
