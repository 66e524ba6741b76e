import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { epochAt, type Identity, idRange } from '@postrider/protocol/rln'
import type { WakuMessage } from '@postrider/protocol/wire'
import type { ChainReader, ChainWriter } from '../chain/types.ts'
import { throwIfAborted } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import type { Storage } from '../storage/types.ts'
import { type IdAllocator, openIdAllocator } from './allocator.ts'
import { type ProvenMessage, proveMessage } from './attach.ts'
import { REGISTRATION_POLL_MS, REGISTRATION_TIMEOUT_MS } from './constants.ts'
import {
  exportSecret,
  importIdentity,
  loadIdentity,
  loadOrCreateIdentity,
  retireIdentity,
} from './identity.ts'
import type { Membership } from './membership.ts'
import type { MembershipState, ProofEngine, RlnBudget } from './types.ts'

export type MemberComponents = {
  network: Network
  storage: Storage
  clock: Clock
  random: Random
  engine: ProofEngine
  membership: Membership
  reader: Pick<ChainReader, 'member' | 'membershipCost'>
  /** Absent: the client has no wallet. */
  writer?: Pick<ChainWriter, 'registerMember' | 'leaveGroup' | 'withdrawMember'> | undefined
  /** Notes in the client's ledger what registering cost. */
  onPaid(amount: bigint): Promise<void>
}

/** Which ids of the limit this device uses. */
export type MemberOptions = { firstId: number; idCount?: number | undefined }

/** This client as a member of the rate-limiting group. */
export interface Member {
  start(): Promise<void>
  stop(): Promise<void>
  /** Follows the member list from now on, as checking proofs needs, with or without an identity. */
  follow(): Promise<void>
  /** What `register` would cost, base units: the part that is paid back and the part that is burnt. */
  cost(limit: number): Promise<{ deposit: bigint; burnt: bigint }>
  /**
   * Registers (or finishes a registration that was begun) and waits until the list shows it.
   *
   * @throws PostriderError `CLIENT_WALLET_REQUIRED`, `CLIENT_RLN_NOT_MEMBER` (while a membership is being left),
   * `CLIENT_TIMEOUT`, what transactions throw
   */
  register(options: { limit: number; signal?: AbortSignal }): Promise<MembershipState>
  /** Takes over an identity; it can send from the next epoch on. Throws as `importIdentity`. */
  importIdentity(secret: string): Promise<MembershipState>
  /** The identity's secret, 32 bytes in hex: for another device with another id range, or a backup. */
  exportIdentity(): string
  /** Leaves the group; the deposit stays frozen for a time. */
  leave(): Promise<void>
  /** Takes the deposit back after the freeze. */
  withdraw(): Promise<void>
  state(): Promise<MembershipState>
  /** The budget on a topic now; undefined while the client is no member. */
  budget(pubsubTopic: string): Promise<RlnBudget | undefined>
  /** Undefined when the client has no identity. Throws as `proveMessage`. */
  prove(pubsubTopic: string, message: WakuMessage, signal?: AbortSignal): Promise<ProvenMessage> | undefined
}

