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
  /** The transaction of this account's newest promise to reveal. */
  promiseTx(slasher: Address, commitHash: Hex): Hex | undefined
  /** Oldest first; another array after each change. */
  all(): readonly Slashing[]
}

export function createSlashings(): { view: Slashings; projection: Projection } {
  let byCommitment = new Map<bigint, Slashing>()
  let slashings: readonly Slashing[] = []
  let promises = new Map<string, Hex>()

  const take = (events: readonly ChainEvent[]): void => {
    for (const event of events) {
      if (event.contract !== 'rlnMembership' || event.name !== 'SlashCommitted') continue
      const args = readArgs(event)
      promises.set(promiseKey(args.hex('slasher'), args.hex('commitHash')), event.txHash)
    }
    const found = events.flatMap(toSlashing)
    if (found.length === 0) return
    for (const slashing of found) byCommitment.set(slashing.commitment, slashing)
    slashings = [...slashings, ...found]
  }

  return {
    view: {
      of: (commitment) => byCommitment.get(commitment),
      promiseTx: (slasher, commitHash) => promises.get(promiseKey(slasher, commitHash)),
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

function promiseKey(slasher: Address, commitHash: Hex): string {
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
