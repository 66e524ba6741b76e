import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Storage, Write } from '../storage/types.ts'
import { FILE_MODE, FOLDER_MODE, MAX_GROUPED_WRITES } from './constants.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS record (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS log (
    name TEXT NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (name, number)
  ) STRICT, WITHOUT ROWID;
`

/** One write that waits for the next commit. */
type Waiting = {
  run(): unknown
  resolve(result: unknown): void
  reject(error: unknown): void
  result?: unknown
}

/**
 * Storage in one SQLite file, readable by its owner only, synced to disk at every commit. Writes that are made in
 * the same turn of the event loop share one commit, so that many messages in flight cost one sync.
 * The file is locked exclusively while it is open.
 *
 * @throws PostriderError `CLIENT_STORAGE_IN_USE`, `CLIENT_STORAGE_FAILED`
 */
export function createSqliteStorage(path: string): Storage {
  const database = openLocked(path)
  return createStorage(database)
}

function createStorage(database: DatabaseSync): Storage {
  const statements = prepare(database)
  const writer = createGroupedWriter(database)
  const append = (log: string, value: Uint8Array): number => {
    const number = Number(statements.last.get(log)?.last ?? 0) + 1
    statements.append.run(log, number, value)
    return number
  }
  const apply = (write: Write): void => {
    if ('log' in write) append(write.log, write.value)
    else if (write.value) statements.put.run(write.key, write.value)
    else statements.remove.run(write.key)
  }
  return {
    get: (key) => attempt(() => bytesOf(statements.get.get(key)?.value)),
    put(key, value) {
      const write = copyOf({ key, value })
      return writer.write(() => apply(write))
    },
    batch(writes) {
      const copies = writes.map(copyOf)
      return writer.write(() => copies.forEach(apply))
    },
    delete: (key) => writer.write(() => apply({ key, value: undefined })),
    list: (prefix) =>
      attempt(() =>
        statements.list
          .all(prefix, prefix)
          .map((row) => ({ key: String(row.key), value: mustBytes(row.value) })),
      ),
    append(log, value) {
      const copy = value.slice()
      return writer.write(() => append(log, copy))
    },
    read: (log, after, limit) =>
      attempt(() =>
        statements.read
          .all(log, after, limit)
          .map((row) => ({ number: Number(row.number), value: mustBytes(row.value) })),
      ),
    async close() {
      await writer.drain()
      if (database.isOpen) database.close()
    },
  }
}

function prepare(database: DatabaseSync) {
  return {
    get: database.prepare('SELECT value FROM record WHERE key = ?'),
    put: database.prepare('INSERT OR REPLACE INTO record (key, value) VALUES (?, ?)'),
    remove: database.prepare('DELETE FROM record WHERE key = ?'),
    // Text compares by its UTF-8 bytes, so the scan starts at the prefix itself.
    list: database.prepare(
      'SELECT key, value FROM record WHERE key >= ?1 AND substr(key, 1, length(?2)) = ?2 ORDER BY key',
    ),
    last: database.prepare('SELECT max(number) AS last FROM log WHERE name = ?'),
    append: database.prepare('INSERT INTO log (name, number, value) VALUES (?, ?, ?)'),
    read: database.prepare(
      'SELECT number, value FROM log WHERE name = ? AND number > ? ORDER BY number LIMIT ?',
    ),
  }
}

function openLocked(path: string): DatabaseSync {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE })
    // Created with its final mode: SQLite would create it readable by everyone.
    if (!existsSync(path)) closeSync(openSync(path, 'a', FILE_MODE))
    chmodSync(path, FILE_MODE)
    const database = new DatabaseSync(path)
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    // The first write under this locking mode takes the lock, which the operating system frees at any death.
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`)
    return database
  } catch (cause) {
    throw storageError(cause, path)
  }
}

/** Collects writes and commits them together; each resolves after the commit that holds it. */
function createGroupedWriter(database: DatabaseSync) {
  let waiting: Waiting[] = []
  let scheduled: Promise<void> | undefined

  const commit = () => {
    while (waiting.length > 0) {
      const group = waiting.slice(0, MAX_GROUPED_WRITES)
      waiting = waiting.slice(MAX_GROUPED_WRITES)
      commitGroup(database, group)
    }
  }
  const schedule = () =>
    new Promise<void>((resolve) =>
      setImmediate(() => {
        scheduled = undefined
        commit()
        resolve()
      }),
    )
  return {
    write<T>(run: () => T): Promise<T> {
      const result = new Promise<T>((resolve, reject) => {
        waiting.push({ run, resolve: resolve as (result: unknown) => void, reject })
      })
      scheduled ??= schedule()
      return result
    },
    drain: async () => scheduled,
  }
}

function commitGroup(database: DatabaseSync, group: readonly Waiting[]): void {
  try {
    database.exec('BEGIN IMMEDIATE')
    for (const write of group) write.result = write.run()
    database.exec('COMMIT')
  } catch (cause) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
    for (const write of group) write.reject(storageError(cause))
    return
  }
  for (const write of group) write.resolve(write.result)
}

// The write happens in a later turn of the event loop, when the caller may have reused its buffer.
function copyOf(write: Write): Write {
  if ('log' in write) return { log: write.log, value: write.value.slice() }
  return { key: write.key, value: write.value?.slice() }
}

async function attempt<T>(read: () => T): Promise<T> {
  try {
    return read()
  } catch (cause) {
    throw storageError(cause)
  }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined
}

function mustBytes(value: unknown): Uint8Array {
  const bytes = bytesOf(value)
  if (!bytes) throw new PostriderError('CLIENT_STORAGE_CORRUPT', { detail: 'a record is not binary' })
  return bytes
}

function storageError(cause: unknown, path?: string): PostriderError {
  if (isPostriderError(cause)) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const busy = /database is locked|SQLITE_BUSY/.test(message)
  return new PostriderError(busy ? 'CLIENT_STORAGE_IN_USE' : 'CLIENT_STORAGE_FAILED', {
    detail: path ? `${path}: ${message}` : message,
    cause,
  })
}
