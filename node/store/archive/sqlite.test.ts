import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PostriderError } from '@postrider/protocol/errors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_PAGE_SIZE } from '../constants.ts'
import { describeArchive, pageRequest, storedMessage } from '../testing/archive-suite.ts'
import { openSqliteArchive } from './sqlite.ts'
import { prepareStatements } from './statements.ts'

describeArchive('SQLite', () => openSqliteArchive(':memory:'))

describe('SQLite archive file', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postrider-archive-'))
    path = join(folder, 'archive.db')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('keeps what was appended when the process vanishes without closing', async () => {
    const abandoned = openSqliteArchive(path)
    await abandoned.append([storedMessage(1), storedMessage(2)])
    const reopened = openSqliteArchive(path)
    expect((await reopened.stats()).messages).toBe(2)
    expect((await reopened.query(pageRequest())).entries.map((entry) => entry.timestamp)).toEqual([1n, 2n])
    await reopened.close()
    await abandoned.close()
  })

  it('is private, with the files beside it', async () => {
    writeFileSync(path, '', { mode: 0o644 })
    const archive = openSqliteArchive(path)
    await archive.append([storedMessage(1)])
    const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777])
    expect(modes).toEqual(['archive.db', 'archive.db-shm', 'archive.db-wal'].map((name) => [name, 0o600]))
    await archive.close()
  })

  it('refuses a file of a newer version', () => {
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => openSqliteArchive(path)).toThrow(
      expect.objectContaining({ name: 'PostriderError', code: 'STORE_VERSION_UNSUPPORTED' }),
    )
  })

  it('refuses a file that is not a database', () => {
    expect(() => openSqliteArchive(folder)).toThrow(PostriderError)
  })

  it('rolls a failed batch back whole and goes on', async () => {
    const archive = openSqliteArchive(path)
    const broken = { ...storedMessage(2), timestamp: 2n ** 70n } // does not fit an SQLite integer
    await expect(archive.append([storedMessage(1), broken])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    expect(await archive.stats()).toEqual({ messages: 0, bytes: 0 })
    expect(await archive.append([storedMessage(1)])).toBe(1)
    expect((await archive.query(pageRequest())).entries).toHaveLength(1)
    await archive.close()
  })

  it('answers STORE_UNAVAILABLE once it is closed', async () => {
    const archive = openSqliteArchive(path)
    await archive.close()
    await expect(archive.stats()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
  })

  it('gives space back to the file system', async () => {
    const archive = openSqliteArchive(path)
    const data = new Uint8Array(50_000)
    await archive.append(Array.from({ length: 40 }, (_, seed) => storedMessage(seed, { data })))
    while ((await archive.prune({ before: 100n, limit: 10 })) > 0);
    await archive.close()
    expect(statSync(path).size).toBeLessThan(10 * data.length)
  })

  it('walks indexes only: no query sorts or scans the table', async () => {
    const archive = openSqliteArchive(path)
    await archive.close()
    const database = new DatabaseSync(path)
    const statements = prepareStatements(database)
    const walks = [statements.walkAll, statements.walkTopic].flatMap(({ forward, backward }) => [
      forward,
      backward,
    ])
    for (const statement of walks) {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${statement.sourceSQL}`).all()
      const details = plan.map((row) => String(row.detail))
      expect(details).toHaveLength(1)
      expect(details[0]).toMatch(
        /^SEARCH message USING COVERING INDEX message_by_(time|topic) \(.*\(timestamp,hash\)>\(\?,\?\) AND \(timestamp,hash\)<\(\?,\?\)\)$/,
      )
    }
    database.close()
  })

  it('reads a full page of a large archive in milliseconds', async () => {
    const archive = openSqliteArchive(path)
    for (let batch = 0; batch < 40; batch++) {
      await archive.append(Array.from({ length: 250 }, (_, at) => storedMessage(batch * 250 + at)))
    }
    const started = performance.now()
    const rounds = 20
    for (let round = 0; round < rounds; round++) {
      await archive.query(pageRequest({ limit: MAX_PAGE_SIZE, filter: { timeStart: 5_000n } }))
    }
    // Typical is well under 1 ms; the bound only catches a lost index on a busy machine.
    expect((performance.now() - started) / rounds).toBeLessThan(50)
    await archive.close()
  })
})
