import type { Rewards, RewardsView } from '../api/types.ts'
import type { Slashing } from '../chain/slashings.ts'
import type { PaymentFigures } from '../payments/index.ts'
import { asOfChain } from './chain-readings.ts'
import { sameAddress } from './ledger.ts'
import { HELD_REASONS, heldReason } from './reasons.ts'
import type { Redemptions } from './redemptions.ts'
import type { NodeParts } from './types.ts'

type RewardsParts = Pick<NodeParts, 'config'> & {
  chain: Pick<NodeParts['chain'], 'follower' | 'slashings' | 'sender'>
  payments: Pick<NodeParts['payments'], 'figures'>
}

type Source = Rewards['sources'][number]

export function createRewardsView(
  { chain, payments, config }: RewardsParts,
  redemptions: Pick<Redemptions, 'estimate'>,
): RewardsView {
  return {
    async summary() {
      const { ready, manual } = payments.figures().pendingParts
      const fee = await redemptions.estimate(ready.channels + manual.channels)
      // Read again after waiting for the chain: all of one answer belongs to one moment.
      const sources = [
        channelRewards(payments.figures(), fee),
        slashingRewards(chain.slashings.all(), chain.sender.address),
      ]
      return { asOf: asOfChain(chain), mode: config.redeem.mode, total: totalOf(sources), sources }
    },
  }
}

/** What channels brought; earned = claimed + pending, and pending = redeemable + all that is held. */
export function channelRewards(
  { redeemed, pending, redeemable, pendingParts }: PaymentFigures,
  fee: bigint | null,
): Source {
  const held = HELD_REASONS.flatMap((name) => {
    const { amount, channels: items } = pendingParts[name]
    const reason = heldReason(name)
    return amount > 0n && reason ? [{ amount, items, reason }] : []
  })
  return {
    source: 'channels',
    earned: redeemed + pending,
    claimed: redeemed,
    pending,
    redeemable,
    fee,
    held,
  }
}

/** What slashing brought; the contract pays at the reveal, so nothing is ever pending. */
export function slashingRewards(slashings: readonly Slashing[], account: string): Source {
  const earned = slashings
    .filter(({ receiver }) => sameAddress(receiver, account))
    .reduce((sum, { reward }) => sum + reward, 0n)
  return { source: 'slashing', earned, claimed: earned, pending: 0n, redeemable: 0n, fee: 0n, held: [] }
}

/** The sums over all sources. */
export function totalOf(sources: readonly Source[]): Rewards['total'] {
  const sum = (pick: (source: Source) => bigint) =>
    sources.reduce((total, source) => total + pick(source), 0n)
  return {
    earned: sum(({ earned }) => earned),
    claimed: sum(({ claimed }) => claimed),
    pending: sum(({ pending }) => pending),
    redeemable: sum(({ redeemable }) => redeemable),
  }
}
