import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { describeStorage } from '../testing/storage-suite.ts'
import { createSqliteStorage } from './sqlite-storage.ts'

const folder = mkdtempSync(join(tmpdir(), 'postrider-storage-'))
let files = 0
const freshPath = () => join(folder, String(files++), 'client.db')
afterAll(() => rmSync(folder, { recursive: true }))

describeStorage('sqlite storage', async () => createSqliteStorage(freshPath()))

it('is readable by its owner only, the write-ahead log too', async () => {
  const path = freshPath()
  const storage = createSqliteStorage(path)
  await storage.put('key', Uint8Array.of(1))
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
  await storage.close()
})

it('lets one client in at a time', async () => {
  const path = freshPath()
  const first = createSqliteStorage(path)
  expect(() => createSqliteStorage(path)).toThrow(expect.objectContaining({ code: 'CLIENT_STORAGE_IN_USE' }))
  await first.close()
  await createSqliteStorage(path).close()
})

it('keeps its records when it is opened again', async () => {
  const path = freshPath()
  const first = createSqliteStorage(path)
  await first.put('a', Uint8Array.of(5))
  await first.append('log', Uint8Array.of(6))
  await first.close()
  const second = createSqliteStorage(path)
  expect(await second.get('a')).toEqual(Uint8Array.of(5))
  expect(await second.append('log', Uint8Array.of(7))).toBe(2)
  await second.close()
})
