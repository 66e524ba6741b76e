import { afterAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../core/db/index.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { createEvidenceStore } from './evidence.ts'
import { evidenceSuite } from './testing/evidence-suite.ts'
import { createMemoryEvidence } from './testing/ports.ts'

const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

evidenceSuite('memory', async () => {
  const clock = createManualClock()
  const store = createMemoryEvidence(clock)
  return { store, reopen: async () => store, advance: clock.advance }
})

evidenceSuite('SQLite', async () => {
  const clock = createManualClock()
  const dir = await createTempDir()
  closing.push(dir.remove)
  const path = dir.file('node.db')
  const first = await openDatabase(path)
  closing.push(first.close)
  return {
    store: createEvidenceStore({ db: first.db, clock }),
    async reopen() {
      const again = await openDatabase(path)
      closing.push(again.close)
      return createEvidenceStore({ db: again.db, clock })
    },
    advance: clock.advance,
  }
})

describe('evidence for the operator', () => {
  async function open() {
    const clock = createManualClock()
    const dir = await createTempDir()
    closing.push(dir.remove)
    const { db, close } = await openDatabase(dir.file('node.db'))
    closing.push(close)
    const store = createEvidenceStore({ db, clock })
    const add = (commitment: bigint) =>
      store.add({
        pubsubTopic: '/waku/2/rs/66/1',
        first: new Uint8Array(1),
        second: new Uint8Array(1),
        secret: 1n,
        commitment,
      })
    return { clock, store, add }
  }

  it('comes in pages, newest first, that join to the whole', async () => {
    const { clock, store, add } = await open()
    // Two at a time, so that pages end between cases of one moment.
    for (const commitment of [9n, 3n, 7n, 1n, 5n, 2n]) {
      await add(commitment)
      if (commitment % 2n === 1n && commitment < 8n) await clock.advance(10)
    }
    await store.update(7n, { state: 'lost' })
    const whole = (await store.list()).map(({ commitment }) => commitment)
    for (const limit of [1, 2, 4, 6, 9]) {
      const found: bigint[] = []
      for (let page = await store.page({ limit }); page.length > 0; ) {
        found.push(...page.map(({ commitment }) => commitment))
        const after = page.at(-1)
        page = await store.page({ limit, ...(after && { after }) })
      }
      expect(found).toEqual(whole)
    }
    expect(await store.page({ limit: 9, states: ['lost'] })).toMatchObject([{ commitment: 7n }])
  })

  it('is told of as it changes', async () => {
    const { store, add } = await open()
    const told: bigint[] = []
    const stop = store.subscribe((commitment) => told.push(commitment))
    await add(4n)
    await add(4n)
    await store.update(4n, { state: 'committed' })
    await store.update(5n, { state: 'lost' }).catch(() => undefined)
    expect(told).toEqual([4n, 4n])
    stop()
    await store.update(4n, { state: 'revealed' })
    expect(told).toHaveLength(2)
  })
})
