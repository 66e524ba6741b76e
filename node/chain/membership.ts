import { PostriderError } from '@postrider/protocol/errors'
import {
  accumulate,
  createMembershipTree,
  type MembershipTree,
  type MerklePath,
  ROOT_WINDOW,
} from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import type { ChainClient } from './client.ts'
import { ROOT_MAX_AGE_SECONDS } from './constants.ts'
import { readContract } from './contracts.ts'
import { readArgs } from './event-args.ts'
import { inconsistent } from './follower-rules.ts'
import { createMemberGroup, type Member, type TimedChange } from './member-group.ts'
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
  /** Called after each change of the group; returns the way to stop it. */
  subscribe(listener: () => void): () => void
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
} {
  const { contractState, createTree = createMembershipTree } = options
  const group = createMemberGroup(createTree())
  const window = createRootWindow()
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
      if (last) window.add(group.tree.root(), last.timestamp)
    }
  }

  const projection: Projection = {
    check: (events) => checkFold(group.accumulator(), events.flatMap(toChange)),
    apply(events, tip) {
      window.setTime(tip.timestamp)
      const blocks = byBlock(events.flatMap(toChange))
      takeBlocks(blocks)
      if (blocks.length > 0) notify()
    },
    reset(events, tip) {
      window.clear()
      window.setTime(tip?.timestamp ?? 0)
      const blocks = byBlock(events.flatMap(toChange))
      group.become(blocks.slice(0, -ROOT_WINDOW).flat())
      takeBlocks(blocks.slice(-ROOT_WINDOW))
      notify()
    },
    ...(contractState && {
      async audit(block: number) {
        const { accumulator, size } = await contractState(block)
        if (accumulator === group.accumulator() && size === group.size()) return
        throw inconsistent(`the members differ from the contract's at block ${block}`)
      },
    }),
  }

  const view: Membership = {
    root: () => group.tree.root(),
    isKnown: window.has,
    knownRoots: window.size,
    member: group.member,
    path(commitment) {
      const member = group.member(commitment)
      if (!member) throw new PostriderError('CHAIN_MEMBER_UNKNOWN')
      return { ...member, ...group.tree.path(member.index), root: group.tree.root() }
    },
    members: group.members,
    size: group.size,
    accumulator: group.accumulator,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return { view, projection }
}

/** Reads the contract's figures over JSON-RPC. */
export function readMembershipState(client: ChainClient) {
  return async (block: number): Promise<MembershipState> => {
    const [accumulator, size] = await readContract(client, 'rlnMembership', 'state', [], block)
    return { accumulator, size: Number(size) }
  }
}

/** The last roots, one per block that changed the group, and the chain's time. */
function createRootWindow() {
  let roots: { root: bigint; timestamp: number }[] = []
  let now = 0
  // The newest root has no successor: it never gets old.
  const acceptable = (successor: { timestamp: number } | undefined): boolean =>
    !successor || now - successor.timestamp <= ROOT_MAX_AGE_SECONDS
  return {
    add(root: bigint, timestamp: number) {
      roots = [...roots, { root, timestamp }].slice(-ROOT_WINDOW)
    },
    setTime(timestamp: number) {
      now = timestamp
    },
    clear() {
      roots = []
    },
    has(root: bigint): boolean {
      // The last one counts: erasing the newest member brings an older root back.
      const at = roots.findLastIndex((known) => known.root === root)
      return at >= 0 && acceptable(roots[at + 1])
    },
    size: (): number => roots.filter((_, at) => acceptable(roots[at + 1])).length,
  }
}

function checkFold(start: Hex, changes: readonly TimedChange[]): void {
  let folded = start
  for (const change of changes) {
    folded = accumulate(folded, change)
    if (folded === change.accumulator) continue
    throw inconsistent(`a change of members before index ${change.index} is missing or doubled`)
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
