import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { lockDataDir } from './lock.ts'
import { createTempDir } from './testing/temp-dir.ts'

const inUse = expect.objectContaining({ code: 'CORE_DATA_DIR_IN_USE' })

describe('lock of a data folder', () => {
  it('is held by one at a time', async () => {
    await using dir = await createTempDir()
    const first = lockDataDir(dir.path)
    expect(() => lockDataDir(dir.path)).toThrow(inUse)
    first.release()
    lockDataDir(dir.path).release()
  })

  it('keeps other processes out, and ends with its process however that ends', async () => {
    await using dir = await createTempDir()
    const module = join(import.meta.dirname, 'lock.ts')
    const code = `const { lockDataDir } = await import(${JSON.stringify(module)})
      // Kept, or the collector would close the file and free the lock.
      globalThis.lock = lockDataDir(process.argv[1]); console.log('held'); setInterval(() => undefined, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, dir.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(createInterface({ input: child.stdout }), 'line')
    expect(() => lockDataDir(dir.path)).toThrow(inUse)
    child.kill('SIGKILL')
    await once(child, 'exit')
    lockDataDir(dir.path).release()
  })

  it('says when there is no such folder', () => {
    expect(() => lockDataDir('/nonexistent/folder')).toThrow(
      expect.objectContaining({ code: 'CORE_DB_OPEN_FAILED' }),
    )
  })
})
