import type { ChannelState } from '../chain/types.ts'
import type { ChannelRecord, LedgerEntry, LedgerKind } from './types.ts'

/** What a channel looked like before it was opened. */
type Before = Pick<ChannelRecord, 'status' | 'deposit' | 'settled'>

/**
 * The movements on chain between two readings of a channel. Derived from what the contract says, not from what was
 * sent: the ledger is right whoever acted, and whenever the process was killed.
 */
export function movements(
  { channelId, operator }: Pick<ChannelRecord, 'channelId' | 'operator'>,
  before: Before,
  after: Pick<ChannelState, 'deposit' | 'settled'> & { status: ChannelRecord['status'] },
  atMs: number,
): LedgerEntry[] {
  const opened = before.status === 'opening'
  const deposited = after.deposit - (opened ? 0n : before.deposit)
  const closes = after.status === 'closed' && before.status !== 'closed'
  const found: [LedgerKind, bigint, boolean][] = [
    [opened ? 'open' : 'topUp', deposited, deposited > 0n],
    ['settled', after.settled - before.settled, after.settled > before.settled],
    ['closeRequested', 0n, after.status === 'closing' && before.status !== 'closing'],
    ['closed', after.deposit - after.settled, closes],
  ]
  return found.flatMap(([kind, amount, happened]) =>
    happened ? [{ atMs, kind, amount, channelId, operator }] : [],
  )
}
