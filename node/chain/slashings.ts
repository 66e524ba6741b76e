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
  /** Unix seconds. */
  readonly timestamp: number
  readonly txHash: Hex
}

export type Slashings = {
  of(commitment: bigint): Slashing | undefined
  /** Oldest first. */
  all(): Slashing[]
}

export function createSlashings(): { view: Slashings; projection: Projection } {
  let slashings = new Map<bigint, Slashing>()

  const take = (events: readonly ChainEvent[]): void => {
    for (const slashing of events.flatMap(toSlashing)) slashings.set(slashing.commitment, slashing)
  }

  return {
    view: { of: (commitment) => slashings.get(commitment), all: () => [...slashings.values()] },
    projection: {
      apply: take,
      reset(events) {
        slashings = new Map()
        take(events)
      },
    },
  }
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
      timestamp: event.timestamp,
      txHash: event.txHash,
    },
  ]
}
