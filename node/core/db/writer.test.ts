import { describe, expect, it } from 'vitest'
import { createTempDir } from '../testing/temp-dir.ts'
import { amountToText, openDatabase } from './index.ts'
import type { SqlStatement } from './writer.ts'

const insert = (id: number): SqlStatement => ({
  sql: 'INSERT INTO charges (account, request_id, service, price, epoch, created_ms) VALUES (?, ?, ?, ?, ?, ?)',
  values: ['0xaa', String(id), 'query', amountToText(5n), 1n, 1n],
})

describe('writes on a thread of their own', () => {
  it('are seen by the other connection as soon as they resolve, in the order of the calls', async () => {
    await using dir = await createTempDir()
    const { db, writer, close } = await openDatabase(dir.file('node.db'))
    const resolved: number[] = []
    await Promise.all([1, 2, 3].map((id) => writer.write([insert(id)]).then(() => resolved.push(id))))
    expect(resolved).toEqual([1, 2, 3])
    expect(await db.charge.count()).toBe(3)
    await close()
  })

  it('are whole or nothing, and go on after one that failed', async () => {
    await using dir = await createTempDir()
    const { db, writer, close } = await openDatabase(dir.file('node.db'))
    await expect(writer.write([insert(1), insert(1)])).rejects.toMatchObject({ code: 'CORE_DB_FAILED' })
    expect(await db.charge.count()).toBe(0)
    await writer.write([insert(2)])
    expect(await db.charge.count()).toBe(1)
    await close()
  })

  it('wait for a transaction of the other connection', async () => {
    await using dir = await createTempDir()
    const { db, writer, close } = await openDatabase(dir.file('node.db'))
    const entered = Promise.withResolvers<void>()
    const leave = Promise.withResolvers<void>()
    const holding = db.$transaction(async (transaction) => {
      await transaction.charge.count()
      entered.resolve()
      await leave.promise
    })
    await entered.promise
    const written = writer.write([insert(1)])
    leave.resolve()
    await Promise.all([holding, written])
    expect(await db.charge.count()).toBe(1)
    await close()
  })

  it('are finished before the database closes', async () => {
    await using dir = await createTempDir()
    const first = await openDatabase(dir.file('node.db'))
    const written = first.writer.write([insert(1)])
    await first.close()
    await written
    const second = await openDatabase(dir.file('node.db'))
    expect(await second.db.charge.count()).toBe(1)
    await second.close()
  })
})
