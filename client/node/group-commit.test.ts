import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { createGroupCommit } from './group-commit.ts'

/** A table of numbers, and a disk that answers when the test says so. */
function createScene() {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE number (value INTEGER UNIQUE)')
  const insert = database.prepare('INSERT INTO number VALUES (?)')
  const syncs: PromiseWithResolvers<void>[] = []
  const begun = Promise.withResolvers<void>()
  const commits = createGroupCommit(database, () => {
    const sync = Promise.withResolvers<void>()
    syncs.push(sync)
    begun.resolve()
    return sync.promise
  })
  const add = (value: number) => commits.write(() => Number(insert.run(value).lastInsertRowid))
  const stored = () => database.prepare('SELECT value FROM number ORDER BY value').all().length
  return { commits, add, stored, syncs, firstSync: begun.promise }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

it('resolves writes when they are synced, not when they are committed', async () => {
  const { add, stored, syncs, firstSync } = createScene()
  let resolved = false
  const write = add(1).then((row) => {
    resolved = true
    return row
  })
  await firstSync
  await nextTurn()
  expect(stored()).toBe(1)
  expect(resolved).toBe(false)
  syncs[0]?.resolve()
  expect(await write).toBe(1)
})

it('shares one sync among the writes that came while the disk was busy', async () => {
  const { add, syncs, firstSync } = createScene()
  const first = add(1)
  await firstSync
  const others = [add(2), add(3), add(4)]
  syncs[0]?.resolve()
  await first
  await nextTurn()
  expect(syncs).toHaveLength(2)
  syncs[1]?.resolve()
  expect(await Promise.all(others)).toEqual([2, 3, 4])
})

it('fails the writes of a transaction together, and goes on', async () => {
  const { add, stored, syncs, firstSync } = createScene()
  const failed = await Promise.allSettled([add(1), add(1)])
  for (const write of failed)
    expect(write).toMatchObject({ status: 'rejected', reason: { code: 'CLIENT_STORAGE_FAILED' } })
  expect(stored()).toBe(0)
  const write = add(2)
  await firstSync
  syncs[0]?.resolve()
  expect(await write).toBe(1)
})

it('takes no write and lets nobody read after a failed sync', async () => {
  const { commits, add, syncs, firstSync } = createScene()
  const first = expect(add(1)).rejects.toThrow(/input\/output/)
  await firstSync
  const second = expect(add(2)).rejects.toThrow(/input\/output/)
  syncs[0]?.reject(new Error('input/output error'))
  await Promise.all([first, second])
  await expect(add(3)).rejects.toThrow(/input\/output/)
  expect(syncs).toHaveLength(1)
  expect(commits.assertWorking).toThrow(expect.objectContaining({ code: 'CLIENT_STORAGE_FAILED' }))
  await commits.drain()
})
