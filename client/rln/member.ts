import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { epochAt, type Identity, idRange, MAX_CLOCK_GAP_SECONDS } from '@postrider/protocol/rln'
import type { WakuMessage } from '@postrider/protocol/wire'
import type { ChainWriter } from '../chain/types.ts'
import { anySignal, throwIfAborted } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { toPostriderError } from '../core/errors.ts'
import { type AheadProver, createAheadProver } from './ahead.ts'
import { type IdAllocator, openIdAllocator } from './allocator.ts'
import { inputsFor, memberInputs, type ProvenMessage, proveMessage } from './attach.ts'
import { exportSecret, importIdentity, loadIdentity } from './identity.ts'
import type { Membership } from './membership.ts'
import {
  membershipState,
  type RegistrationComponents,
  registerIdentity,
  untilListed,
} from './registration.ts'
import type { MembershipState, ProofEngine, ProverProgress, RlnBudget } from './types.ts'

export type MemberComponents = RegistrationComponents & {
  network: Network
  clock: Clock
  engine: ProofEngine
  membership: Membership
  onProgress(progress: ProverProgress): void
  /** Something failed in the background. */
  onError(error: PostriderError): void
  /** Aborts when the client closes. */
  closing: AbortSignal
  /** Absent: the client has no wallet. */
  writer?: Pick<ChainWriter, 'registerMember' | 'leaveGroup' | 'withdrawMember'> | undefined
}

export type MemberOptions = {
  /** Which ids of the limit this device uses. */
  firstId: number
  idCount?: number | undefined
  /** Make the next proof ahead while idle. */
  proveAhead: boolean
}

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
  /**
   * Takes over an identity; it can send after the epochs that a message may have now. Two devices that use one message
   * id lose the deposit, so the client needs an id range of its own (`firstId` or `idCount`), unless `soleDevice` says
   * that no other device sends with the identity any more.
   *
   * @throws PostriderError `CLIENT_RLN_RANGE_REQUIRED`, `CLIENT_RLN_IDENTITY_EXISTS`, `RLN_VALUE_INVALID`,
   * `WIRE_VALUE_INVALID`
   */
  importIdentity(secret: string, options?: { soleDevice?: boolean }): Promise<MembershipState>
  /** The identity's secret, 32 bytes in hex: for another device with another id range, or a backup. */
  exportIdentity(): string
  /** Leaves the group; the deposit stays frozen for a time. */
  leave(): Promise<void>
  /** Takes the deposit back after the freeze. */
  withdraw(): Promise<void>
  state(): Promise<MembershipState>
  /** The budget on a topic now; undefined while the client is no member. */
  budget(pubsubTopic: string): Promise<RlnBudget | undefined>
  /** Where the next message is likely to be published: its proof may be made ahead. */
  expect(pubsubTopic: string): void
  /** Undefined when the client has no identity. Throws as `proveMessage`. */
  prove(pubsubTopic: string, message: WakuMessage, signal?: AbortSignal): Promise<ProvenMessage> | undefined
}

export function createMember(components: MemberComponents, options: MemberOptions): Member {
  const { network, storage, clock, engine, membership, reader, onProgress, closing } = components
  let identity: Identity | undefined
  /** By commitment. One identity has one id log in memory: a second one would not see what the first is about to write. */
  const logs = new Map<bigint, Promise<IdAllocator>>()
  let following: Promise<void> | undefined

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
  /** Another device may have sent with a timestamp that is ahead. */
  const newestPossibleEpoch = () =>
    epochAt(clock.nowMs() + MAX_CLOCK_GAP_SECONDS * 1000, network.epochSeconds)

  /** The id log, opened when the limit is known. */
  const ids = async ({ commitment }: Identity): Promise<IdAllocator> => {
    if (!membership.members().find(commitment)) await membership.sync()
    const member = membership.members().find(commitment)
    if (!member) throw new PostriderError('CLIENT_RLN_NOT_MEMBER')
    const range = idRange(member.limit, options.firstId, options.idCount)
    const opening = { commitment, range, epoch: newestPossibleEpoch() }
    const log = logs.get(commitment) ?? openIdAllocator(storage, opening)
    logs.set(commitment, log)
    log.catch(() => logs.delete(commitment))
    return log
  }
  const state = () => membershipState(reader, identity)
  const loadKeys = (signal = closing) => engine.prepare({ onProgress, signal })
  /** So that the first message does not wait for what its proof shares with the next ones. */
  const warm = () => {
    const own = memberInputs({ identity: mustIdentity(), members: membership.members() })
    if (!own) return
    engine.warm(own, { signal: closing }).catch((error) => {
      if (!closing.aborted) components.onError(toPostriderError(error, 'CLIENT_PROVER_FAILED'))
    })
  }
  const nextInputs = async (pubsubTopic: string) => {
    if (!identity || !membership.members().find(identity.commitment)) return undefined
    const epoch = currentEpoch()
    const messageId = (await ids(identity)).next(pubsubTopic, epoch)
    if (messageId === undefined) return undefined
    const parts = { identity, members: membership.members(), network }
    return inputsFor(parts, pubsubTopic, epoch)?.(messageId)
  }
  const ahead: AheadProver | undefined = options.proveAhead
    ? createAheadProver({ engine, clock, next: nextInputs, onError: components.onError })
    : undefined

  return {
    async start() {
      ahead?.start()
      identity = await loadIdentity(storage)
      if (!identity) return
      await follow()
      await loadKeys()
      warm()
    },
    async stop() {
      await ahead?.stop()
      if (following) await membership.stop()
      await engine.close()
    },
    follow,
    cost: (limit) => reader.membershipCost(limit),
    async register({ limit, signal }) {
      const transactions = writer()
      throwIfAborted(signal)
      const registered = await registerIdentity(components, transactions, limit)
      identity = registered
      await Promise.all([follow(), loadKeys(anySignal(closing, signal))])
      await untilListed(components, registered, signal)
      warm()
      return state()
    },
    async importIdentity(secret, { soleDevice = false } = {}) {
      const hasAllIds = options.firstId === 0 && options.idCount === undefined
      if (hasAllIds && !soleDevice) throw new PostriderError('CLIENT_RLN_RANGE_REQUIRED')
      const epoch = newestPossibleEpoch()
      identity = await importIdentity(storage, secret, epoch)
      await (await logs.get(identity.commitment))?.burn(epoch)
      await follow()
      return state()
    },
    exportIdentity: () => exportSecret(mustIdentity()),
    leave: async () => writer().leaveGroup(mustIdentity().commitment),
    withdraw: async () => writer().withdrawMember(mustIdentity().commitment),
    state,
    async budget(pubsubTopic) {
      if (!identity || !membership.members().find(identity.commitment)) return undefined
      const log = await ids(identity)
      const epoch = currentEpoch()
      const remaining = log.remaining(pubsubTopic, epoch)
      const limit = log.range.count
      const epochEndsAtMs = Number(epoch + 1n) * network.epochSeconds * 1000
      return { epoch, epochEndsAtMs, limit, remaining, used: limit - remaining }
    },
    expect: (pubsubTopic) => ahead?.expect(pubsubTopic),
    prove(pubsubTopic, message, signal) {
      const member = identity
      if (!member) return undefined
      return ids(member).then((log) => {
        const members = membership.members()
        const parts = { engine, ahead, identity: member, members, network, allocator: log }
        return proveMessage(parts, pubsubTopic, message, { signal, onProgress })
      })
    },
  }
}
