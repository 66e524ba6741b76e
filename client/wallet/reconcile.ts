import type { Address } from '@postrider/protocol/wire'
import { equalHex } from '@postrider/protocol/wire'
import type { ChannelBook } from './book.ts'
import { RECONCILE_TRIES } from './constants.ts'
import type { Checked, Ledger } from './ledger.ts'
import { promisedTotal } from './promised.ts'
import type { Spending } from './spending.ts'
import type { ChannelRecord, LedgerDifference, NodeStatement, Reconciliation } from './types.ts'

export type ReconcileComponents = {
  book: ChannelBook
  ledger: Ledger
  spending: Pick<Spending, 'recheck'>
  /** Reads every channel from the contract. */
  refresh(): Promise<unknown>
}

/** Compares ledger, records and contracts at one block, after everything that can be mended was. */
export async function reconcile(components: ReconcileComponents): Promise<Reconciliation> {
  const { book, ledger, spending, refresh } = components
  await spending.recheck()
  for (let tries = 1; ; tries++) {
    await refresh()
    const checked = await ledger.sync()
    const differences = [...checked.differences, ...compareRecords(book.list(), checked)]
    // A node may settle between the two readings: look once more.
    if (differences.length === 0 || tries === RECONCILE_TRIES) {
      return { ...figures(book.list(), checked), differences }
    }
  }
}

function compareRecords(records: readonly ChannelRecord[], { holdings }: Checked): LedgerDifference[] {
  const unrecorded = holdings.channels.filter(
    ({ channelId, status }) => status !== 'none' && !records.some((record) => record.channelId === channelId),
  )
  return [
    ...unrecorded.map(
      ({ channelId, status }): LedgerDifference => ({
        code: 'CLIENT_CHANNEL_UNRECORDED',
        field: 'status',
        expected: status,
        found: 'none',
        channelId,
      }),
    ),
    ...records.flatMap((record) => compareRecord(record, holdings.channels)),
  ]
}

function compareRecord(record: ChannelRecord, held: Checked['holdings']['channels']): LedgerDifference[] {
  const { channelId, operator, known } = record
  const contract = held.find((channel) => channel.channelId === channelId)
  const at = { channelId, operator }
  const promised = promisedTotal(record.promised)
  const found: LedgerDifference[] = []
  const note = (
    code: LedgerDifference['code'],
    field: LedgerDifference['field'],
    expected: unknown,
    is: unknown,
  ) => found.push({ code, field, expected: String(expected), found: String(is), ...at })

  if (contract && record.status !== 'opening') {
    for (const field of ['status', 'deposit', 'settled'] as const) {
      if (contract[field] !== record[field]) {
        note('CLIENT_CHANNEL_RECORD_WRONG', field, contract[field], record[field])
      }
    }
  }
  if (known && record.settled > promised) note('CLIENT_OVERCHARGED', 'settled', promised, record.settled)
  return found
}

function figures(records: readonly ChannelRecord[], checked: Checked): Omit<Reconciliation, 'differences'> {
  const { channels, refunds, members } = checked.holdings
  const open = channels.filter(({ status }) => status === 'open' || status === 'closing')
  const inChannels = open.reduce((sum, { deposit, settled }) => sum + deposit - settled, 0n)
  const held = members.filter(({ status }) => status === 'active' || status === 'leaving')
  const memberships = held.reduce((sum, { deposit }) => sum + deposit, 0n)
  const operators = [...new Map(records.map(({ operator }) => [operator.toLowerCase(), operator])).values()]
  return {
    block: checked.block.number,
    channels: inChannels,
    refunds,
    memberships,
    balance: inChannels + refunds + memberships,
    nodes: operators.map((operator) => statementOf(operator, records)),
  }
}

function statementOf(operator: Address, records: readonly ChannelRecord[]): NodeStatement {
  const own = records.filter((record) => equalHex(record.operator, operator) && record.status !== 'opening')
  const sum = (amount: (record: ChannelRecord) => bigint) =>
    own.reduce((total, record) => total + amount(record), 0n)
  return {
    operator,
    deposited: sum(({ deposit }) => deposit),
    promised: sum(({ promised }) => promisedTotal(promised)),
    spent: sum(({ spent }) => spent),
    settled: sum(({ settled }) => settled),
  }
}