export function createMember(components: MemberComponents, options: MemberOptions): Member {
  const { network, storage, clock, engine, membership, reader, onPaid } = components
  let identity: Identity | undefined
  let allocator: Promise<IdAllocator> | undefined
  let following: Promise<void> | undefined

  // One identity has one id log in memory: a second one would not see what the first is about to write.
  const use = (next: Identity) => {
    if (identity?.commitment !== next.commitment) allocator = undefined
    identity = next
  }
  const mustIdentity = (): Identity => {
    if (!identity) throw new PostriderError('CLIENT_RLN_NO_IDENTITY')
    return identity
  }
  const writer = () => {
    if (!components.writer) throw new PostriderError('CLIENT_WALLET_REQUIRED', { detail: 'membership' })
    return components.writer
  }
  const follow = () => {
    following ??= membership.start()
    return following
  }
  const currentEpoch = () => epochAt(clock.nowMs(), network.epochSeconds)

  /** The id log, opened when the limit is known. */
  const ids = async (): Promise<IdAllocator> => {
    const { commitment } = mustIdentity()
    if (!membership.members().find(commitment)) await membership.sync()
    const member = membership.members().find(commitment)
    if (!member) throw new PostriderError('CLIENT_RLN_NOT_MEMBER')
    const range = idRange(member.limit, options.firstId, options.idCount)
    allocator ??= openIdAllocator(storage, { commitment, range })
    return allocator
  }
  const state = async (): Promise<MembershipState> => {
    if (!identity) return { status: 'none' }
    const { commitment } = identity
    const { status, index, limit, withdrawableAt } = await reader.member(commitment)
    return status === 'none' ? { status, commitment } : { status, commitment, index, limit, withdrawableAt }
  }
  const untilListed = async (signal?: AbortSignal) => {
    const { commitment } = mustIdentity()
    const untilMs = clock.nowMs() + REGISTRATION_TIMEOUT_MS
    for (;;) {
      await membership.sync()
      if (membership.members().find(commitment)) return
      if (clock.nowMs() > untilMs) throw new PostriderError('CLIENT_TIMEOUT', { detail: 'the registration' })
      await clock.sleep(REGISTRATION_POLL_MS, signal)
    }
  }

  return {
    async start() {
      identity = await loadIdentity(storage)
      if (!identity) return
      await follow()
      await engine.prepare()
    },
    async stop() {
      if (following) await membership.stop()
      await engine.close()
    },
    follow,
    cost: (limit) => reader.membershipCost(limit),
    async register({ limit, signal }) {
      const transactions = writer()
      throwIfAborted(signal)
      use(await freshIdentity(components))
      const { commitment } = mustIdentity()
      const { status } = await reader.member(commitment)
      if (status === 'leaving')
        throw new PostriderError('CLIENT_RLN_NOT_MEMBER', { detail: 'it is being left' })
      if (status === 'none') {
        const { deposit, burnt } = await reader.membershipCost(limit)
        await transactions.registerMember(commitment, limit, deposit + burnt)
        await onPaid(deposit + burnt)
      }
      await Promise.all([follow(), engine.prepare()])
      await untilListed(signal)
      return state()
    },
    async importIdentity(secret) {
      use(await importIdentity(storage, secret, currentEpoch()))
      await (await allocator)?.burn(currentEpoch())
      await follow()
      return state()
    },
    exportIdentity: () => exportSecret(mustIdentity()),
    leave: async () => writer().leaveGroup(mustIdentity().commitment),
    withdraw: async () => writer().withdrawMember(mustIdentity().commitment),
    state,
    async budget(pubsubTopic) {
      if (!identity || !membership.members().find(identity.commitment)) return undefined
      const log = await ids()
      const epoch = currentEpoch()
      const remaining = log.remaining(pubsubTopic, epoch)
      const limit = log.range.count
      const epochEndsAtMs = Number(epoch + 1n) * network.epochSeconds * 1000
      return { epoch, epochEndsAtMs, limit, remaining, used: limit - remaining }
    },
    prove(pubsubTopic, message, signal) {
      const member = identity
      if (!member) return undefined
      return ids().then((log) => {
        const parts = { engine, identity: member, members: membership.members(), network, allocator: log }
        return proveMessage(parts, pubsubTopic, message, signal)
      })
    },
  }
}

/** The identity to register: a used-up one (withdrawn or slashed) is put aside, as none is registered twice. */
async function freshIdentity({ storage, random, reader }: MemberComponents): Promise<Identity> {
  const known = await loadOrCreateIdentity(storage, random)
  const { status } = await reader.member(known.commitment)
  if (status !== 'withdrawn' && status !== 'slashed') return known
  await retireIdentity(storage, known)
  return loadOrCreateIdentity(storage, random)
}
