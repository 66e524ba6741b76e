import { MAX_SLASH_TURNS, SLASH_TURN_WINDOW_BLOCKS } from '@postrider/protocol/rln'
import type { Address, Hex } from '@postrider/protocol/wire'
import { readArgs } from './event-args.ts'
import type { ChainEvent, Projection } from './types.ts'

/** A member whose secret was revealed on chain. */
export type Slashing = {
  readonly commitment: bigint
  readonly slasher: Address
  readonly receiver: Address
  /** Index in the member tree. */
  readonly index: number
  /** Base units. */
  readonly reward: bigint
  readonly burnt: bigint
  readonly blockNumber: number
  readonly logIndex: number
  /** Unix seconds. */
  readonly timestamp: number
  readonly txHash: Hex
}

export type Slashings = {
  of(commitment: bigint): Slashing | undefined
  /**
   * How many other accounts promised shortly before this promise, and so go before it; undefined if it is not confirmed.
   */
  turn(slasher: Address, commitHash: Hex): number | undefined
  /** The transaction of this account's newest promise to reveal. */
  promiseTx(slasher: Address, commitHash: Hex): Hex | undefined
  /** Oldest first; another array after each change. */
  all(): readonly Slashing[]
}

type Promised = { readonly slasher: string; readonly blockNumber: number; readonly txHash: Hex }

export function createSlashings(): { view: Slashings; projection: Projection } {
  let byCommitment = new Map<bigint, Slashing>()
  let slashings: readonly Slashing[] = []
  /** By account and hash, in the chain's order. */
  let promises = new Map<string, Promised>()

  const take = (events: readonly ChainEvent[]): void => {
    for (const event of events) {
      if (event.contract !== 'rlnMembership' || event.name !== 'SlashCommitted') continue
      const args = readArgs(event)
      const slasher = args.hex('slasher').toLowerCase()
      const key = promiseKey(slasher, args.hex('commitHash'))
      promises.delete(key)
      promises.set(key, { slasher, blockNumber: event.blockNumber, txHash: event.txHash })
    }
    const found = events.flatMap(toSlashing)
    if (found.length === 0) return
    for (const slashing of found) byCommitment.set(slashing.commitment, slashing)
    slashings = [...slashings, ...found]
  }

  return {
    view: {
      of: (commitment) => byCommitment.get(commitment),
      promiseTx: (slasher, commitHash) => promises.get(promiseKey(slasher, commitHash))?.txHash,
      turn: (slasher, commitHash) => turnOf(promises, promiseKey(slasher, commitHash)),
      all: () => slashings,
    },
    projection: {
      apply: take,
      reset(events) {
        byCommitment = new Map()
        slashings = []
        promises = new Map()
        take(events)
      },
    },
  }
}

function turnOf(promises: ReadonlyMap<string, Promised>, key: string): number | undefined {
  const ours = promises.get(key)
  if (ours === undefined) return undefined
  const others = new Set<string>()
  for (const [other, { slasher, blockNumber }] of promises) {
    if (other === key) break
    const isRecent = blockNumber >= ours.blockNumber - SLASH_TURN_WINDOW_BLOCKS
    if (isRecent && slasher !== ours.slasher) others.add(slasher)
  }
  return Math.min(others.size, MAX_SLASH_TURNS)
}

function promiseKey(slasher: string, commitHash: Hex): string {
  return `${slasher}/${commitHash}`.toLowerCase()
}

function toSlashing(event: ChainEvent): Slashing[] {
  if (event.contract !== 'rlnMembership' || event.name !== 'MemberSlashed') return []
  const args = readArgs(event)
  return [
    {
      commitment: args.amount('commitment'),
      slasher: args.hex('slasher'),
      receiver: args.hex('receiver'),
      index: args.count('index'),
      reward: args.amount('reward'),
      burnt: args.amount('burnt'),
      blockNumber: event.blockNumber,
      logIndex: event.logIndex,
      timestamp: event.timestamp,
      txHash: event.txHash,
    },
  ]
}
