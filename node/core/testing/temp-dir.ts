import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new empty folder, removed with what is in it at the end of an `await using` block or by `remove`. */
export type TempDir = AsyncDisposable & {
  path: string
  /** A path inside the folder. */
  file(name: string): string
  remove(): Promise<void>
}

export async function createTempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), 'postrider-'))
  const remove = () => rm(path, { recursive: true, force: true })
  return { path, file: (name) => join(path, name), remove, [Symbol.asyncDispose]: remove }
}
