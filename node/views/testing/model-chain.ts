import type { Address, Hex } from '@postrider/protocol/wire'
import type { FollowerStatus } from '../../chain/follower.ts'
import { createMembership } from '../../chain/membership.ts'
import type { OperatorState } from '../../chain/operator.ts'
import { createSettlements } from '../../chain/settlements.ts'
import { createSlashings } from '../../chain/slashings.ts'
import { createMemoryTransactionStore } from '../../chain/transaction-store.ts'
import type { ChainEvent, ContractName } from '../../chain/types.ts'
import type { Reading } from '../reading.ts'

export const ACCOUNT: Address = `0x${'Ab'.repeat(20)}`
export const OTHER: Address = `0x${'cd'.repeat(20)}`
export const BLOCK_SECONDS = 12

/** A follower's word in good times, at block 40 of 42. */
export const FOLLOWING: FollowerStatus = {
  state: 'following',
  fresh: true,
  block: 40,
  blockTimestamp: 40 * BLOCK_SECONDS,
  head: 42,
  headTimestamp: 42 * BLOCK_SECONDS,
  lastAnswerMs: 1,
  awaySinceMs: undefined,
  lastError: undefined,
  reorgs: 0,
}

/** The real views of node/chain over events that a test makes, and a follower that says what it is told to. */
export function createModelChain() {
  const parts = [createSettlements(), createSlashings(), createMembership()] as const
  const [settlements, slashings, membership] = parts
  const listeners = new Set<() => void>()
  let status = FOLLOWING

  return {
    chain: {
      settlements: settlements.view,
      slashings: slashings.view,
      membership: membership.view,
      sender: { address: ACCOUNT },
      transactions: createMemoryTransactionStore(),
      follower: {
        status: () => status,
        subscribe(listener: () => void) {
          listeners.add(listener)
          return () => void listeners.delete(listener)
        },
      },
    },
    follow(change: Partial<FollowerStatus>): void {
      status = { ...status, ...change }
      for (const listener of listeners) listener()
    },
    apply(...events: readonly ChainEvent[]): void {
      const number = events.at(-1)?.blockNumber ?? 0
      const tip = { number, hash: blockHash(number), timestamp: number * BLOCK_SECONDS }
      for (const { projection } of parts) projection.apply(events, tip)
    },
  }
}

function blockHash(block: number): Hex {
  return `0x${block.toString(16).padStart(64, '0')}`
}

/** An event of a contract in a block of its own transaction. */
export function chainEvent(
  at: { block: number; log?: number },
  contract: ContractName,
  name: string,
  args: ChainEvent['args'],
): ChainEvent {
  const { block, log = 0 } = at
  return {
    blockNumber: block,
    logIndex: log,
    blockHash: blockHash(block),
    timestamp: block * BLOCK_SECONDS,
    txHash: blockHash(block * 1000 + log),
    contract,
    name,
    args,
  }
}

/** A claim that the contract honoured. */
export function settledEvent(
  at: { block: number; log?: number },
  claim: { channelId: Hex; amount: bigint; burnt: bigint },
): ChainEvent {
  const { channelId, amount, burnt } = claim
  const args = { channelId, payee: ACCOUNT, settled: `${amount}`, amount: `${amount}`, burnt: `${burnt}` }
  return chainEvent(at, 'paymentChannels', 'Settled', args)
}

/** A slashing by ACCOUNT. */
export function slashedEvent(
  at: { block: number; log?: number },
  slashing: { commitment: bigint; reward: bigint; burnt?: bigint; receiver?: Address; index?: number },
): ChainEvent {
  const { commitment, reward, burnt = 0n, receiver = ACCOUNT, index = 0 } = slashing
  const args = {
    commitment: `${commitment}`,
    slasher: ACCOUNT,
    receiver,
    index: `${index}`,
    reward: `${reward}`,
    burnt: `${burnt}`,
  }
  return chainEvent(at, 'rlnMembership', 'MemberSlashed', args)
}

export const OPERATOR: OperatorState = {
  ether: 10n ** 18n,
  post: 5n,
  gasPrice: 1_000_000_000n,
  finalised: undefined,
  payout: OTHER,
  minimumStake: 100n,
  unbondingSeconds: 600,
  membership: { pricePerMessage: 10n, burnBps: 1_000n, slashBurnBps: 5_000n },
}

/** A reading that is known, or not. */
export function known<T>(value: T | undefined): Reading<T> {
  return { get: async () => value, peek: () => value }
}
