import type { Rewards, RewardsView } from '../api/types.ts'
import { slashReward } from '../chain/operator.ts'
import type { Slashing } from '../chain/slashings.ts'
import type { PaymentFigures } from '../payments/index.ts'
import { asOfChain, type ChainReadings } from './chain-readings.ts'
import { sameAddress } from './ledger.ts'
import { HELD_REASONS, heldReason } from './reasons.ts'
import type { Redemptions } from './redemptions.ts'
import { OPEN_SLASH_STATES } from './slashing.ts'
import type { NodeParts } from './types.ts'

type RewardsParts = Pick<NodeParts, 'config'> & {
  chain: Pick<NodeParts['chain'], 'follower' | 'membership' | 'slashings' | 'sender'>
  evidence: Pick<NodeParts['evidence'], 'list'>
  payments: Pick<NodeParts['payments'], 'claimThreshold' | 'figures'>
}

type Source = Rewards['sources'][number]

/** The claim of a slashing is its reveal, which the node sends by itself. */
const REVEAL_PENDING = { code: 'reveal-pending', text: 'the node reveals them itself, if no other is first' }

export function createRewardsView(
  { chain, payments, evidence, config }: RewardsParts,
  { operator }: Pick<ChainReadings, 'operator'>,
  redemptions: Pick<Redemptions, 'estimate'>,
): RewardsView {
  /** What the open cases will bring if no other node is first: one amount a case. */
  const expected = async (): Promise<bigint[]> => {
    const cases = await evidence.list({ states: OPEN_SLASH_STATES })
    const terms = (await operator.get())?.membership
    return cases.flatMap(({ commitment }) => {
      const member = chain.membership.member(commitment)
      return member && terms ? [slashReward(member.limit, terms)] : []
    })
  }

  return {
    async summary() {
      const cases = await expected()
      const { ready, manual } = payments.figures().pendingParts
      const fee = await redemptions.estimate(ready.channels + manual.channels)
      // Read again after waiting for the chain: all of one answer belongs to one moment.
      const sources = [
        channelRewards(payments.figures(), { fee, threshold: payments.claimThreshold() }),
        slashingRewards(chain.slashings.all(), chain.sender.address, cases),
      ]
      return { asOf: asOfChain(chain), mode: config.redeem.mode, total: totalOf(sources), sources }
    },
  }
}

/** What channels brought; earned = claimed + pending, and pending = redeemable + all that is held. */
export function channelRewards(
  { redeemed, pending, redeemable, pendingParts }: PaymentFigures,
  { fee, threshold }: { fee: bigint | null; threshold: bigint },
): Source {
  const held = HELD_REASONS.flatMap((name) => {
    const { amount, channels: items } = pendingParts[name]
    const reason = heldReason(name, threshold)
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

/** What slashing brought, and what the open cases will bring; the contract pays at the reveal. */
export function slashingRewards(
  slashings: readonly Slashing[],
  account: string,
  open: readonly bigint[],
): Source {
  const claimed = slashings
    .filter(({ receiver }) => sameAddress(receiver, account))
    .reduce((sum, { reward }) => sum + reward, 0n)
  const pending = open.reduce((sum, reward) => sum + reward, 0n)
  return {
    source: 'slashing',
    earned: claimed + pending,
    claimed,
    pending,
    redeemable: 0n,
    fee: 0n,
    held: pending > 0n ? [{ amount: pending, items: open.length, reason: REVEAL_PENDING }] : [],
  }
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
