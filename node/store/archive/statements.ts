import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** A row of a walk; `id` finds the rest of it. */
export type WalkRow = { id: bigint; timestamp: bigint; hash: Uint8Array }

/** Every statement of the adapter, prepared once per connection. Integers are read as bigint. */
export type Statements = ReturnType<typeof prepareStatements>

const WALK_RANGE = '(timestamp, hash) > (?, ?) AND (timestamp, hash) < (?, ?)'
const FORWARD = 'ORDER BY timestamp, hash LIMIT ?'
const BACKWARD = 'ORDER BY timestamp DESC, hash DESC LIMIT ?'

export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => {
    const statement = database.prepare(sql)
    statement.setReadBigInts(true)
    return statement
  }
  const walk = (where: string) => ({
    forward: prepare(`SELECT id, timestamp, hash FROM message WHERE ${where}${WALK_RANGE} ${FORWARD}`),
    backward: prepare(`SELECT id, timestamp, hash FROM message WHERE ${where}${WALK_RANGE} ${BACKWARD}`),
  })
  return {
    begin: prepare('BEGIN IMMEDIATE'),
    commit: prepare('COMMIT'),
    rollback: prepare('ROLLBACK'),
    topicId: prepare('SELECT id FROM topic WHERE pubsub = ? AND content = ?'),
    insertTopic: prepare('INSERT INTO topic (pubsub, content) VALUES (?, ?) RETURNING id'),
    insertMessage: prepare(
      'INSERT INTO message (timestamp, topic, size, hash, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING',
    ),
    walkAll: walk(''),
    walkTopic: walk('topic = ? AND '),
    byHash: prepare('SELECT id, timestamp, hash FROM message WHERE hash = ?'),
    head: prepare(
      'SELECT size, pubsub FROM message JOIN topic ON topic.id = message.topic WHERE message.id = ?',
    ),
    data: prepare('SELECT data FROM message WHERE id = ?'),
    oldest: prepare('SELECT id, timestamp, topic, size FROM message ORDER BY timestamp, hash LIMIT ?'),
    newest: prepare('SELECT timestamp FROM message ORDER BY timestamp DESC, hash DESC LIMIT 1'),
    deleteMessage: prepare('DELETE FROM message WHERE id = ?'),
    deleteUnusedTopic: prepare(
      'DELETE FROM topic WHERE id = ? AND NOT EXISTS (SELECT 1 FROM message WHERE topic = topic.id)',
    ),
    total: prepare('SELECT messages, bytes FROM total'),
    addTotal: prepare('UPDATE total SET messages = messages + ?, bytes = bytes + ?'),
    vacuum: prepare('PRAGMA incremental_vacuum(1024)'),
  }
}
