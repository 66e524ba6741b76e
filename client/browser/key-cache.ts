import type { ArtifactCache } from '@postrider/circuits/engine'
import { completed, openDatabase, result } from './idb.ts'

/** One for all clients of an origin: the keys are the same, and have no secrets. */
const DATABASE = 'postrider-keys'
const FILES = 'files'

/** Key files in IndexedDB. Where a browser does not let it open, every call fails and the files are fetched. */
export function createKeyCache(): ArtifactCache {
  let opening: Promise<IDBDatabase> | undefined
  const open = () => {
    opening ??= openDatabase(DATABASE, (database) => database.createObjectStore(FILES))
    return opening
  }
  const change = async (act: (files: IDBObjectStore) => void) => {
    const transaction = (await open()).transaction(FILES, 'readwrite')
    const done = completed(transaction)
    act(transaction.objectStore(FILES))
    await done
  }
  return {
    async get(sha256) {
      const files = (await open()).transaction(FILES).objectStore(FILES)
      return (await result(files.get(sha256))) as Uint8Array | undefined
    },
    put: (sha256, bytes) => change((files) => files.put(bytes, sha256)),
    delete: (sha256) => change((files) => files.delete(sha256)),
  }
}
