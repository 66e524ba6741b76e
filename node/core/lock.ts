import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PostriderError } from '@postrider/protocol/errors'
import { PRIVATE_FILE_MODE } from './files.ts'

/**
 * Makes this process the only one that works in a data folder: accounts and message ids are kept in memory, so a second
 * one would credit, charge and number twice. The operating system frees the lock however the process ends.
 *
 * @throws PostriderError `CORE_DATA_DIR_IN_USE`, `CORE_DB_OPEN_FAILED`
 */
export function lockDataDir(dataDir: string): { release(): void } {
  const path = join(dataDir, 'node.lock')
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path)
    chmodSync(path, PRIVATE_FILE_MODE)
    // In this mode the lock of the first write is held until the file is closed.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; PRAGMA user_version = 1; COMMIT')
  } catch (cause) {
    database?.close()
    const busy = cause instanceof Error && /locked|busy/i.test(cause.message)
    throw new PostriderError(busy ? 'CORE_DATA_DIR_IN_USE' : 'CORE_DB_OPEN_FAILED', {
      detail: dataDir,
      data: { path },
      cause,
    })
  }
  const held = database
  return { release: () => held.close() }
}
