import { PostriderError } from '@postrider/protocol/errors'
import type { Storage, Write } from '../storage/types.ts'
import { completed, openDatabase, result } from './idb.ts'
import { acquireLock } from './lock.ts'

const RECORDS = 'records'
const LOGS = 'logs'

/** A record's key: its UTF-8 bytes, which IndexedDB orders as bytes. */
const keyOf = (key: string) => new TextEncoder().encode(key)
const startOf = (log: string): [string, number] => [log, 0]
const endOf = (log: string): [string, number] => [log, Number.POSITIVE_INFINITY]

/**
 * Opens a storage in the browser's IndexedDB, under a name of its origin. Writes are on disk when their promise
 * resolves. A Web Lock keeps other tabs and workers out while it is open, also after a crash of theirs.
 *
 * The browser is asked not to evict the origin's data; what it would evict is all of it, the identity with its ids.
 *
 * @throws PostriderError `CLIENT_STORAGE_IN_USE`, `CLIENT_STORAGE_FAILED`
 */
export async function openIndexedDbStorage(name: string): Promise<Storage> {
  const release = await acquireLock(`postrider-storage-${name}`).catch((cause) => {
    throw failed(cause)
  })
  try {
    const database = await openDatabase(`postrider-storage-${name}`, (created) => {
      created.createObjectStore(RECORDS)
      created.createObjectStore(LOGS)
    })
    // Some browsers ask the user: nothing waits for the answer. A client in a worker cannot ask.
    navigator.storage.persist?.().catch(() => undefined)
    return createStorage(database, release)
  } catch (cause) {
    release()
    throw failed(cause)
  }
}

function createStorage(database: IDBDatabase, release: () => void): Storage {
  const underWay = new Set<Promise<unknown>>()
  let open = true
  // The user cleared the site's data, or the browser gave up on it.
  database.onclose = () => {
    open = false
    release()
  }

  /** Runs one transaction; those that write take effect in the order of the calls. */
  const run = async <T>(mode: IDBTransactionMode, act: (stores: Stores) => Promise<T>): Promise<T> => {
    if (!open) throw new PostriderError('CLIENT_STORAGE_FAILED', { detail: 'the storage is closed' })
    const work = transact(database, mode, act)
    underWay.add(work)
    try {
      return await work
    } catch (cause) {
      throw failed(cause)
    } finally {
      underWay.delete(work)
    }
  }

  return {
    get: (key) => run('readonly', ({ records }) => result<Uint8Array | undefined>(records.get(keyOf(key)))),
    put: (key, value) => run('readwrite', (stores) => write(stores, [{ key, value: value.slice() }])),
    batch: (writes) => {
      const own = writes.map((one) => ({ ...one, value: one.value?.slice() }) as Write)
      return run('readwrite', (stores) => write(stores, own))
    },
    delete: (key) => run('readwrite', (stores) => write(stores, [{ key, value: undefined }])),
    list: (prefix) => run('readonly', (stores) => list(stores, prefix)),
    append: (log, value) => {
      const own = value.slice()
      return run('readwrite', (stores) => append(stores, log, own))
    },
    read: (log, after, limit) => run('readonly', (stores) => read(stores, log, after, limit)),
    async close() {
      if (!open) return
      open = false
      await Promise.allSettled(underWay)
      database.close()
      release()
    },
  }
}

type Stores = { records: IDBObjectStore; logs: IDBObjectStore }

async function transact<T>(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  act: (stores: Stores) => Promise<T>,
): Promise<T> {
  const transaction = database.transaction([RECORDS, LOGS], mode, { durability: 'strict' })
  const done = completed(transaction)
  const acted = act({ records: transaction.objectStore(RECORDS), logs: transaction.objectStore(LOGS) })
  // All of it or nothing. What failed may have ended the transaction already.
  acted.catch(() => transaction.abort()).catch(() => undefined)
  const [value] = await Promise.all([acted, done])
  return value
}

async function write(stores: Stores, writes: readonly Write[]): Promise<void> {
  for (const one of writes) {
    if ('log' in one) await append(stores, one.log, one.value)
    else if (one.value === undefined) stores.records.delete(keyOf(one.key))
    else stores.records.put(one.value, keyOf(one.key))
  }
}

async function append({ logs }: Stores, log: string, value: Uint8Array): Promise<number> {
  const range = IDBKeyRange.bound(startOf(log), endOf(log))
  const last = await result(logs.openKeyCursor(range, 'prev'))
  const number = last === null ? 1 : (last.key as [string, number])[1] + 1
  logs.add(value, [log, number])
  return number
}

async function list({ records }: Stores, prefix: string): Promise<{ key: string; value: Uint8Array }[]> {
  const range = prefixRange(keyOf(prefix))
  const [keys, values] = await Promise.all([result(records.getAllKeys(range)), result(records.getAll(range))])
  return keys.map((key, at) => ({ key: new TextDecoder().decode(key as ArrayBuffer), value: values[at] }))
}

async function read(
  { logs }: Stores,
  log: string,
  after: number,
  limit: number,
): Promise<{ number: number; value: Uint8Array }[]> {
  // Without gaps: the numbers say where a page ends.
  if (limit < 1) return []
  const range = IDBKeyRange.bound([log, after + 1], [log, after + limit])
  const values: Uint8Array[] = await result(logs.getAll(range))
  return values.map((value, at) => ({ number: after + at + 1, value }))
}

/** Every key that starts with these bytes. UTF-8 has no byte 0xff, so one more of it is behind all of them. */
function prefixRange(prefix: Uint8Array): IDBKeyRange {
  const end = new Uint8Array(prefix.byteLength + 1)
  end.set(prefix)
  end[prefix.byteLength] = 0xff
  return IDBKeyRange.bound(prefix, end)
}

function failed(cause: unknown): PostriderError {
  if (cause instanceof PostriderError) return cause
  const detail = cause instanceof Error ? `${cause.name}: ${cause.message}` : undefined
  return new PostriderError('CLIENT_STORAGE_FAILED', { ...(detail ? { detail } : {}), cause })
}
