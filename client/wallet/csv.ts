import { type Column, csvHeading, csvRow } from '@postrider/protocol/csv'
import type { LedgerEntry } from './types.ts'

const COLUMNS: readonly Column<LedgerEntry>[] = [
  { name: 'number', cell: ({ number }) => number },
  { name: 'time', cell: ({ atMs }) => new Date(atMs).toISOString() },
  { name: 'block', cell: ({ block }) => block },
  { name: 'transaction', cell: ({ transaction }) => transaction },
  { name: 'kind', cell: ({ kind }) => kind },
  { name: 'node', cell: ({ operator }) => operator ?? null },
  { name: 'channel', cell: ({ channelId }) => channelId ?? null },
  { name: 'membership', cell: ({ commitment }) => commitment ?? null },
  { name: 'amount', cell: ({ amount }) => amount },
  { name: 'change', cell: ({ change }) => change },
  { name: 'balance', cell: ({ balance }) => balance },
  { name: 'gas_wei', cell: ({ gas }) => gas },
]

/** The ledger as CSV (RFC 4180). Amounts are base units, exact; a spreadsheet must import them as text. */
export function ledgerCsv(entries: readonly LedgerEntry[]): string {
  return [csvHeading(COLUMNS), ...entries.map((entry) => csvRow(COLUMNS, entry))].join('')
}
