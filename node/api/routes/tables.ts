import { type Column, csvHeading, csvRow } from '@postrider/protocol/csv'
import { formatAmount, TOKEN_SYMBOL } from '@postrider/protocol/payment'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readAddress } from '../../core/address.ts'
import { MAX_CSV_ROWS, MAX_PAGE_ITEMS } from '../constants.ts'
import type { Channel, LedgerEntry, Page, PageRequest } from '../types.ts'

/** Whether the client asked for CSV by name; anything else, `*` included, gets JSON. */
export const wantsCsv = ({ headers }: FastifyRequest): boolean => /\btext\/csv\b/i.test(headers.accept ?? '')

/** An amount twice: exact base units for programs, a number of whole units for people's spreadsheets. */
function amountColumns<Row>(name: string, amount: (row: Row) => bigint): Column<Row>[] {
  return [
    { name, cell: amount },
    { name: `${name} (${TOKEN_SYMBOL})`, cell: (row) => withoutUnit(formatAmount(amount(row))) },
  ]
}

const withoutUnit = (amount: string): string => amount.replace(` ${TOKEN_SYMBOL}`, '')

const isoTime = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

export const channelColumns: readonly Column<Channel>[] = [
  { name: 'id', cell: ({ id }) => id },
  { name: 'state', cell: ({ state }) => state },
  { name: 'payer', cell: ({ payer }) => readAddress(payer) ?? payer },
  ...amountColumns<Channel>('deposit', ({ deposit }) => deposit),
  ...amountColumns<Channel>('settled', ({ settled }) => settled),
  ...amountColumns<Channel>('paid', ({ paid }) => paid),
  ...amountColumns<Channel>('spent', ({ spent }) => spent),
  ...amountColumns<Channel>('unredeemed', ({ unredeemed }) => unredeemed),
  { name: 'redeemable', cell: ({ redeemable }) => redeemable },
  { name: 'held', cell: ({ held }) => held?.code ?? null },
  { name: 'lastPaidAt', cell: ({ lastPaidAt }) => isoTime(lastPaidAt) },
]

export const ledgerColumns: readonly Column<LedgerEntry>[] = [
  { name: 'id', cell: ({ id }) => id },
  { name: 'at', cell: ({ at }) => isoTime(at) },
  { name: 'kind', cell: ({ kind }) => kind },
  ...amountColumns<LedgerEntry>('amount', ({ amount }) => amount),
  ...amountColumns<LedgerEntry>('balance', ({ balance }) => balance),
  { name: 'channelId', cell: ({ channelId }) => channelId },
  { name: 'transaction', cell: ({ transaction }) => transaction },
  { name: 'block', cell: ({ block }) => block },
]

type Table<Row> = {
  columns: readonly Column<Row>[]
  list(page: PageRequest): Page<Row> | Promise<Page<Row>>
  page: PageRequest
}

/** Sends the list from the cursor on as one file; a Link header names the next part if there is one. */
export async function sendCsv<Row>(
  request: FastifyRequest,
  reply: FastifyReply,
  { columns, list, page }: Table<Row>,
): Promise<FastifyReply> {
  const rows: string[] = [csvHeading(columns)]
  let cursor: string | null | undefined = page.cursor
  while (cursor !== null && rows.length <= MAX_CSV_ROWS) {
    const part: Page<Row> = await list({ cursor, limit: MAX_PAGE_ITEMS })
    for (const row of part.items) rows.push(csvRow(columns, row))
    cursor = part.nextCursor
  }
  if (cursor) reply.header('link', `<${nextPart(request, cursor)}>; rel="next"`)
  return reply.type('text/csv; charset=utf-8').send(rows.join(''))
}

function nextPart({ url }: FastifyRequest, cursor: string): string {
  const [path = '', query = ''] = url.split('?')
  const parameters = new URLSearchParams(query)
  parameters.set('cursor', cursor)
  return `${path}?${parameters}`
}
