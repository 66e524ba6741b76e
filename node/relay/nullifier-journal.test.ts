import { appendFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { createNullifierJournal, type JournalEntry } from './nullifier-journal.ts'

const entry = (epoch: number, nullifier: number): JournalEntry => ({
  epoch: BigInt(epoch),
  externalNullifier: BigInt(epoch) * 1_000n,
  nullifier: BigInt(nullifier),
  x: 2n ** 253n + BigInt(nullifier),
  y: 7n,
  hash: new Uint8Array(32).fill(nullifier),
})

function setUp(dir: TempDir, folder = 'relay') {
  const logger = { ...silentLogger, error: vi.fn() }
  const metrics = createMetrics()
  const open = () => createNullifierJournal({ logger, metrics: createMetrics() }, dir.file(folder))
  return { journal: createNullifierJournal({ logger, metrics }, dir.file(folder)), open, logger, metrics }
}

describe('nullifier journal', () => {
  it('gives a new process what an earlier one appended, without having been closed', async () => {
    await using dir = await createTempDir()
    const { journal, open } = setUp(dir)
    const entries = [entry(5, 1), entry(5, 2), entry(6, 1)]
    for (const each of entries) journal.append(each)
    expect(open().load(5n)).toEqual(entries)
    expect(open().load(6n)).toEqual([entry(6, 1)])
    const again = open()
    again.append(entry(6, 2))
    expect(open().load(6n)).toEqual([entry(6, 1), entry(6, 2)])
  })

  it('finds the hash of an accepted message', async () => {
    await using dir = await createTempDir()
    const { journal } = setUp(dir)
    for (const nullifier of [1, 2, 3]) journal.append(entry(5, nullifier))
    expect(await journal.find(entry(5, 2))).toEqual(entry(5, 2).hash)
    expect(await journal.find(entry(5, 4))).toBeUndefined()
    expect(await journal.find(entry(9, 1))).toBeUndefined()
  })

  it('goes on behind an entry that a crash cut short', async () => {
    await using dir = await createTempDir()
    const { journal, open } = setUp(dir)
    journal.append(entry(5, 1))
    await appendFile(dir.file('relay/5.nullifiers'), new Uint8Array(77))
    const next = open()
    expect(next.load(5n)).toEqual([entry(5, 1)])
    next.append(entry(5, 2))
    expect(open().load(5n)).toEqual([entry(5, 1), entry(5, 2)])
  })

  it('removes epochs that are over, and leaves other files alone', async () => {
    await using dir = await createTempDir()
    const { journal } = setUp(dir)
    for (const epoch of [5, 6, 7]) journal.append(entry(epoch, 1))
    await writeFile(join(dir.file('relay'), 'notes'), '')
    journal.pruneBefore(7n)
    expect((await readdir(dir.file('relay'))).sort()).toEqual(['7.nullifiers', 'notes'])
    journal.append(entry(7, 2))
    expect(journal.load(0n)).toEqual([entry(7, 1), entry(7, 2)])
  })

  it('goes on without a disk, says so once and counts', async () => {
    await using dir = await createTempDir()
    await writeFile(dir.file('relay'), 'a file where the folder should be')
    const { journal, logger, metrics } = setUp(dir)
    expect(journal.load(0n)).toEqual([])
    logger.error.mockClear()
    for (const nullifier of [1, 2, 3]) journal.append(entry(5, nullifier))
    journal.pruneBefore(9n)
    expect(logger.error.mock.calls.length).toBeLessThanOrEqual(1)
    expect(await metrics.text()).toContain('postrider_relay_journal_failures_total 3')
    expect(await journal.find(entry(5, 1))).toBeUndefined()
  })
})
