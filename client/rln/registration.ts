import { PostriderError } from '@postrider/protocol/errors'
import type { Identity } from '@postrider/protocol/rln'
import type { ChainReader, ChainWriter, Keep } from '../chain/types.ts'
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import type { Storage } from '../storage/types.ts'
import { REGISTRATION_POLL_MS, REGISTRATION_TIMEOUT_MS } from './constants.ts'
import { loadOrCreateIdentity, retireIdentity } from './identity.ts'
import type { Membership } from './membership.ts'
import type { MembershipState } from './types.ts'

export type RegistrationComponents = {
  storage: Storage
  random: Random
  reader: Pick<ChainReader, 'member' | 'membershipCost'>
  /** Sends the registration within the wallet's budget; not again where an earlier one may still be mined. */
  pay(commitment: bigint, amount: bigint, send: (keep: Keep) => Promise<void>): Promise<void>
}

/**
 * Registers the identity of this storage, or a new one, if it is not registered yet. The secret is on disk before
 * the transaction leaves, so that a call after a crash finishes what was begun.
 *
 * @throws PostriderError `CLIENT_RLN_NOT_MEMBER` while the membership is being left, `CLIENT_BUDGET_EXCEEDED`, what
 * transactions throw
 */
export async function registerIdentity(
  components: RegistrationComponents,
  writer: Pick<ChainWriter, 'registerMember'>,
  limit: number,
): Promise<Identity> {
  const { reader, pay } = components
  const identity = await freshIdentity(components)
  const { commitment } = identity
  const { status } = await reader.member(commitment)
  if (status === 'leaving') {
    throw new PostriderError('CLIENT_RLN_NOT_MEMBER', { detail: 'the membership is being left' })
  }
  if (status !== 'none') return identity
  const { deposit, burnt } = await reader.membershipCost(limit)
  const cost = deposit + burnt
  await pay(commitment, cost, (keep) => writer.registerMember(commitment, limit, cost, keep))
  return identity
}

/** The identity to register: a used-up one (withdrawn or slashed) is put aside, as none is registered twice. */
async function freshIdentity({ storage, random, reader }: RegistrationComponents): Promise<Identity> {
  const known = await loadOrCreateIdentity(storage, random)
  const { status } = await reader.member(known.commitment)
  if (status !== 'withdrawn' && status !== 'slashed') return known
  await retireIdentity(storage, known)
  return loadOrCreateIdentity(storage, random)
}

/** Waits until the member list shows the member. @throws PostriderError `CLIENT_TIMEOUT`, the signal's reason */
export async function untilListed(
  { membership, clock }: { membership: Membership; clock: Clock },
  { commitment }: Identity,
  signal?: AbortSignal,
): Promise<void> {
  const untilMs = clock.nowMs() + REGISTRATION_TIMEOUT_MS
  for (;;) {
    await membership.sync()
    if (membership.members().find(commitment)) return
    if (clock.nowMs() > untilMs) throw new PostriderError('CLIENT_TIMEOUT', { detail: 'the registration' })
    await clock.sleep(REGISTRATION_POLL_MS, signal)
  }
}

/** What the contract says of an identity. */
export async function membershipState(
  reader: Pick<ChainReader, 'member'>,
  identity: Identity | undefined,
): Promise<MembershipState> {
  if (!identity) return { status: 'none' }
  const { commitment } = identity
  const { status, index, limit, withdrawableAt } = await reader.member(commitment)
  return status === 'none' ? { status, commitment } : { status, commitment, index, limit, withdrawableAt }
}
