// The storage contract, run in this page: the suite's `vitest` is ./suite-runner.ts here.
import { openIndexedDbStorage } from '@postrider/client/browser'
import { describeStorage } from '../../../testing/storage-suite.ts'
import { codeOf } from './prover.ts'
import { tests } from './suite-runner.ts'

describeStorage('IndexedDB storage', () => openIndexedDbStorage(crypto.randomUUID()))

let occupied: ReturnType<typeof openIndexedDbStorage> | undefined

export const storage = {
  contract: () => [...tests.keys()],
  async keepsContract(name: string) {
    await tests.get(name)?.()
  },
  async write(name: string, key: string, value: number) {
    const opened = await openIndexedDbStorage(name)
    await opened.put(key, Uint8Array.of(value))
    await opened.append('log', Uint8Array.of(value))
    await opened.close()
  },
  async read(name: string, key: string) {
    const opened = await openIndexedDbStorage(name)
    const value = await opened.get(key)
    const log = await opened.read('log', 0, 10)
    await opened.close()
    return { value, log: log.map((entry) => entry.value[0]) }
  },
  /** Opens it and leaves it open. */
  async occupy(name: string) {
    const opening = openIndexedDbStorage(name)
    occupied = opening
    return opening.then(() => 'open', codeOf)
  },
  /** Writes to the one that was left open. */
  async writeOccupied() {
    const opened = await occupied
    return opened?.put('key', Uint8Array.of(1)).then(() => 'written', codeOf)
  },
  /** Waits until nothing holds a lock of this origin that is held now. */
  async whenUnlocked() {
    const { held = [] } = await navigator.locks.query()
    await Promise.all(held.map(({ name = '' }) => navigator.locks.request(name, () => undefined)))
    return held.length
  },
  /** A batch of which the last write cannot be kept. */
  async failHalfway(name: string) {
    const opened = await openIndexedDbStorage(name)
    const value = (() => undefined) as unknown as Uint8Array
    const bad = Object.assign(value, { slice: () => value })
    const failure = await opened
      .batch([
        { key: 'first', value: Uint8Array.of(1) },
        { key: 'second', value: bad },
      ])
      .catch(codeOf)
    const first = await opened.get('first')
    await opened.close()
    return { failure, first }
  },
  /** Flips a bit in every key file that the prover keeps. */
  async damageKeys() {
    const request = indexedDB.open('postrider-keys')
    await new Promise((resolve) => {
      request.onsuccess = resolve
    })
    const files = request.result.transaction('files', 'readwrite').objectStore('files')
    return new Promise<number>((resolve) => {
      let damaged = 0
      files.openCursor().onsuccess = ({ target }) => {
        const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result
        if (cursor === null) return resolve(damaged)
        const bytes = cursor.value as Uint8Array
        bytes[100] = (bytes[100] ?? 0) ^ 1
        cursor.update(bytes)
        damaged++
        cursor.continue()
      }
    })
  },
}
