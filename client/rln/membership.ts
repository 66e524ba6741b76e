import { PostriderError } from '@postrider/protocol/errors'
import type { ChainReader, MembershipHead } from '../chain/types.ts'
import type { Clock } from '../core/clock.ts'
import { toPostriderError } from '../core/errors.ts'
import { createMutex } from '../core/mutex.ts'
import type { Storage } from '../storage/types.ts'
import { MEMBERSHIP_POLL_MS, MEMBERSHIP_SAVE_MS } from './constants.ts'
import { createMembers, foldAccumulator, type Members, restoreMembers } from './members.ts'

const KEY = 'rln/members'

export type MembershipOptions = {
  /** The block of the deployment. */
  deployBlock: number
  /** Blocks behind the newest one at which the list is read. */
  confirmations: number
}

/** The member list of the contract, followed. */
export interface Membership {
  /** Loads the saved list, brings it up to date and goes on following. */
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * Reads up to the newest block now.
   *
   * @throws PostriderError `CLIENT_MEMBERSHIP_MISMATCH`, `CLIENT_CHAIN_UNAVAILABLE`
   */
  sync(): Promise<void>
  members(): Members
}

/**
 * Follows the membership events and checks them against the contract's running hash at the same block, so that
 * an endpoint that leaves out, invents or reorders events is found out. After a reorganisation, or any other
 * mismatch, the list is built again from the first block.
 */
export function createMembership(
  components: { chain: ChainReader; storage: Storage; clock: Clock; onError(error: PostriderError): void },
  options: MembershipOptions,
): Membership {
  const { chain, storage, clock, onError } = components
  const turn = createMutex()
  const stopped = new AbortController()
  const first = BigInt(options.deployBlock)
  let members = createMembers()
  let next = first
  let savedAtMs = 0
  let unsaved = false

  const advance = async (head: MembershipHead): Promise<boolean> => {
    if (head.accumulator === members.accumulator()) return step(head)
    const changes = next <= head.block ? await chain.membershipChanges(next, head.block) : []
    if (foldAccumulator(members.accumulator(), changes) !== head.accumulator) return false
    members.apply(changes)
    unsaved = true
    return step(head)
  }
  const step = (head: MembershipHead): boolean => {
    if (head.block >= next) next = head.block + 1n
    return true
  }
  const reload = async (head: MembershipHead) => {
    members = createMembers()
    next = first
    if (!(await advance(head))) throw new PostriderError('CLIENT_MEMBERSHIP_MISMATCH')
  }
  const save = async () => {
    if (!unsaved) return
    unsaved = false
    savedAtMs = clock.nowMs()
    await storage.put(KEY, members.save(next - 1n))
  }
  const sync = () =>
    turn.run(async () => {
      const head = await chain.membershipHead(options.confirmations)
      if (!(await advance(head))) await reload(head)
      if (clock.nowMs() - savedAtMs >= MEMBERSHIP_SAVE_MS) await save()
    })
  const syncQuietly = () =>
    sync().catch((error) => onError(toPostriderError(error, 'CLIENT_CHAIN_UNAVAILABLE')))
  const load = async () => {
    const bytes = await storage.get(KEY)
    if (!bytes) return
    const restored = restoreMembers(bytes)
    members = restored.members
    next = restored.block + 1n
  }
  const follow = async () => {
    for (;;) {
      await clock.sleep(MEMBERSHIP_POLL_MS, stopped.signal)
      await syncQuietly()
    }
  }
  let following: Promise<unknown> = Promise.resolve()

  return {
    async start() {
      await load()
      // Without the chain the saved list may still do; the next round tries again.
      await syncQuietly()
      following = follow().catch(() => undefined)
    },
    async stop() {
      stopped.abort()
      await following
      await turn.run(save)
    },
    sync,
    members: () => members,
  }
}
