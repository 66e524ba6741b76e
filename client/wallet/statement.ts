import type { Hex } from '@postrider/protocol/wire'
import type { ChannelStatus, Holdings, MemberStatus, Movement, MovementKind } from '../chain/types.ts'
import type { LedgerDifference, LedgerEntry } from './types.ts'

/** What a movement does to the tokens that the contracts hold for the wallet. */
const DIRECTION: Readonly<Record<MovementKind, -1n | 0n | 1n>> = {
  open: 1n,
  topUp: 1n,
  settled: -1n,
  closeRequested: 0n,
  // From the channel to the refunds: both are of the wallet.
  closed: 0n,
  withdrawn: -1n,
  refund: -1n,
  memberDeposit: 1n,
  memberBurnt: 0n,
  memberLeft: 0n,
  memberWithdrawn: -1n,
  memberSlashed: -1n,
}

/** Movements whose transaction the wallet may have sent; the others are sent by nodes and slashers. */
export const SENT_BY_PAYER: ReadonlySet<MovementKind> = new Set<MovementKind>([
  'open',
  'topUp',
  'closeRequested',
  'withdrawn',
  'refund',
  'memberDeposit',
  'memberLeft',
  'memberWithdrawn',
])

/** The ledger with its running balance. */
export function toEntries(rows: readonly (Movement & { atMs: number; gas: bigint })[]): LedgerEntry[] {
  let balance = 0n
  return rows.map(({ log: _log, part: _part, blockHash: _hash, ...row }, at) => {
    const change = DIRECTION[row.kind] * row.amount
    balance += change
    return { ...row, number: at + 1, change, balance }
  })
}

type ChannelSum = { status: ChannelStatus; deposit: bigint; settled: bigint }

const CHANNEL_STATUS_AFTER: Partial<Record<MovementKind, ChannelStatus>> = {
  open: 'open',
  closeRequested: 'closing',
  closed: 'closed',
  withdrawn: 'closed',
}

const MEMBER_STATUS_AFTER: Partial<Record<MovementKind, MemberStatus>> = {
  memberDeposit: 'active',
  memberLeft: 'leaving',
  memberWithdrawn: 'withdrawn',
  memberSlashed: 'slashed',
}

/** Where movements and contracts disagree at the block up to which the movements go. */
export function compareHoldings(movements: readonly Movement[], held: Holdings): LedgerDifference[] {
  const refunds = sumOf(movements, (kind) => (kind === 'closed' ? 1n : kind === 'refund' ? -1n : 0n))
  return [
    ...held.channels.flatMap((channel) => compareChannel(movements, channel)),
    ...held.members.flatMap((member) => compareMember(movements, member)),
    ...difference('refunds', held.refunds, refunds, {}),
  ]
}

function compareChannel(
  movements: readonly Movement[],
  held: Holdings['channels'][number],
): LedgerDifference[] {
  const own = movements.filter(({ channelId }) => channelId === held.channelId)
  const sum: ChannelSum = {
    status: lastOf(own, CHANNEL_STATUS_AFTER) ?? 'none',
    deposit: sumOf(own, (kind) => (kind === 'open' || kind === 'topUp' ? 1n : 0n)),
    settled: sumOf(own, (kind) => (kind === 'settled' ? 1n : 0n)),
  }
  const at = { channelId: held.channelId, ...operatorOf(own) }
  return (['status', 'deposit', 'settled'] as const).flatMap((field) =>
    difference(field, held[field], sum[field], at),
  )
}

const operatorOf = (movements: readonly Movement[]) => {
  const operator = movements.find((movement) => movement.operator)?.operator
  return operator ? { operator } : {}
}

function compareMember(
  movements: readonly Movement[],
  held: Holdings['members'][number],
): LedgerDifference[] {
  const own = movements.filter(({ commitment }) => commitment === held.commitment)
  const at = { commitment: held.commitment }
  return [
    ...difference('status', held.status, lastOf(own, MEMBER_STATUS_AFTER) ?? 'none', at),
    ...difference(
      'deposit',
      held.deposit,
      sumOf(own, (kind) => DIRECTION[kind]),
      at,
    ),
  ]
}

function sumOf(movements: readonly Movement[], factor: (kind: MovementKind) => bigint): bigint {
  return movements.reduce((sum, { kind, amount }) => sum + factor(kind) * amount, 0n)
}

function lastOf<Status>(
  movements: readonly Movement[],
  after: Partial<Record<MovementKind, Status>>,
): Status | undefined {
  return movements.map(({ kind }) => after[kind]).findLast((status) => status !== undefined)
}

function difference(
  field: LedgerDifference['field'],
  expected: bigint | string,
  found: bigint | string,
  at: { channelId?: Hex; commitment?: Hex },
): LedgerDifference[] {
  if (expected === found) return []
  return [{ code: 'CLIENT_LEDGER_MISMATCH', field, expected: String(expected), found: String(found), ...at }]
}
