import { type IdRange, idRange, MAX_CLOCK_GAP_SECONDS } from '@postrider/protocol/rln'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../core/db/index.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { MESSAGE_ID_EPOCHS } from './constants.ts'
import { openMessageIds } from './message-ids.ts'

/** Divides the clock gap, so that the newest possible epoch is a whole number of epochs ahead. */
const EPOCH_SECONDS = 10

type Opening = { range?: IdRange; commitment?: bigint; epoch?: bigint }

/** The ids in a database as after a start in `epoch`. */
async function open(path: string, { range = idRange(3), commitment = 1n, epoch = 0n }: Opening = {}) {
  const { db, close } = await openDatabase(path)
  const clock = createManualClock(Number(epoch) * EPOCH_SECONDS * 1000)
  const ids = await openMessageIds({ db, clock }, { commitment, range, epochSeconds: EPOCH_SECONDS })
  return { db, ids, close }
}

describe('message ids', () => {
  it('gives each id once in an epoch, also across a restart', async () => {
    await using dir = await createTempDir()
    const first = await open(dir.file('node.db'))
    expect(await first.ids.allocate(7n)).toBe(0)
    expect(await first.ids.allocate(7n)).toBe(1)
    expect(await first.ids.remaining(7n)).toBe(1)
    expect(await first.ids.remaining(8n)).toBe(3)
    expect(await first.ids.remaining(6n)).toBe(3)
    await first.close()
    const second = await open(dir.file('node.db'))
    expect(await second.ids.allocate(7n)).toBe(2)
    await expect(second.ids.allocate(7n)).rejects.toMatchObject({ code: 'RLN_IDS_EXHAUSTED' })
    expect(await second.ids.allocate(8n)).toBe(0)
    await expect(second.ids.allocate(7n)).rejects.toMatchObject({ code: 'RLN_IDS_EXHAUSTED' })
    await second.close()
  })

  it('lets a client whose clock is ahead not end the epoch for the others', async () => {
    await using dir = await createTempDir()
    const { ids, close } = await open(dir.file('node.db'))
    expect(await ids.allocate(7n)).toBe(0)
    expect(await ids.allocate(9n)).toBe(0)
    expect(await ids.allocate(7n)).toBe(1)
    expect(await ids.allocate(8n)).toBe(0)
    await close()
  })

  it('gives no id of an epoch about which it may have forgotten something', async () => {
    await using dir = await createTempDir()
    const first = await open(dir.file('node.db'))
    for (let epoch = 1n; epoch <= 20n; epoch++) expect(await first.ids.allocate(epoch)).toBe(0)
    await first.close()
    const { ids, close } = await open(dir.file('node.db'))
    const oldest = 21n - BigInt(MESSAGE_ID_EPOCHS)
    expect(await ids.allocate(oldest)).toBe(1)
    await expect(ids.allocate(oldest - 1n)).rejects.toMatchObject({ code: 'RLN_EPOCH_PASSED' })
    expect(await ids.remaining(oldest - 1n)).toBe(0)
    await close()
  })

  it('gives concurrent requests different ids', async () => {
    await using dir = await createTempDir()
    const { ids, close } = await open(dir.file('node.db'))
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => ids.allocate(7n)))
    const given = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(given.sort()).toEqual([0, 1, 2])
    await close()
  })

  it('stays in the range of this device', async () => {
    await using dir = await createTempDir()
    const { ids, close } = await open(dir.file('node.db'), { range: idRange(10, 2, 3) })
    expect(await ids.allocate(7n)).toBe(2)
    expect(await ids.allocate(7n)).toBe(3)
    expect(await ids.remaining(7n)).toBe(1)
    await close()
  })
})

describe('a range of message ids that is changed', () => {
  const ahead = BigInt(MAX_CLOCK_GAP_SECONDS / EPOCH_SECONDS)
  const exhausted = { code: 'RLN_IDS_EXHAUSTED' }

  it('gives up every epoch that a message may have by now, for this start and the next ones', async () => {
    await using dir = await createTempDir()
    const before = await open(dir.file('node.db'), { range: idRange(10, 0, 4), epoch: 7n })
    expect(await before.ids.allocate(7n)).toBe(0)
    await before.close()
    // The second start finds the range unchanged.
    for (const first of [2, 3]) {
      const { ids, close } = await open(dir.file('node.db'), { range: idRange(10, 2, 4), epoch: 7n })
      for (const epoch of [6n, 7n, 7n + ahead]) {
        await expect(ids.allocate(epoch)).rejects.toMatchObject(exhausted)
        expect(await ids.remaining(epoch)).toBe(0)
      }
      expect(await ids.allocate(8n + ahead)).toBe(first)
      await close()
    }
  })

  it('gives up epochs again when it is changed back', async () => {
    await using dir = await createTempDir()
    for (const [first, epoch] of [
      [0, 7n],
      [5, 20n],
      [0, 30n],
    ] as const) {
      const { ids, close } = await open(dir.file('node.db'), { range: idRange(10, first, 5), epoch })
      if (first === 0 && epoch === 7n) expect(await ids.allocate(epoch)).toBe(0)
      else await expect(ids.allocate(epoch)).rejects.toMatchObject(exhausted)
      expect(await ids.allocate(epoch + ahead + 1n)).toBe(first)
      await close()
    }
  })

  it('gives up the newest epoch in which ids were taken, whatever the clock says', async () => {
    await using dir = await createTempDir()
    const before = await open(dir.file('node.db'), { range: idRange(10, 0, 4), epoch: 50n })
    expect(await before.ids.allocate(50n)).toBe(0)
    await before.close()
    const { ids, close } = await open(dir.file('node.db'), { range: idRange(10, 0, 5), epoch: 7n })
    await expect(ids.allocate(50n)).rejects.toMatchObject(exhausted)
    expect(await ids.allocate(51n)).toBe(0)
    await close()
  })

  it('counts as changed when ids were taken and no range was written down', async () => {
    await using dir = await createTempDir()
    const before = await open(dir.file('node.db'), { epoch: 7n })
    expect(await before.ids.allocate(7n)).toBe(0)
    await before.db.rlnIdRange.deleteMany()
    await before.close()
    const { ids, close } = await open(dir.file('node.db'), { epoch: 7n })
    await expect(ids.allocate(7n)).rejects.toMatchObject(exhausted)
    await close()
  })

  it('of one membership says nothing of another', async () => {
    await using dir = await createTempDir()
    await (await open(dir.file('node.db'), { range: idRange(10, 0, 4) })).close()
    const other = await open(dir.file('node.db'), { range: idRange(10, 2, 4), commitment: 2n, epoch: 7n })
    expect(await other.ids.allocate(7n)).toBe(2)
    await other.close()
  })
})
