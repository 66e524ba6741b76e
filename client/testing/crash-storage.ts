import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Storage } from '../storage/types.ts'

/** The process is gone: nothing that comes after it happens. */
export function crash(): PostriderError {
  return new PostriderError('CLIENT_STORAGE_FAILED', { data: { crash: true } })
}

export function isCrash(error: unknown): boolean {
  return isPostriderError(error) && error.data.crash === true
}

/**
 * A storage whose process dies at its n-th write (0-based): just before the write reaches the disk, or just after.
 * Everything afterwards fails with `crash()`; the inner storage is what a restart finds.
 */
export function createCrashingStorage(inner: Storage, at: number, when: 'before' | 'after'): Storage {
  let writes = 0
  let dead = false
  const write = async <T>(run: () => Promise<T>): Promise<T> => {
    if (dead) throw crash()
    const dying = writes++ === at
    dead = dead || dying
    if (dying && when === 'before') throw crash()
    const result = await run()
    if (dying) throw crash()
    return result
  }
  const read = async <T>(run: () => Promise<T>): Promise<T> => {
    if (dead) throw crash()
    return run()
  }
  return {
    get: (key) => read(() => inner.get(key)),
    put: (key, value) => write(() => inner.put(key, value)),
    batch: (entries) => write(() => inner.batch(entries)),
    delete: (key) => write(() => inner.delete(key)),
    list: (prefix) => read(() => inner.list(prefix)),
    append: (log, value) => write(() => inner.append(log, value)),
    read: (log, after, limit) => read(() => inner.read(log, after, limit)),
    close: async () => undefined,
  }
}
