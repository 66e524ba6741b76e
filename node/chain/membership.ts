import { PostriderError } from '@postrider/protocol/errors'
import {
  accumulate,
  createMembershipTree,
  EMPTY_ACCUMULATOR,
  type MembershipTree,
  type MerklePath,
  ROOT_WINDOW,
} from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import type { ChainClient } from './client.ts'
import { isDeployed, readContract } from './contracts.ts'
import { readArgs } from './event-args.ts'
import { inconsistent } from './follower-rules.ts'
import { createMemberGroup, type Member, type TimedChange } from './member-group.ts'
import type { MembershipSnapshot } from './membership-snapshot.ts'
import { createRootWindow } from './root-window.ts'
import type { ChainEvent, Projection } from './types.ts'

export type { Member } from './member-group.ts'

/** The group of members as the chain has it, with its tree. */
export type Membership = {
  root(): bigint
  /**
   * Whether a proof against this root is acceptable: the present root, or one of the last 50 (one per block that
   * changed the group) that was replaced at most `ROOT_MAX_AGE_SECONDS` ago, in chain time.
   */
  isKnown(root: bigint): boolean
  /** How many roots are acceptable now. */
  knownRoots(): number
  member(commitment: bigint): Member | undefined
  /**
   * What a proof of this member needs.
   *
   * @throws PostriderError `CHAIN_MEMBER_UNKNOWN`
   */
  path(commitment: bigint): Member & MerklePath & { root: bigint }
  /** Members now: without those who left or were slashed. */
  members(): number
  /** Indexes given out so far; erased members are included. */
  size(): number
  /** The contract's running hash over all changes that the view holds. */
  accumulator(): Hex
  /** Every change so far, for whoever wants to build the tree. */
  readonly changes: MembershipChanges
  /** Called after each change of the group; returns the way to stop it. */
  subscribe(listener: () => void): () => void
}

/** The list of changes, as the chain has it up to a block. */
export type MembershipChanges = {
  /** How many there are, and the last block looked at; undefined before the first. */
  head(): { count: number; block: number | undefined }
  /** Encoded changes from the `from`-th on, at most `limit`; see `encodeChanges`. */
  read(from: number, limit: number): Uint8Array
}

/** The contract's own figures at a block. */
export type MembershipState = { accumulator: Hex; size: number }

export type MembershipOptions = {
  /** Reads the contract's figures, for audits; absent: there is no contract to compare with. */
  contractState?(block: number): Promise<MembershipState>
  /** The tree; tests pass one with a cheaper hash. */
  createTree?(): MembershipTree
}

export function createMembership(options: MembershipOptions = {}): {
  view: Membership
  projection: Projection
  /** The present list and its tree; they change with the group. */
  snapshot(): MembershipSnapshot
  /** Lets the next reset start from a snapshot, if its list is the beginning of the events'. */
  restore(snapshot: MembershipSnapshot): void
} {
  const { contractState, createTree = createMembershipTree } = options
  const group = createMemberGroup(createTree())
  const window = createRootWindow()
  let block: number | undefined
  let restored: MembershipSnapshot | undefined
  const listeners = new Set<() => void>()

  const notify = (): void => {
    for (const listener of listeners) listener()
  }

  /** Takes the changes of newer blocks; only roots that stay in the window are worth hashing for. */
  const takeBlocks = (blocks: readonly TimedChange[][]): void => {
    group.take(blocks.slice(0, -ROOT_WINDOW).flat())
    for (const changes of blocks.slice(-ROOT_WINDOW)) {
      group.take(changes)
      const last = changes.at(-1)
      if (last) window.add(group.root(), last.timestamp)
    }
  }

  /** Starts from the snapshot instead of from nothing. */
  const adoptSnapshot = (changes: readonly TimedChange[]): void => {
    if (!restored) return
    const { count, accumulator, tree } = restored
    restored = undefined
    if (changes[count - 1]?.accumulator === accumulator) group.adopt(changes.slice(0, count), tree)
  }

  const projection: Projection = {
    check: (events) => void checkFold(group.accumulator(), events.flatMap(toChange)),
    apply(events, tip) {
      window.setTime(tip.timestamp)
      block = tip.number
      const blocks = byBlock(events.flatMap(toChange))
      takeBlocks(blocks)
      if (blocks.length > 0) notify()
    },
    reset(events, tip) {
      window.clear()
      window.setTime(tip?.timestamp ?? 0)
      block = tip?.number
      const changes = events.flatMap(toChange)
      const blocks = byBlock(changes)
      adoptSnapshot(changes)
      group.become(blocks.slice(0, -ROOT_WINDOW).flat())
      takeBlocks(blocks.slice(-ROOT_WINDOW))
      notify()
    },
    ...(contractState && {
      async verify(events: readonly ChainEvent[], block: number) {
        const { accumulator } = await contractState(block)
        if (accumulator === checkFold(group.accumulator(), events.flatMap(toChange))) return
        throw inconsistent(`changes of members up to block ${block} are missing`)
      },
      async audit(block: number) {
        const { accumulator, size } = await contractState(block)
        if (accumulator === group.accumulator() && size === group.size()) return
        throw inconsistent(`the members differ from the contract's at block ${block}`)
      },
    }),
  }

  const view: Membership = {
    root: group.root,
    isKnown: window.has,
    knownRoots: window.size,
    member: group.member,
    path(commitment) {
      const member = group.member(commitment)
      if (!member) throw new PostriderError('CHAIN_MEMBER_UNKNOWN')
      return { ...member, ...group.path(member.index), root: group.root() }
    },
    members: group.members,
    size: group.size,
    accumulator: group.accumulator,
    changes: { head: () => ({ count: group.changes(), block }), read: group.readChanges },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return {
    view,
    projection,
    snapshot: () => ({ count: group.changes(), accumulator: group.accumulator(), tree: group.tree() }),
    restore(snapshot) {
      restored = snapshot
    },
  }
}

/** Reads the contract's figures over JSON-RPC. */
export function readMembershipState(client: ChainClient) {
  return async (block: number): Promise<MembershipState> => {
    try {
      const [accumulator, size] = await readContract(client, 'rlnMembership', 'state', [], block)
      return { accumulator, size: Number(size) }
    } catch (error) {
      if (await isDeployed(client, 'rlnMembership', block)) throw error
      return { accumulator: EMPTY_ACCUMULATOR, size: 0 }
    }
  }
}

/** @returns the running hash after all changes */
function checkFold(start: Hex, changes: readonly TimedChange[]): Hex {
  let folded = start
  for (const change of changes) {
    folded = foldOne(folded, change)
    if (folded === change.accumulator) continue
    throw inconsistent(`a change of members before index ${change.index} is missing or doubled`)
  }
  return folded
}

function foldOne(accumulator: Hex, change: TimedChange): Hex {
  try {
    return accumulate(accumulator, change)
  } catch {
    throw inconsistent(`the contract emits no change like that of index ${change.index}`)
  }
}

function toChange(event: ChainEvent): TimedChange[] {
  if (event.contract !== 'rlnMembership' || event.name !== 'MembershipChanged') return []
  const args = readArgs(event)
  return [
    {
      index: args.count('index'),
      commitment: args.amount('commitment'),
      limit: args.count('limit'),
      accumulator: args.hex('accumulator'),
      blockNumber: event.blockNumber,
      timestamp: event.timestamp,
    },
  ]
}

function byBlock(changes: readonly TimedChange[]): TimedChange[][] {
  return [...Map.groupBy(changes, ({ blockNumber }) => blockNumber).values()]
}
