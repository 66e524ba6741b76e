import { PostriderError } from '@postrider/protocol/errors'
import { DEFAULT_MAX_FEE_PER_GAS } from '../chain/constants.ts'
import {
  DEFAULT_DAILY_BUDGET,
  DEFAULT_DEPOSIT,
  DEFAULT_MAX_DEPOSIT,
  MAX_CHANNEL_AMOUNT,
} from './constants.ts'
import type { Budget } from './types.ts'

/** Fills in what the options leave out, and checks them. @throws PostriderError `CLIENT_OPTION_INVALID` */
export function checkBudget(options: Partial<Budget> = {}): Budget {
  const budget: Budget = {
    deposit: DEFAULT_DEPOSIT,
    maxDeposit: DEFAULT_MAX_DEPOSIT,
    daily: DEFAULT_DAILY_BUDGET,
    maxFeePerGas: DEFAULT_MAX_FEE_PER_GAS,
    ...options,
  }
  const { deposit, maxDeposit, daily, maxFeePerGas } = budget
  const fits = deposit > 0n && deposit <= maxDeposit && maxDeposit <= MAX_CHANNEL_AMOUNT && daily >= 0n
  if (fits && maxFeePerGas > 0n) return budget
  throw new PostriderError('CLIENT_OPTION_INVALID', {
    detail: 'budget: 0 < deposit <= maxDeposit < 2^96, daily >= 0, maxFeePerGas > 0',
    data: { option: 'budget' },
  })
}
