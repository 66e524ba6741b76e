import { chmodSync, closeSync, existsSync, fdatasync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { PostriderError } from '@postrider/protocol/errors'
import type { Storage, Write } from '../storage/types.ts'
import { FILE_MODE, FOLDER_MODE } from './constants.ts'
import { createGroupCommit } from './group-commit.ts'
import { storageError } from './storage-error.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS record (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS log (
    name TEXT NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (name, number)
  ) STRICT, WITHOUT ROWID;
`

/**
 * Storage in one SQLite file, readable by its owner only. Writes that are made at the same time share one transaction
 * and one sync, which does not hold the event loop. The file is locked exclusively while it is open.
 *
 * A transaction ends in the write-ahead log. SQLite itself would sync the log there and then, on the calling thread
 * (`synchronous = FULL`); here SQLite syncs only around checkpoints (`NORMAL`), and the log is synced after each
 * transaction by the thread pool, before any of its writes resolves.
 *
 * @throws PostriderError `CLIENT_STORAGE_IN_USE`, `CLIENT_STORAGE_FAILED`
 */
export function createSqliteStorage(path: string): Storage {
  const database = openLocked(path)
  const log = openLog(database, path)
  const commits = createGroupCommit(database, () => syncFile(log))
  const statements = prepare(database)
  const append = (name: string, value: Uint8Array): number => {
    const number = Number(statements.last.get(name)?.last ?? 0) + 1
    statements.append.run(name, number, value)
    return number
  }
  const apply = (write: Write): void => {
    if ('log' in write) append(write.log, write.value)
    else if (write.value) statements.put.run(write.key, write.value)
    else statements.remove.run(write.key)
  }
  const read = async <T>(run: () => T): Promise<T> => {
    try {
      commits.assertWorking()
      return run()
    } catch (cause) {
      throw storageError(cause)
    }
  }
  return {
    get: (key) => read(() => bytesOf(statements.get.get(key)?.value)),
    put(key, value) {
      const write = copyOf({ key, value })
      return commits.write(() => apply(write))
    },
    batch(writes) {
      const copies = writes.map(copyOf)
      return commits.write(() => copies.forEach(apply))
    },
    delete: (key) => commits.write(() => apply({ key, value: undefined })),
    list: (prefix) =>
      read(() =>
        statements.list
          .all(prefix, prefix)
          .map((row) => ({ key: String(row.key), value: mustBytes(row.value) })),
      ),
    append(name, value) {
      const copy = value.slice()
      return commits.write(() => append(name, copy))
    },
    read: (name, after, limit) =>
      read(() =>
        statements.read
          .all(name, after, limit)
          .map((row) => ({ number: Number(row.number), value: mustBytes(row.value) })),
      ),
    async close() {
      await commits.drain()
      if (!database.isOpen) return
      closeSync(log)
      database.close()
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
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;')
    // The first write under this locking mode takes the lock, which the operating system frees at any death.
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`)
    return database
  } catch (cause) {
    throw storageError(cause, path)
  }
}

/**
 * The write-ahead log, for syncing. SQLite creates it with the first transaction and keeps the same file until it
 * closes the database. It takes its locks on the database itself, so this handle endangers none of them.
 */
function openLog(database: DatabaseSync, path: string): number {
  try {
    syncFolder(dirname(path))
    return openSync(`${path}-wal`, 'r+')
  } catch (cause) {
    database.close()
    throw storageError(cause, path)
  }
}

const syncFile = promisify(fdatasync)

/** Makes the names of new files durable: their own sync promises only what is in them. */
function syncFolder(path: string): void {
  // Windows does not open folders, and keeps names with the files.
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

// The write happens in a later turn of the event loop, when the caller may have reused its buffer.
function copyOf(write: Write): Write {
  if ('log' in write) return { log: write.log, value: write.value.slice() }
  return { key: write.key, value: write.value?.slice() }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined
}

function mustBytes(value: unknown): Uint8Array {
  const bytes = bytesOf(value)
  if (!bytes) throw new PostriderError('CLIENT_STORAGE_CORRUPT', { detail: 'a record is not binary' })
  return bytes
}
