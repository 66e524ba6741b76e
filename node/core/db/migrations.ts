import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '@libsql/client'
import { PostriderError } from '@postrider/protocol/errors'

/** The migrations of node.db, in Prisma's folder format: `NAME/migration.sql`, applied in the order of names. */
export const MIGRATIONS_DIR = join(import.meta.dirname, 'migrations')

/** One step of the schema; what was applied once is never edited. */
export type Migration = { name: string; sql: string; checksum: string }

/** Same table as Prisma's own tool keeps, as far as we use it, so that its tool recognises what was applied. */
const CREATE_LEDGER = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "checksum" TEXT NOT NULL,
  "finished_at" DATETIME,
  "migration_name" TEXT NOT NULL,
  "logs" TEXT,
  "rolled_back_at" DATETIME,
  "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
  "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
)`

/** Reads the migrations of a folder, sorted by name. */
export async function readMigrations(dir: string = MIGRATIONS_DIR): Promise<Migration[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(dir, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

/**
 * Applies what is missing, each migration in one transaction with its entry in the ledger.
 *
 * @returns names of the migrations that were applied now
 * @throws PostriderError `CORE_DB_TOO_NEW`, `CORE_DB_MIGRATION_CHANGED`, `CORE_DB_MIGRATION_FAILED`
 */
export async function applyMigrations(client: Client, migrations: readonly Migration[]): Promise<string[]> {
  await client.execute(CREATE_LEDGER)
  const applied = await readLedger(client)
  checkLedger(applied, migrations)
  const missing = migrations.filter(({ name }) => !applied.has(name))
  for (const migration of missing) await applyOne(client, migration)
  return missing.map(({ name }) => name)
}

async function readLedger(client: Client): Promise<Map<string, string>> {
  const { rows } = await client.execute('SELECT "migration_name", "checksum" FROM "_prisma_migrations"')
  return new Map(rows.map((row) => [String(row.migration_name), String(row.checksum)]))
}

function checkLedger(applied: ReadonlyMap<string, string>, migrations: readonly Migration[]): void {
  const known = new Map(migrations.map(({ name, checksum }) => [name, checksum]))
  for (const [name, checksum] of applied) {
    const expected = known.get(name)
    if (expected === undefined) throw new PostriderError('CORE_DB_TOO_NEW', { detail: name, data: { name } })
    if (expected !== checksum) {
      throw new PostriderError('CORE_DB_MIGRATION_CHANGED', {
        detail: name,
        data: { name, checksum, expected },
      })
    }
  }
}

async function applyOne(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  const transaction = await client.transaction('write')
  try {
    await transaction.executeMultiple(sql)
    await transaction.execute({
      sql: `INSERT INTO "_prisma_migrations" ("id", "checksum", "migration_name", "finished_at", "applied_steps_count")
            VALUES (?, ?, ?, current_timestamp, 1)`,
      args: [name, checksum, name],
    })
    await transaction.commit()
  } catch (cause) {
    throw new PostriderError('CORE_DB_MIGRATION_FAILED', { detail: name, data: { name }, cause })
  } finally {
    transaction.close()
  }
}
