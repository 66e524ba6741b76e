import { constants } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PostriderError } from '@postrider/protocol/errors'

/** Owner may read and write, nobody else: keys, passwords, databases. */
export const PRIVATE_FILE_MODE = 0o600
export const PRIVATE_DIR_MODE = 0o700

/**
 * Replaces a file so that a crash leaves the old or the new content, never a mixture: write beside it, fsync,
 * rename, fsync the folder.
 *
 * @throws PostriderError `CORE_FILE_WRITE_FAILED` (data: path)
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  mode: number = PRIVATE_FILE_MODE,
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, 'w', mode)
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new PostriderError('CORE_FILE_WRITE_FAILED', { detail: path, data: { path }, cause })
  }
}

/**
 * Reads a whole file of at most `maxBytes`; undefined if there is none.
 *
 * @throws PostriderError `CORE_FILE_READ_FAILED` (data: path)
 */
export async function readFileBounded(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY)
    try {
      const { size } = await file.stat()
      if (size > maxBytes) {
        throw new PostriderError('CORE_FILE_READ_FAILED', {
          detail: `${path} has ${size} bytes, at most ${maxBytes} are read`,
          data: { path, size, maxBytes },
        })
      }
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (isMissing(cause)) return undefined
    if (cause instanceof PostriderError) throw cause
    throw new PostriderError('CORE_FILE_READ_FAILED', { detail: path, data: { path }, cause })
  }
}

/** Creates a folder that only the owner can enter; keeps one that exists. */
export async function ensurePrivateDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_DIR_MODE })
  } catch (cause) {
    throw new PostriderError('CORE_FILE_WRITE_FAILED', { detail: path, data: { path }, cause })
  }
}

/** Whether others than the owner can read a file; false where the platform has no such modes. */
export async function isReadableByOthers(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false
  const { mode } = await stat(path)
  return (mode & 0o077) !== 0
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return // a folder cannot be opened for sync there
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
