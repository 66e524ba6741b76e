import { PostriderError } from '@postrider/protocol/errors'
import { bytesToHex, type Hex, hexToBytes } from '@postrider/protocol/wire'
import {
  amountFromText,
  amountToText,
  type Database,
  type Db,
  type SqlStatement,
} from '../../core/db/index.ts'
import type {
  AccountRecord,
  ChargeRecord,
  Ledger,
  RedemptionItem,
  RedemptionRecord,
  RedemptionState,
  Service,
} from '../types.ts'

/** SQLite takes 32,766 parameters in a statement; an account has 18 columns. */
const ROWS_PER_STATEMENT = 500

/** Charges forgotten in one transaction: it takes about 10 ms, and commits of the ledger wait for it. */
export const CHARGES_PER_PRUNE = 2_000

const PRUNE = `DELETE FROM charges WHERE rowid IN
  (SELECT rowid FROM charges WHERE created_ms < ? ORDER BY created_ms LIMIT ?)`

/** The ledger in node.db: tables accounts, charges, redemptions and settlements. Commits never block the event loop. */
export function createPrismaLedger({ db, writer }: Pick<Database, 'db' | 'writer'>): Ledger {
  return {
    account: (channelId) =>
      guard(async () => {
        const row = await db.account.findUnique({ where: { channelId } })
        return row ? toAccount(row) : undefined
      }),

    accounts: ({ after = '0x', limit }) =>
      guard(async () => {
        const rows = await db.account.findMany({
          where: { channelId: { gt: after } },
          orderBy: { channelId: 'asc' },
          take: limit,
        })
        return rows.map(toAccount)
      }),

    charges: (channelId, limit) =>
      guard(async () => {
        const rows = await db.charge.findMany({
          where: { account: channelId },
          orderBy: [{ createdMs: 'desc' }, { requestId: 'desc' }],
          take: limit,
        })
        return rows.reverse().map(toCharge)
      }),

    commit: ({ accounts, charges }) =>
      guard(async () => {
        const statements = [
          ...upserts('accounts', ['channel_id'], accounts.map(accountRow)),
          ...upserts('charges', ['account', 'request_id'], charges.map(chargeRow)),
        ]
        await writer.write(statements)
      }),

    pruneCharges: (beforeMs) =>
      guard(async () => {
        const where = { createdMs: { lt: BigInt(beforeMs) } }
        while (await db.charge.findFirst({ where, select: { requestId: true } })) {
          await writer.write([{ sql: PRUNE, values: [BigInt(beforeMs), CHARGES_PER_PRUNE] }])
        }
      }),

    redemption: (id) => guard(async () => (await loadRedemptions(db, { id }, 1))[0]),

    redemptions: ({ before, limit, states }) =>
      guard(() =>
        loadRedemptions(
          db,
          { ...(before ? { id: { lt: before } } : {}), ...(states ? { state: { in: [...states] } } : {}) },
          limit,
        ),
      ),

    saveRedemption: (redemption) => guard(() => saveRedemption(db, redemption)),
  }
}

/** Runs a database call; what it throws becomes `PAYMENT_LEDGER_UNAVAILABLE`. */
async function guard<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw new PostriderError('PAYMENT_LEDGER_UNAVAILABLE', { cause })
  }
}

// ---- the hot path: one statement per table whatever the number of rows ------------------------------

type Row = Readonly<Record<string, string | bigint | number | null>>

/** Statements that insert rows of one shape, or replace those with the same key. */
function upserts(table: string, key: readonly string[], rows: readonly Row[]): SqlStatement[] {
  const columns = Object.keys(rows[0] ?? {})
  const changes = columns.filter((name) => !key.includes(name)).map((name) => `${name} = excluded.${name}`)
  const placeholders = `(${columns.map(() => '?').join(', ')})`
  const statements: SqlStatement[] = []
  for (let at = 0; at < rows.length; at += ROWS_PER_STATEMENT) {
    const part = rows.slice(at, at + ROWS_PER_STATEMENT)
    statements.push({
      sql: `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${part.map(() => placeholders).join(', ')}
        ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${changes.join(', ')}`,
      values: part.flatMap((row) => Object.values(row)),
    })
  }
  return statements
}

