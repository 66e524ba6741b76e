import type { Hex } from '@postrider/protocol/wire'
import { readArgs } from './event-args.ts'
import type { ChainEvent, Projection } from './types.ts'

/** A claim on a channel to this node that the contract honoured. */
export type Settlement = {
  readonly channelId: Hex
  /** What this claim added, the burnt share included; base units. */
  readonly amount: bigint
  /** The part of `amount` that was burnt; the payout address got the rest. */
  readonly burnt: bigint
  readonly blockNumber: number
  readonly logIndex: number
  /** Unix seconds. */
  readonly timestamp: number
  readonly txHash: Hex
}

export type Settlements = {
  /** Confirmed ones, oldest first; another array after each change. */
  all(): readonly Settlement[]
}

/** Every claim that was ever honoured, about 300 bytes each. */
export function createSettlements(): { view: Settlements; projection: Projection } {
  let settlements: readonly Settlement[] = []

  return {
    view: { all: () => settlements },
    projection: {
      apply(events) {
        const found = events.flatMap(toSettlement)
        if (found.length > 0) settlements = [...settlements, ...found]
      },
      reset(events) {
        settlements = events.flatMap(toSettlement)
      },
    },
  }
}

function toSettlement(event: ChainEvent): Settlement[] {
  if (event.contract !== 'paymentChannels' || event.name !== 'Settled') return []
  const args = readArgs(event)
  return [
    {
      channelId: args.hex('channelId'),
      amount: args.amount('amount'),
      burnt: args.amount('burnt'),
      blockNumber: event.blockNumber,
      logIndex: event.logIndex,
      timestamp: event.timestamp,
      txHash: event.txHash,
    },
  ]
}
