import { PostriderError } from '@postrider/protocol/errors'
import type { Clock } from '../core/clock.ts'
import { encodeRecord, getRecord } from '../storage/records.ts'
import type { Storage, Write } from '../storage/types.ts'
import {
  DEFAULT_DAILY_BUDGET,
  DEFAULT_DEPOSIT,
  DEFAULT_MAX_DEPOSIT,
  MAX_CHANNEL_AMOUNT,
} from './constants.ts'
import type { Budget } from './types.ts'

const KEY = 'wallet/day'

type Day = { day: string; deposited: bigint }

/** What was deposited today. */
export interface DailyBudget {
  remaining(): bigint
  /**
   * Counts a deposit. The returned write must be on disk before the money moves.
   *
   * @throws PostriderError `CLIENT_BUDGET_EXCEEDED`
   */
  take(amount: bigint): Write
  /** Takes back a deposit that did not happen, on the same day. */
  giveBack(amount: bigint): Write
}

/** Fills in what the options leave out, and checks them. @throws PostriderError `CLIENT_OPTION_INVALID` */
export function checkBudget(options: Partial<Budget> = {}): Budget {
  const budget: Budget = {
    deposit: DEFAULT_DEPOSIT,
    maxDeposit: DEFAULT_MAX_DEPOSIT,
    daily: DEFAULT_DAILY_BUDGET,
    ...options,
  }
  const { deposit, maxDeposit, daily } = budget
  const fits = deposit > 0n && deposit <= maxDeposit && maxDeposit <= MAX_CHANNEL_AMOUNT && daily >= 0n
  if (fits) return budget
  throw new PostriderError('CLIENT_OPTION_INVALID', {
    detail: 'budget: 0 < deposit <= maxDeposit < 2^96, daily >= 0',
    data: { option: 'budget' },
  })
}

export async function openDailyBudget(
  components: { storage: Storage; clock: Clock },
  limit: bigint,
): Promise<DailyBudget> {
  const { storage, clock } = components
  const today = () => new Date(clock.nowMs()).toISOString().slice(0, 10)
  let saved: Day = (await getRecord<Day>(storage, KEY)) ?? { day: today(), deposited: 0n }
  const current = (): Day => (saved.day === today() ? saved : { day: today(), deposited: 0n })
  const remaining = () => {
    const rest = limit - current().deposited
    return rest > 0n ? rest : 0n
  }
  const set = (deposited: bigint): Write => {
    saved = { day: today(), deposited: deposited > 0n ? deposited : 0n }
    return { key: KEY, value: encodeRecord(saved) }
  }
  return {
    remaining,
    take(amount) {
      if (amount > remaining()) {
        const data = { limit: 'daily', needed: amount.toString(), remaining: remaining().toString() }
        throw new PostriderError('CLIENT_BUDGET_EXCEEDED', { detail: 'the daily budget', data })
      }
      return set(current().deposited + amount)
    },
    giveBack: (amount) => set(current().deposited - amount),
  }
}
