/**
 * A payment node that is going to be killed: opens the ledger named on the command line, goes on where it
 * stands, and writes one line for each result that it would tell a client.
 */
import { openDatabase } from '../../core/db/index.ts'
import { recordPaid } from '../account.ts'
import { createAccountBook } from '../book.ts'
import { createPrismaLedger } from '../ledger/prisma.ts'
import { createComponents, createPayer } from './kit.ts'

const VOUCHER_STEP = 200n
const TICKS = { chain: 'crash', value: 1n }

const [path = ''] = process.argv.slice(2)
const database = await openDatabase(path)
const components = createComponents(createPrismaLedger(database))
const payer = createPayer('alice')
components.escrow.open(payer, 10n ** 18n)
const book = createAccountBook(components, { unpaidLimit: 1_000n, freeRequests: 0 })
let record = await book.hold(payer.channelId, payer.descriptor)

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const tell = (applied: { record: typeof record }) => {
  record = applied.record
  say({ paid: recordPaid(record).toString(), spent: record.spent.toString(), ticks: record.ticks })
}

say({ resumed: recordPaid(record).toString() })
for (let round = 0; ; round++) {
  // The reducer trusts that the signature was checked; signing here would only slow the child down.
  const voucher = { ...unsigned(recordPaid(record) + VOUCHER_STEP), signature: new Uint8Array(65).fill(1) }
  tell(await book.apply(payer.channelId, () => ({ type: 'voucher', voucher })))
  const work = Array.from({ length: 20 }, (_, at) => [
    book.apply(payer.channelId, () => ({ type: 'tick', tick: payer.tick(TICKS.chain, at + 1) })).then(tell),
    charge(`${record.spent} ${round} ${at}`),
  ])
  await Promise.all(work.flat())
}

function unsigned(cumulative: bigint) {
  const { signature: _, ...voucher } = payer.voucher(cumulative, TICKS)
  return voucher
}

async function charge(requestId: string): Promise<void> {
  const event = { type: 'charge', requestId, price: 3n, epoch: 1n, service: 'query' } as const
  const applied = await book.apply(payer.channelId, () => event)
  tell(applied)
  say({ charged: requestId, ok: applied.effects[0]?.type === 'charged' })
}
