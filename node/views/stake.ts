import type { StakeView } from '../api/types.ts'
import { asOfChain, type ChainReadings } from './chain-readings.ts'
import { stakeOf } from './node.ts'
import type { NodeParts } from './types.ts'

type StakeParts = { chain: Pick<NodeParts['chain'], 'follower' | 'registry' | 'sender'> }

export function createStakeView(
  { chain }: StakeParts,
  { operator }: Pick<ChainReadings, 'operator'>,
): StakeView {
  const account = chain.sender.address
  return {
    async state() {
      const known = await operator.get()
      const node = chain.registry.node(account)
      const { state, staked, locks, withdrawableAt } = stakeOf(node, known?.minimumStake ?? 0n)
      return {
        asOf: asOfChain(chain),
        account,
        state,
        staked,
        minimum: known?.minimumStake ?? null,
        spendable: known?.post ?? null,
        locks,
        withdrawal: node?.withdrawal ?? null,
        pendingWithdrawal: node?.pendingWithdrawal ?? null,
        unbondingSeconds: known?.unbondingSeconds ?? null,
        withdrawableAt,
        endpoints: [...(node?.endpoints ?? [])],
      }
    },
  }
}
