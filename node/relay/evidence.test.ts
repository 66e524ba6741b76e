import { afterAll } from 'vitest'
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
