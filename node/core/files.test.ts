import { readdir, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ensurePrivateDir, isReadableByOthers, readFileBounded, writeFileAtomic } from './files.ts'
import { createTempDir } from './testing/temp-dir.ts'

describe('files', () => {
  it('writes privately, replaces whole, leaves nothing behind', async () => {
    await using dir = await createTempDir()
    await writeFileAtomic(dir.file('a'), 'one')
    await writeFileAtomic(dir.file('a'), 'two')
    expect((await stat(dir.file('a'))).mode & 0o777).toBe(0o600)
    expect(new TextDecoder().decode(await readFileBounded(dir.file('a'), 10))).toBe('two')
    expect(await readdir(dir.path)).toEqual(['a'])
    await expect(writeFileAtomic(dir.file('no/such/folder'), 'x')).rejects.toMatchObject({
      code: 'CORE_FILE_WRITE_FAILED',
    })
  })

  it('bounds what it reads and tells missing from unreadable', async () => {
    await using dir = await createTempDir()
    await writeFile(dir.file('big'), '0123456789')
    expect(await readFileBounded(dir.file('none'), 5)).toBeUndefined()
    await expect(readFileBounded(dir.file('big'), 5)).rejects.toMatchObject({ code: 'CORE_FILE_READ_FAILED' })
    await expect(readFileBounded(dir.path, 1e6)).rejects.toMatchObject({ code: 'CORE_FILE_READ_FAILED' })
  })

  it('knows who may read', async () => {
    await using dir = await createTempDir()
    await ensurePrivateDir(dir.file('private'))
    await writeFile(dir.file('open'), '', { mode: 0o644 })
    expect(await isReadableByOthers(dir.file('private'))).toBe(false)
    expect(await isReadableByOthers(dir.file('open'))).toBe(true)
  })
})
