import { z } from 'zod'
import { address, asOfBlock, count, postAmount, timestamp } from './common.ts'

export const stakeState = z
  .object({
    asOf: asOfBlock,
    account: address,
    state: z.enum(['none', 'active', 'below-minimum', 'exiting']).describe('none: not registered'),
    staked: postAmount,
    minimum: postAmount.nullable().describe('Least stake of an active node; null while the chain is away'),
    spendable: postAmount.nullable().describe('What the account could add; null while the chain is away'),
    locks: count.describe('Open disputes that hold the stake'),
    withdrawal: address.nullable().describe('The cold account that stake is paid to'),
    pendingWithdrawal: address.nullable().describe('Proposed, and not confirmed by its own key yet'),
    unbondingSeconds: count.nullable().describe('From an announced exit to the withdrawal'),
    withdrawableAt: timestamp.nullable().describe('exiting: when the stake can be withdrawn'),
    endpoints: z.array(z.string()).describe('Where clients are told to dial'),
  })
  .meta({ id: 'Stake', description: "The node's stake in the registry" })