function accountRow(account: AccountRecord): Row {
  return {
    channel_id: account.channelId,
    payer: account.descriptor.payer,
    payee: account.descriptor.payee,
    signer: account.descriptor.signer,
    salt: account.descriptor.salt,
    deposit: amountToText(account.deposit),
    settled: amountToText(account.settled),
    status: account.status,
    close_at: account.closeAt,
    cumulative: amountToText(account.cumulative),
    tick_anchor: account.tickAnchor,
    tick_value: amountToText(account.tickValue),
    signature: account.signature ? bytesToHex(account.signature) : null,
    ticks: account.ticks,
    tick_preimage: account.tickPreimage ?? null,
    spent: amountToText(account.spent),
    paid_ms: account.paidMs === undefined ? null : BigInt(account.paidMs),
    updated_ms: BigInt(account.updatedMs),
  }
}

function chargeRow(charge: ChargeRecord): Row {
  return {
    account: charge.channelId,
    request_id: charge.requestId,
    service: charge.service,
    price: amountToText(charge.price),
    epoch: charge.epoch,
    created_ms: BigInt(charge.createdMs),
  }
}

// ---- rows to records ---------------------------------------------------------------------------

type AccountRow = NonNullable<Awaited<ReturnType<Db['account']['findUnique']>>>
type ChargeRow = NonNullable<Awaited<ReturnType<Db['charge']['findUnique']>>>

function toAccount(row: AccountRow): AccountRecord {
  const { payer, payee, signer, salt } = row
  return {
    channelId: row.channelId as Hex,
    descriptor: { payer: payer as Hex, payee: payee as Hex, signer: signer as Hex, salt: salt as Hex },
    status: row.status as AccountRecord['status'],
    deposit: amountFromText(row.deposit),
    settled: amountFromText(row.settled),
    closeAt: row.closeAt,
    cumulative: amountFromText(row.cumulative),
    tickAnchor: row.tickAnchor as Hex,
    tickValue: amountFromText(row.tickValue),
    signature: row.signature === null ? undefined : hexToBytes(row.signature),
    ticks: row.ticks,
    tickPreimage: row.tickPreimage === null ? undefined : (row.tickPreimage as Hex),
    spent: amountFromText(row.spent),
    paidMs: row.paidMs === null ? undefined : Number(row.paidMs),
    updatedMs: Number(row.updatedMs),
  }
}

function toCharge(row: ChargeRow): ChargeRecord {
  return {
    channelId: row.account as Hex,
    requestId: row.requestId,
    service: row.service as Service,
    price: amountFromText(row.price),
    epoch: row.epoch,
    createdMs: Number(row.createdMs),
  }
}

// ---- redemptions -------------------------------------------------------------------------------

type RedemptionWhere = NonNullable<NonNullable<Parameters<Db['redemption']['findMany']>[0]>['where']>

async function loadRedemptions(db: Db, where: RedemptionWhere, take: number): Promise<RedemptionRecord[]> {
  const rows = await db.redemption.findMany({ where, orderBy: { id: 'desc' }, take })
  const items = await db.settlement.findMany({
    where: { redemption: { in: rows.map(({ id }) => id) } },
    orderBy: { channelId: 'asc' },
  })
  const byRedemption = Map.groupBy(items, ({ redemption }) => redemption)
  return rows.map((row) => ({
    id: row.id,
    state: row.state as RedemptionState,
    ...(row.closes && { closes: true as const }),
    items: (byRedemption.get(row.id) ?? []).map((item) => ({
      channelId: item.channelId as Hex,
      total: amountFromText(item.total),
      amount: amountFromText(item.amount),
      status: item.status as RedemptionItem['status'],
      reason: item.reason ?? undefined,
    })),
    txHash: row.txHash === null ? undefined : (row.txHash as Hex),
    reason: row.reason ?? undefined,
    createdMs: Number(row.createdMs),
    updatedMs: Number(row.updatedMs),
  }))
}

async function saveRedemption(db: Db, redemption: RedemptionRecord): Promise<void> {
  const { id, state, closes = false, txHash = null, reason = null, items } = redemption
  const row = {
    state,
    closes,
    txHash,
    reason,
    createdMs: BigInt(redemption.createdMs),
    updatedMs: BigInt(redemption.updatedMs),
  }
  await db.$transaction([
    db.redemption.upsert({ where: { id }, create: { id, ...row }, update: row }),
    db.settlement.deleteMany({ where: { redemption: id } }),
    db.settlement.createMany({
      data: items.map((item) => ({
        redemption: id,
        channelId: item.channelId,
        total: amountToText(item.total),
        amount: amountToText(item.amount),
        status: item.status,
        reason: item.reason ?? null,
      })),
    }),
  ])
}
