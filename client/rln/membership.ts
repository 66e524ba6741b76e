import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { MembershipChange } from '@postrider/protocol/rln'
import type { ChainReader, MembershipHead } from '../chain/types.ts'
import { throwIfAborted } from '../core/abort.ts'
import { breathe } from '../core/breathe.ts'
import type { Clock } from '../core/clock.ts'
import { toPostriderError } from '../core/errors.ts'
import { createMutex } from '../core/mutex.ts'
import type { Storage } from '../storage/types.ts'
import {
  BUILD_SLICE,
  MEMBERSHIP_POLL_MS,
  MEMBERSHIP_SAVE_MS,
  ROOT_HISTORY,
  SAVE_AFTER_CHANGES,
  SAVE_AFTER_SHARE,
} from './constants.ts'
import { createListReader } from './list-reader.ts'
import { createMembers, type Members, restoreMembers } from './members.ts'
import type { ChangeSources } from './sources.ts'

const KEY = 'rln/members'

export type MembershipComponents = {
  chain: Pick<ChainReader, 'membershipHead' | 'membershipChanges'>
  storage: Storage
  clock: Clock
  /** Who else may be asked for the list; absent: only the chain. */
  sources?: ChangeSources
  onError(error: PostriderError): void
}

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
 * Follows the membership and checks it against the contract's running hash at the same block, so that whoever leaves
 * out, invents or reorders changes is found out. A whole list, or what was missed in a long absence, comes from a
 * node; without one, and for what is new, the contract's events are read. After a reorganisation, or any other
 * mismatch, the list is built again from the first block.
 */
export function createMembership(components: MembershipComponents, options: MembershipOptions): Membership {
  const { chain, storage, clock, onError, sources = () => [] } = components
  const reader = createListReader({ chain, sources })
  const turn = createMutex()
  const stopped = new AbortController()
  const first = BigInt(options.deployBlock)
  let members = createMembers()
  let next = first
  let saved = { atMs: 0, changes: 0, accumulator: members.accumulator() }

  /** Brings `base` to the head; false if it is not the beginning of the contract's list. */
  const advance = async (base: Members, head: MembershipHead): Promise<boolean> => {
    const from = { accumulator: base.accumulator(), changes: base.changes() }
    const changes = await reader.read(from, next, head, stopped.signal)
    if (changes === undefined) return false
    members = await extend(base, changes, stopped.signal)
    if (head.block >= next) next = head.block + 1n
    return true
  }
  const reload = async (head: MembershipHead) => {
    next = first
    if (!(await advance(createMembers(), head))) throw new PostriderError('CLIENT_MEMBERSHIP_MISMATCH')
  }
  const isSaved = () => {
    saved = { atMs: clock.nowMs(), changes: members.changes(), accumulator: members.accumulator() }
  }
  const save = async () => {
    if (members.accumulator() === saved.accumulator) return
    isSaved()
    await storage.put(KEY, members.save(next - 1n))
  }
  const saveIfDue = async () => {
    const behind = Math.abs(members.changes() - saved.changes)
    const due = Math.max(SAVE_AFTER_CHANGES, members.changes() * SAVE_AFTER_SHARE)
    if (saved.changes === 0 || (behind >= due && clock.nowMs() - saved.atMs >= MEMBERSHIP_SAVE_MS))
      await save()
  }
  const sync = () =>
    turn.run(async () => {
      const head = await chain.membershipHead(options.confirmations)
      if (!(await advance(members, head))) await reload(head)
      await saveIfDue()
    })
  const syncQuietly = () =>
    sync().catch((error) => onError(toPostriderError(error, 'CLIENT_CHAIN_UNAVAILABLE')))
  const load = async () => {
    const bytes = await storage.get(KEY)
    if (!bytes) return
    try {
      const restored = restoreMembers(bytes)
      members = restored.members
      next = restored.block + 1n
      isSaved()
    } catch (error) {
      // It is a cache: the chain has the original.
      if (!isPostriderError(error)) throw error
      onError(error)
    }
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

/** The list after some more changes. Many are hashed in slices, in a list that nobody sees before it is complete. */
async function extend(
  base: Members,
  changes: readonly MembershipChange[],
  signal: AbortSignal,
): Promise<Members> {
  if (changes.length <= BUILD_SLICE) {
    base.apply(changes)
    return base
  }
  const grown = base.changes() === 0 ? createMembers() : restoreMembers(base.save(0n)).members
  const bulk = changes.length - ROOT_HISTORY
  for (let at = 0; at < bulk; at += BUILD_SLICE) {
    throwIfAborted(signal)
    grown.absorb(changes.slice(at, Math.min(at + BUILD_SLICE, bulk)))
    await breathe()
  }
  grown.apply(changes.slice(bulk))
  return grown
}
