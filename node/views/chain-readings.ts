import {
  type MemberState,
  type OperatorState,
  readMemberState,
  readOperatorState,
} from '../chain/operator.ts'
import { GAS_RESERVE_UNITS } from './constants.ts'
import { createReading, type Reading } from './reading.ts'
import type { NodeParts } from './types.ts'

/** What has to be asked of the chain; everything else the views know from events. */
export type ChainReadings = {
  operator: Reading<OperatorState>
  /** The node's own membership; undefined without one. */
  member: Reading<MemberState> | undefined
}

export function createChainReadings({ base, chain, own }: Pick<NodeParts, 'base' | 'chain' | 'own'>) {
  const { client, sender } = chain
  const reachable = () => isConnected(chain)
  const readings: ChainReadings = {
    operator: createReading(base, {
      what: 'state of the operator',
      read: () => readOperatorState(client, sender.address),
      reachable,
    }),
    member:
      own &&
      createReading(base, {
        what: "state of the node's membership",
        read: () => readMemberState(client, own.commitment),
        reachable,
      }),
  }
  return readings
}

type Following = { follower: Pick<NodeParts['chain']['follower'], 'status'> }

/** Whether the chain answered the last time it was asked. */
export function isConnected({ follower }: Following): boolean {
  const { state } = follower.status()
  return state === 'syncing' || state === 'following'
}

/** The block up to which the views count the chain. */
export function asOfChain({ follower }: Following): { number: bigint; at: number } | null {
  const { block, blockTimestamp } = follower.status()
  return toBlock(block, blockTimestamp)
}

/** A block as the API shows it. @param timestamp Unix seconds */
export function toBlock(number: number | undefined, timestamp: number | undefined) {
  if (number === undefined || timestamp === undefined) return null
  return { number: BigInt(number), at: timestamp * 1000 }
}

/** Whether the hot account could not pay for a large settlement. */
export function isGasLow({ ether, gasPrice }: Pick<OperatorState, 'ether' | 'gasPrice'>): boolean {
  return ether < GAS_RESERVE_UNITS * gasPrice
}
