import { describe, expect, it } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createBreachOutbox } from './breaches.ts'
import { MAX_PENDING_BREACHES } from './constants.ts'
import { createMemoryEvidence } from './testing/ports.ts'
import type { FoundBreach } from './types.ts'

const breach = (commitment: bigint): FoundBreach => ({
  pubsubTopic: '/waku/2/rs/66/1',
  first: new Uint8Array([1]),
  second: new Uint8Array([2]),
  secret: commitment,
  commitment,
})

const createMemorySpool = () => {
  const files = new Map<bigint, FoundBreach>()
  return {
    put: (found: FoundBreach) => void files.set(found.commitment, found),
    remove: (commitment: bigint) => void files.delete(commitment),
    list: () => [...files.values()],
    files,
  }
}

function setUp(options: { findFirst?: () => Promise<Uint8Array | undefined> } = {}) {
  const evidence = createMemoryEvidence(createManualClock())
  const reported: bigint[] = []
  const fails = { store: false, report: false }
  const events: string[] = []
  const spool = createMemorySpool()
  const components = {
    ...options,
    spool,
    evidence: {
      ...evidence,
      async add(found: FoundBreach) {
        if (fails.store) throw new TypeError('disk full')
        events.push(`stored ${found.commitment}`)
        return evidence.add(found)
      },
    },
    breaches: {
      async report(found: FoundBreach) {
        if (fails.report) throw new TypeError('slasher away')
        events.push(`reported ${found.commitment}`)
        reported.push(found.commitment)
      },
    },
    logger: silentLogger,
    onStored: (isNew: boolean) => void events.push(isNew ? 'new' : 'known'),
  }
  const open = () => createBreachOutbox(components)
  return { outbox: open(), open, spool, evidence, reported, fails, events }
}

describe('breach outbox', () => {
  it('stores before it reports, and reports a member once', async () => {
    const { outbox, reported, events } = setUp()
    outbox.add(breach(1n))
    outbox.add(breach(1n))
    outbox.add(breach(2n))
    await outbox.flush()
    expect(events).toEqual(['stored 1', 'new', 'reported 1', 'stored 2', 'new', 'reported 2'])
    expect(reported).toEqual([1n, 2n])
    expect(outbox.pending()).toBe(0)
  })

  it('tries again what could not be stored, and reports nothing before', async () => {
    const { outbox, reported, fails } = setUp()
    fails.store = true
    outbox.add(breach(1n))
    await outbox.flush()
    expect([outbox.pending(), reported]).toEqual([1, []])
    fails.store = false
    await outbox.flush()
    expect([outbox.pending(), reported]).toEqual([0, [1n]])
  })

  it('tries a report again without storing twice', async () => {
    const { outbox, reported, fails, events } = setUp()
    fails.report = true
    outbox.add(breach(1n))
    await outbox.flush()
    fails.report = false
    await outbox.flush()
    expect(reported).toEqual([1n])
    expect(events.filter((event) => event === 'stored 1')).toHaveLength(1)
  })

  it('holds a bounded number while the disk is away', () => {
    const { outbox, fails } = setUp()
    fails.store = true
    for (let i = 0; i < MAX_PENDING_BREACHES + 5; i++) outbox.add(breach(BigInt(i)))
    expect(outbox.pending()).toBe(MAX_PENDING_BREACHES)
  })

  it('keeps one breach of a member, so that a flood of one leaves room for others', async () => {
    const { outbox, reported, fails } = setUp()
    fails.store = true
    for (let i = 0; i < 2 * MAX_PENDING_BREACHES; i++) outbox.add(breach(1n))
    outbox.add(breach(2n))
    expect(outbox.pending()).toBe(2)
    fails.store = false
    await outbox.flush()
    await outbox.flush()
    expect(reported.sort()).toEqual([1n, 2n])
  })

  it('takes up after a restart what was found and not stored', async () => {
    const { outbox, open, spool, reported, fails } = setUp()
    fails.store = true
    outbox.add(breach(1n))
    await outbox.flush()
    expect([reported, spool.files.size]).toEqual([[], 1])
    fails.store = false
    const next = open()
    next.resume()
    await next.flush()
    expect([reported, spool.files.size]).toEqual([[1n], 0])
  })

  it('completes evidence whose first half has left memory, and stores it all the same when it cannot', async () => {
    const first = new Uint8Array([9])
    const found = setUp({ findFirst: async () => first })
    found.outbox.add({ ...breach(1n), first: new Uint8Array() })
    found.outbox.add(breach(2n))
    await found.outbox.flush()
    expect((await found.evidence.get(1n))?.first).toEqual(first)
    expect((await found.evidence.get(2n))?.first).toEqual(breach(2n).first)
    const lost = setUp({ findFirst: () => Promise.reject(new TypeError('archive away')) })
    lost.outbox.add({ ...breach(1n), first: new Uint8Array() })
    await lost.outbox.flush()
    expect(lost.reported).toEqual([1n])
  })
})
