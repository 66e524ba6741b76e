import { epochAt, ROOT_WINDOW } from '@postrider/protocol/rln'
import type { RlnState, RlnView } from '../api/types.ts'
import type { MemberState } from '../chain/operator.ts'
import { asOfChain, type ChainReadings } from './chain-readings.ts'
import type { NodeParts } from './types.ts'

export type RlnParts = Pick<NodeParts, 'base' | 'keys' | 'own'> & {
  chain: Pick<NodeParts['chain'], 'follower' | 'membership' | 'slashings'>
  relay: Pick<NodeParts['relay'], 'stats'>
}

export function createRlnView(parts: RlnParts, { member }: Pick<ChainReadings, 'member'>): RlnView {
  const { base, keys, chain, relay } = parts
  const { epochSeconds } = keys.network

  return {
    async state() {
      const contract = await member?.get()
      const { membership } = chain
      const { nullifiers, maxNullifiers, epochs } = relay.stats()
      const epoch = epochOf(base.clock.nowMs(), epochSeconds)
      return {
        asOf: asOfChain(chain),
        membership: membershipOf(parts, contract),
        epoch,
        budget: await budgetOf(parts, epoch.number),
        tree: {
          root: membership.root(),
          members: membership.members(),
          rootsKnown: membership.knownRoots(),
          rootsLimit: ROOT_WINDOW,
          accumulator: membership.accumulator(),
        },
        nullifiers: { entries: nullifiers, limit: maxNullifiers, epochs },
      }
    },
  }
}

/** The epoch at a time, and its bounds. */
export function epochOf(nowMs: number, epochSeconds: number): RlnState['epoch'] {
  const number = epochAt(nowMs, epochSeconds)
  const startsAt = Number(number) * epochSeconds * 1000
  return { number, startsAt, endsAt: startsAt + epochSeconds * 1000 }
}

/** Ids left to the node's own membership in an epoch; null without an active one. */
export async function budgetOf(
  { own, chain }: Pick<RlnParts, 'own'> & { chain: Pick<RlnParts['chain'], 'membership'> },
  epoch: bigint,
): Promise<RlnState['budget']> {
  if (!own || !chain.membership.member(own.commitment)) return null
  const { first, count } = own.range
  const remaining = await own.ids.remaining(epoch)
  return { limit: count, used: count - remaining, remaining, firstId: first }
}

/** The own membership: who is in the group is known from events, the rest from the contract when it answers. */
export function membershipOf(
  { own, chain }: Pick<RlnParts, 'own' | 'chain'>,
  contract: MemberState | undefined,
): RlnState['membership'] {
  if (!own) {
    return { state: 'none', index: null, commitment: null, limit: null, deposit: null, releasedAt: null }
  }
  const { commitment, limit } = own
  const member = chain.membership.member(commitment)
  const slashing = chain.slashings.of(commitment)
  const common = { commitment, limit, deposit: null, releasedAt: null }
  if (slashing) return { ...common, state: 'slashed', index: slashing.index }
  if (member) return { ...common, ...member, state: 'active', deposit: contract?.deposit ?? null }
  if (contract?.status === 'leaving' || contract?.status === 'withdrawn') {
    const leaving = contract.status === 'leaving'
    return {
      ...common,
      state: contract.status,
      index: contract.index,
      deposit: leaving ? contract.deposit : null,
      releasedAt: leaving ? contract.withdrawableAt * 1000 : null,
    }
  }
  return { ...common, state: 'pending', index: null }
}
