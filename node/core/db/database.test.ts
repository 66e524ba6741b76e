import { stat, writeFile } from 'node:fs/promises'
import { createClient } from '@libsql/client'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTempDir } from '../testing/temp-dir.ts'
import { amountFromText, amountToText, openDatabase } from './index.ts'
import { applyMigrations, readMigrations } from './migrations.ts'

type RuntimeModels = {
  models: Record<string, { dbName: string | null; fields: { name: string; dbName?: string; type: string }[] }>
}

/** Prisma's scalar types as SQLite declares them. */
const COLUMN_TYPES: Record<string, string> = {
  String: 'TEXT',
  Int: 'INTEGER',
  BigInt: 'BIGINT',
  Bytes: 'BLOB',
  Boolean: 'BOOLEAN',
}

describe('database', () => {
  it('has the tables and columns that the schema declares, and no others', async () => {
    await using dir = await createTempDir()
    const { db, close } = await openDatabase(dir.file('node.db'))
    const { models } = (db as unknown as { _runtimeDataModel: RuntimeModels })._runtimeDataModel
    const declared = Object.values(models).map(({ dbName, fields }) => [
      dbName,
      fields.map((field) => `${field.dbName ?? field.name} ${COLUMN_TYPES[field.type]}`).sort(),
    ])
    const tables = await db.$queryRaw<{ name: string }[]>`
      SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '_prisma_migrations'`
    const actual = await Promise.all(
      tables.map(async ({ name }) => {
        const columns = await db.$queryRaw<{ name: string; type: string }[]>`
          SELECT name, type FROM pragma_table_info(${name})`
        return [name, columns.map((column) => `${column.name} ${column.type}`).sort()]
      }),
    )
    const byName = (a: unknown[], b: unknown[]) => String(a[0]).localeCompare(String(b[0]))
    expect(actual.sort(byName)).toEqual(declared.sort(byName))
    await close()
  })

  it('is private, durable, and migrated once', async () => {
    await using dir = await createTempDir()
    const path = dir.file('sub/node.db')
    const first = await openDatabase(path)
    expect(first.migrated).toContain('0001_initial')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await first.db.$queryRawUnsafe('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }])
    expect(await first.db.$queryRawUnsafe('PRAGMA synchronous')).toEqual([{ synchronous: 2n }])
    await first.db.rlnMessageId.create({ data: { commitment: '0x1', epoch: '7', nextId: 3 } })
    await first.close()
    const second = await openDatabase(path)
    expect(second.migrated).toEqual([])
    expect(await second.db.rlnMessageId.findMany()).toEqual([{ commitment: '0x1', epoch: '7', nextId: 3 }])
    await second.close()
  })

  it('rolls a failed transaction back', async () => {
    await using dir = await createTempDir()
    const { db, close } = await openDatabase(dir.file('node.db'))
    const id = { commitment: '0x1', epoch: '1', nextId: 0 }
    const failing = db.$transaction(async (tx) => {
      await tx.rlnMessageId.create({ data: id })
      await tx.rlnMessageId.create({ data: id })
    })
    await expect(failing).rejects.toThrow()
    expect(await db.rlnMessageId.count()).toBe(0)
    await close()
  })

  it('waits for a reader-turned-writer of another connection instead of failing', async () => {
    await using dir = await createTempDir()
    const [one, two] = [await openDatabase(dir.file('node.db')), await openDatabase(dir.file('node.db'))]
    const id = { commitment: '0x1', epoch: '1', nextId: 0 }
    await one.db.rlnMessageId.create({ data: id })
    const where = { commitment_epoch: { commitment: '0x1', epoch: '1' } }
    for (let round = 0; round < 20; round++) {
      for (const { db } of [one, two]) {
        await db.$transaction(async (tx) => {
          const { nextId } = await tx.rlnMessageId.findUniqueOrThrow({ where })
          await tx.rlnMessageId.update({ where, data: { nextId: nextId + 1 } })
        })
      }
    }
    expect((await one.db.rlnMessageId.findUniqueOrThrow({ where })).nextId).toBe(40)
    await Promise.all([one.close(), two.close()])
  })

  it('refuses amounts that are no amounts', async () => {
    await using dir = await createTempDir()
    const { db, close } = await openDatabase(dir.file('node.db'))
    const charge = { account: 'a', requestId: 'r', service: 's', epoch: 2n ** 60n, createdMs: 1n }
    await expect(db.charge.create({ data: { ...charge, price: '5' } })).rejects.toThrow()
    await db.charge.create({ data: { ...charge, price: amountToText(5n) } })
    expect(await db.charge.findFirst()).toMatchObject({ epoch: 2n ** 60n })
    await close()
  })

  it('says which file cannot be opened', async () => {
    await using dir = await createTempDir()
    await writeFile(dir.file('node.db'), 'this is no database, only some text that is long enough to be read')
    const opening = openDatabase(dir.file('node.db'))
    await expect(opening).rejects.toMatchObject({ code: 'CORE_DB_OPEN_FAILED' })
  })
})

describe('migrations', () => {
  const step = (name: string, sql: string) => ({ name, sql, checksum: `sum of ${sql}` })

  it('applies only what is missing, in order', async () => {
    const client = createClient({ url: 'file::memory:' })
    const one = step('0001', 'CREATE TABLE a (x TEXT)')
    expect(await applyMigrations(client, [one])).toEqual(['0001'])
    expect(await applyMigrations(client, [one, step('0002', 'ALTER TABLE a ADD COLUMN y TEXT')])).toEqual([
      '0002',
    ])
    client.close()
  })

  it('refuses edited and unknown steps', async () => {
    const client = createClient({ url: 'file::memory:' })
    await applyMigrations(client, [step('0001', 'CREATE TABLE a (x TEXT)')])
    const edited = applyMigrations(client, [step('0001', 'CREATE TABLE a (y TEXT)')])
    await expect(edited).rejects.toMatchObject({ code: 'CORE_DB_MIGRATION_CHANGED' })
    await expect(applyMigrations(client, [])).rejects.toMatchObject({ code: 'CORE_DB_TOO_NEW' })
    client.close()
  })

  it('leaves nothing of a step that fails half way', async () => {
    const client = createClient({ url: 'file::memory:' })
    const failing = applyMigrations(client, [
      step('0001', 'CREATE TABLE a (x TEXT); CREATE TABLE a (x TEXT);'),
    ])
    await expect(failing).rejects.toMatchObject({ code: 'CORE_DB_MIGRATION_FAILED' })
    const { rows } = await client.execute("SELECT name FROM sqlite_schema WHERE name = 'a'")
    expect(rows).toEqual([])
    client.close()
  })

  it('finds the migrations of this version', async () => {
    const names = (await readMigrations()).map(({ name }) => name)
    expect(names).toEqual([...names].sort())
    expect(names[0]).toBe('0001_initial')
  })
})

describe('amounts', () => {
  const amounts = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })

  it('come back unchanged and sort as numbers', () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        expect(amountFromText(amountToText(a))).toBe(a)
        expect(amountToText(a) < amountToText(b)).toBe(a < b)
      }),
    )
  })

  it('refuse what does not fit', () => {
    expect(() => amountToText(-1n)).toThrow()
    expect(() => amountToText(2n ** 128n)).toThrow()
    expect(() => amountFromText('1')).toThrow()
    expect(() => amountFromText(`-${'0'.repeat(38)}`)).toThrow()
  })
})
