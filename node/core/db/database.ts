import { chmod } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Client, type Config, createClient } from '@libsql/client'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import { DB_BUSY_TIMEOUT_MS, DB_TRANSACTION_TIMEOUT_MS, DB_TRANSACTION_WAIT_MS } from '../constants.ts'
import { ensurePrivateDir, PRIVATE_FILE_MODE } from '../files.ts'
import { PrismaClient } from './generated/client.ts'
import { applyMigrations, readMigrations } from './migrations.ts'
import { createDbWriter, type DbWriter } from './writer.ts'

/** Typed access to node.db: `db.account.findMany(…)`, `db.$transaction(…)`. */
export type Db = PrismaClient

/** What a function needs that may run inside a transaction or outside. */
export type DbTransaction = Omit<
  Db,
  '$connect' | '$disconnect' | '$on' | '$use' | '$extends' | '$transaction'
>

export type Database = {
  readonly db: Db
  /** For writes that are too many to let the event loop wait for each. */
  readonly writer: DbWriter
  /** Names of the migrations that this opening applied. */
  readonly migrated: readonly string[]
  close(): Promise<void>
}

/**
 * WAL lets another process read while the node writes. `synchronous = FULL` makes a commit survive a power cut,
 * which money and message ids need; WAL's usual NORMAL would only survive a crash of the process.
 */
const SETTINGS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = ${DB_BUSY_TIMEOUT_MS};
`

/**
 * Opens (and if need be creates, at mode 0600, and migrates) a database file.
 *
 * @param path file name, absolute or relative to the working folder
 * @throws PostriderError `CORE_DB_OPEN_FAILED`, `CORE_DB_TOO_NEW`, `CORE_DB_MIGRATION_CHANGED`,
 *   `CORE_DB_MIGRATION_FAILED`
 */
export async function openDatabase(path: string): Promise<Database> {
  await ensurePrivateDir(dirname(path))
  try {
    const migrated = await migrateFile(path)
    const db = new PrismaClient({
      adapter: new OneConnection(connectionConfig(path)),
      transactionOptions: { maxWait: DB_TRANSACTION_WAIT_MS, timeout: DB_TRANSACTION_TIMEOUT_MS },
    })
    await db.$connect()
    const writer = createDbWriter({ config: connectionConfig(path), settings: SETTINGS })
    const close = async () => {
      await writer.stop()
      await db.$disconnect()
    }
    return { db, writer, migrated, close }
  } catch (cause) {
    if (isPostriderError(cause)) throw cause
    throw new PostriderError('CORE_DB_OPEN_FAILED', { detail: path, data: { path }, cause })
  }
}

/**
 * Passes a result on; turns an error of the database into ours. For calls whose callers tell errors by code.
 *
 * @throws PostriderError `CORE_DB_FAILED`
 */
export async function dbErrors<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (cause) {
    if (isPostriderError(cause)) throw cause
    throw new PostriderError('CORE_DB_FAILED', { detail: lastLine(cause), cause })
  }
}

/** Prisma's messages quote the calling code first and end with the reason. */
function lastLine(error: unknown): string {
  return error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error)
}

async function migrateFile(path: string): Promise<string[]> {
  const client = createClient(connectionConfig(path))
  try {
    await chmod(path, PRIVATE_FILE_MODE)
    await client.executeMultiple(SETTINGS)
    return await applyMigrations(client, await readMigrations())
  } finally {
    client.close()
  }
}

/** One connection, so that the settings hold for every statement; the node is the only writer anyway. */
function connectionConfig(path: string): Config {
  return { url: pathToFileURL(path).href, timeout: DB_BUSY_TIMEOUT_MS, concurrency: 1, intMode: 'bigint' }
}

/**
 * Prisma's adapter with our settings, and with transactions that take the write lock when they begin: one that
 * starts by reading and then writes would otherwise fail at once, without waiting, if another process wrote between.
 */
class OneConnection extends PrismaLibSql {
  override async connect(): ReturnType<PrismaLibSql['connect']> {
    const adapter = await super.connect()
    await adapter.executeScript(SETTINGS)
    return adapter
  }

  override createClient(config: Config): Client {
    const client = createClient(config)
    const begin = client.transaction.bind(client)
    client.transaction = () => begin('write')
    return client
  }
}
