import type { DatabaseSync } from 'node:sqlite'
import { PostriderError } from '@postrider/protocol/errors'

/** Stored in the file's header (`PRAGMA user_version`). */
const SCHEMA_VERSION = 1n

/**
 * `message_by_time` is the archive's order; `message_by_topic` is the same order within one topic, so that a
 * page of a content filter reads only rows that belong to it. Data comes last in the row: SQLite then reads
 * the columns before it without following overflow pages.
 */
const SCHEMA = `
  CREATE TABLE topic (
    id INTEGER PRIMARY KEY,
    pubsub TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (pubsub, content)
  ) STRICT;
  CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    topic INTEGER NOT NULL REFERENCES topic (id),
    size INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    data BLOB NOT NULL
  ) STRICT;
  CREATE INDEX message_by_time ON message (timestamp, hash);
  CREATE INDEX message_by_topic ON message (topic, timestamp, hash);
  CREATE TABLE total (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO total VALUES (1, 0, 0);
`

/**
 * Prepares a connection and creates the tables in an empty file.
 *
 * @throws PostriderError `STORE_VERSION_UNSUPPORTED` when a newer version of Postrider wrote the file
 */
export function openSchema(database: DatabaseSync): void {
  // Space that retention frees goes back to the file system; it must be set before the first table.
  database.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL')
  // With WAL, NORMAL survives a killed process; a power cut may lose the newest transactions, never more.
  database.exec('PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000')
  const row = database.prepare('PRAGMA user_version').get()
  const version = BigInt(Number(row?.user_version ?? 0))
  if (version === SCHEMA_VERSION) return
  if (version !== 0n) {
    throw new PostriderError('STORE_VERSION_UNSUPPORTED', {
      detail: `the file has version ${version}, this program knows ${SCHEMA_VERSION}`,
      data: { version: version.toString() },
    })
  }
  database.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
}
