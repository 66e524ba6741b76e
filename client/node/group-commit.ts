import type { DatabaseSync } from 'node:sqlite'
import type { PostriderError } from '@postrider/protocol/errors'
import { MAX_GROUPED_WRITES } from './constants.ts'
import { storageError } from './storage-error.ts'

/** Writes that share transactions and syncs. */
export interface GroupCommit {
  /**
   * Runs `run` in the next transaction; resolves with its result once that survives a power cut. Writes take effect
   * in the order of the calls; those of one transaction succeed or fail together.
   *
   * @throws PostriderError `CLIENT_STORAGE_FAILED`
   */
  write<T>(run: () => T): Promise<T>
  /** @throws PostriderError what broke the storage, for whoever is about to read what may not be on disk */
  assertWorking(): void
  /** Resolves when every write so far is on disk or has failed. */
  drain(): Promise<void>
}

type Waiting = {
  run(): unknown
  resolve(result: unknown): void
  reject(error: PostriderError): void
  result?: unknown
}

/**
 * Group commit: what is written in one turn of the event loop, or while the disk is busy with the writes before,
 * shares one transaction and one sync, so that many messages in flight cost one sync.
 *
 * @param sync makes what was committed durable, off the event loop. Once it has failed, nothing is known of what is on
 *   disk (the system may have dropped the pages), and every later write fails too.
 */
export function createGroupCommit(database: DatabaseSync, sync: () => Promise<void>): GroupCommit {
  const waiting: Waiting[] = []
  let running: Promise<void> | undefined
  let broken: PostriderError | undefined

  const commitNext = async (): Promise<void> => {
    const group = waiting.splice(0, MAX_GROUPED_WRITES)
    try {
      if (broken) throw broken
      transact(database, group)
      await sync().catch((cause) => {
        broken = storageError(cause)
        throw broken
      })
      for (const { resolve, result } of group) resolve(result)
    } catch (cause) {
      const error = storageError(cause)
      for (const { reject } of group) reject(error)
    }
  }
  const commitAll = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (waiting.length > 0) await commitNext()
    // Together with the check above, without an await between: a write after it starts a new round.
    running = undefined
  }

  return {
    write<T>(run: () => T): Promise<T> {
      const result = new Promise<T>((resolve, reject) => {
        waiting.push({ run, resolve: resolve as (result: unknown) => void, reject })
      })
      running ??= commitAll()
      return result
    },
    assertWorking() {
      if (broken) throw broken
    },
    drain: async () => running,
  }
}

function transact(database: DatabaseSync, group: readonly Waiting[]): void {
  try {
    database.exec('BEGIN IMMEDIATE')
    for (const write of group) write.result = write.run()
    database.exec('COMMIT')
  } catch (cause) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
    throw cause
  }
}
