import type { Hex } from '@postrider/protocol/wire'
import { type Db, type DbTransaction, dbErrors } from '../core/db/index.ts'
import type { ChainEvent, ChainLogChange, ChainLogSnapshot, ChainLogStore, ContractName } from './types.ts'

/** The one row of chain_cursor. */
const CURSOR_ID = 1

/** Rows of one insert: SQLite takes at most 32,766 variables, and an event has eight. */
const INSERT_ROWS = 1_000

/** Keeps the log in node.db. Every call throws `CORE_DB_FAILED` when the database refuses. */
export function createDbLogStore(db: Db): ChainLogStore {
  return {
    load: (fingerprint) => dbErrors(load(db, fingerprint)),
    append: (change) => dbErrors(append(db, change)),
    truncate: (fingerprint, nextBlock) => dbErrors(truncate(db, fingerprint, nextBlock)),
  }
}

async function load(db: Db, fingerprint: string): Promise<ChainLogSnapshot | undefined> {
  const cursor = await db.chainCursor.findUnique({ where: { id: CURSOR_ID } })
  if (cursor?.fingerprint !== fingerprint) return undefined
  const checkpoints = await db.chainCheckpoint.findMany({ orderBy: { number: 'asc' } })
  const rows = await db.chainEvent.findMany({ orderBy: [{ blockNumber: 'asc' }, { logIndex: 'asc' }] })
  return {
    nextBlock: cursor.nextBlock,
    checkpoints: checkpoints.map((row) => ({ ...row, hash: row.hash as Hex })),
    events: rows.map(fromRow),
  }
}

async function append(db: Db, change: ChainLogChange): Promise<void> {
  const { fingerprint, newFrom, nextBlock, checkpoints, events } = change
  const added = checkpoints.filter(({ number }) => number >= newFrom)
  await db.$transaction(async (tx) => {
    for (let at = 0; at < events.length; at += INSERT_ROWS) {
      await tx.chainEvent.createMany({ data: events.slice(at, at + INSERT_ROWS).map(toRow) })
    }
    await tx.chainCheckpoint.deleteMany({ where: { number: { lt: checkpoints[0]?.number ?? 0 } } })
    await tx.chainCheckpoint.createMany({ data: added })
    await setCursor(tx, fingerprint, nextBlock)
  })
}

async function truncate(db: Db, fingerprint: string, nextBlock: number): Promise<void> {
  await db.$transaction(async (tx) => {
    const cursor = await tx.chainCursor.findUnique({ where: { id: CURSOR_ID } })
    const from = cursor?.fingerprint === fingerprint ? nextBlock : 0
    await tx.chainEvent.deleteMany({ where: { blockNumber: { gte: from } } })
    await tx.chainCheckpoint.deleteMany({ where: { number: { gte: from } } })
    await setCursor(tx, fingerprint, nextBlock)
  })
}

async function setCursor(tx: DbTransaction, fingerprint: string, nextBlock: number): Promise<void> {
  const where = { id: CURSOR_ID }
  const row = { fingerprint, nextBlock }
  await tx.chainCursor.upsert({ where, create: { ...where, ...row }, update: row })
}

function toRow(event: ChainEvent) {
  return { ...event, args: JSON.stringify(event.args) }
}

type EventRow = Omit<ChainEvent, 'args' | 'blockHash' | 'txHash' | 'contract'> & {
  args: string
  blockHash: string
  txHash: string
  contract: string
}

function fromRow(row: EventRow): ChainEvent {
  return {
    ...row,
    blockHash: row.blockHash as Hex,
    txHash: row.txHash as Hex,
    contract: row.contract as ContractName,
    args: JSON.parse(row.args),
  }
}
