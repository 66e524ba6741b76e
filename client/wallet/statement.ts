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

/** What a movement makes of the status before it; anything else cannot be. */
type Life<Status extends string> = Partial<Record<MovementKind, Partial<Record<Status, Status>>>>

const CHANNEL_LIFE: Life<ChannelStatus> = {
  open: { none: 'open' },
  topUp: { open: 'open' },
  settled: { open: 'open', closing: 'closing' },
  closeRequested: { open: 'closing' },
  closed: { open: 'closed', closing: 'closed' },
  withdrawn: { closing: 'closed' },
}

const MEMBER_LIFE: Life<MemberStatus> = {
  memberDeposit: { none: 'active' },
  memberBurnt: { active: 'active' },
  memberLeft: { active: 'leaving' },
  memberWithdrawn: { leaving: 'withdrawn' },
  memberSlashed: { active: 'slashed', leaving: 'slashed' },
}

function statusAfter<Status extends string>(
  movements: readonly Movement[],
  life: Life<Status>,
  first: Status,
): Status | 'invalid' {
  let status: Status | undefined = first
  for (const { kind } of movements) status = status && life[kind]?.[status]
  return status ?? 'invalid'
}

/** Where movements and contracts disagree at the block up to which the movements go. */
export function compareHoldings(movements: readonly Movement[], held: Holdings): LedgerDifference[] {
  const refunds = sumOf(movements, 'closed') - sumOf(movements, 'refund')
  return [
    ...held.channels.flatMap((channel) => compareChannel(movements, channel)),
    ...held.members.flatMap((member) => compareMember(movements, member)),
    ...difference('refunds', held.refunds, refunds, {}),
  ]
}

function compareChannel(
  movements: readonly Movement[],
  { channelId, status, deposit, settled }: Holdings['channels'][number],
): LedgerDifference[] {
  const own = movements.filter((movement) => movement.channelId === channelId)
  const at = { channelId, ...operatorOf(own) }
  const returned = status === 'closed' ? deposit - settled : 0n
  return [
    ...difference('status', status, statusAfter(own, CHANNEL_LIFE, 'none'), at),
    ...difference('deposit', deposit, sumOf(own, 'open', 'topUp'), at),
    ...difference('settled', settled, sumOf(own, 'settled'), at),
    ...difference('returned', returned, sumOf(own, 'closed', 'withdrawn'), at),
  ]
}

const operatorOf = (movements: readonly Movement[]) => {
  const operator = movements.find((movement) => movement.operator)?.operator
  return operator ? { operator } : {}
}

function compareMember(
  movements: readonly Movement[],
  { commitment, status, deposit, burnt }: Holdings['members'][number],
): LedgerDifference[] {
  const own = movements.filter((movement) => movement.commitment === commitment)
  const at = { commitment }
  const returned = status === 'withdrawn' || status === 'slashed' ? deposit : 0n
  return [
    ...difference('status', status, statusAfter(own, MEMBER_LIFE, 'none'), at),
    ...difference('deposit', deposit, sumOf(own, 'memberDeposit'), at),
    ...difference('burnt', burnt, sumOf(own, 'memberBurnt'), at),
    ...difference('returned', returned, sumOf(own, 'memberWithdrawn', 'memberSlashed'), at),
  ]
}

function sumOf(movements: readonly Movement[], ...kinds: MovementKind[]): bigint {
  return movements.reduce((sum, { kind, amount }) => (kinds.includes(kind) ? sum + amount : sum), 0n)
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
