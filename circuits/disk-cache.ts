import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ArtifactCache } from '@postrider/circuits/engine'

/** Where the system keeps what can be fetched again. */
export function defaultCacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'postrider', 'keys')
}

/** Key files in a folder, each named by its SHA-256. Several processes may use one folder. */
export function createDiskCache(folder: string): ArtifactCache {
  const pathOf = (sha256: string) => join(folder, sha256)
  return {
    async get(sha256) {
      return new Uint8Array(await readFile(pathOf(sha256)))
    },
    async put(sha256, bytes) {
      await mkdir(folder, { recursive: true })
      // Whole or not at all, whoever else writes it meanwhile.
      const draft = `${pathOf(sha256)}.${crypto.randomUUID()}`
      try {
        await writeFile(draft, bytes)
        await rename(draft, pathOf(sha256))
      } finally {
        await rm(draft, { force: true })
      }
    },
    delete: (sha256) => rm(pathOf(sha256), { force: true }),
  }
}
