import { PostriderError } from '@postrider/protocol/errors'
import { decode, encode, WakuMessageSchema } from '@postrider/protocol/wire'
import { describe, expect, it } from 'vitest'
import { createMemoryArchive } from './archive/memory.ts'
import { INGEST_DELAY_MS, INGEST_RETRY_MS } from './constants.ts'
import { createIngest, type IngestOptions } from './ingest.ts'
import { pageRequest } from './testing/archive-suite.ts'
import { CONTENT_TOPIC, createComponents, PUBSUB_TOPIC, sinkEntry } from './testing/components.ts'
import type { Archive } from './types.ts'

function setup(options: IngestOptions = {}, wrap: (archive: Archive) => Partial<Archive> = () => ({})) {
  const archive = createMemoryArchive()
  const components = createComponents({ ...archive, ...wrap(archive) })
  return { ...components, archive, ingest: createIngest(components, options) }
}

/** An archive that refuses appends until told otherwise, and records the batches it took. */
function switchable() {
  const batches: number[] = []
  const state = { fails: false, batches }
  const wrap = (archive: Archive): Partial<Archive> => ({
    async append(batch) {
      if (state.fails) throw new PostriderError('STORE_UNAVAILABLE')
      batches.push(batch.length)
      return archive.append(batch)
    },
  })
  return { state, wrap }
}

describe('ingest', () => {
  it('keeps the message with its proof, its topics and its time', async () => {
    const { archive, ingest } = setup()
    const entry = sinkEntry(5, { rateLimitProof: new Uint8Array([9, 9]) })
    ingest.accept(entry)
    await ingest.flush()
    const { entries } = await archive.query(
      pageRequest({ filter: { pubsubTopic: PUBSUB_TOPIC, contentTopics: [CONTENT_TOPIC] } }),
    )
    expect(entries).toMatchObject([{ timestamp: 5n, hash: entry.hash, pubsubTopic: PUBSUB_TOPIC }])
    expect(decode(WakuMessageSchema, entries[0]!.data!)).toEqual(entry.message)
  })

  it('keeps the bytes as received when it is given them', async () => {
    const { archive, ingest } = setup()
    const entry = sinkEntry(5)
    const padded = new Uint8Array([...encode(WakuMessageSchema, entry.message), 0xf8, 0x07, 0x00])
    ingest.accept({ ...entry, data: padded })
    await ingest.flush()
    expect((await archive.query(pageRequest())).entries[0]?.data).toEqual(padded)
  })

  it('files a message without a time under the time at which it came in', async () => {
    const { archive, ingest } = setup()
    ingest.accept(sinkEntry(0))
    await ingest.flush()
    expect((await archive.stats()).oldest).toBe(1_000_000_000n)
  })

  it('does not keep ephemeral messages', async () => {
    const { archive, ingest } = setup()
    ingest.accept(sinkEntry(1, { ephemeral: true }))
    await ingest.flush()
    expect((await archive.stats()).messages).toBe(0)
  })

  it('collects what arrives within the delay into one batch', async () => {
    const { state, wrap } = switchable()
    const { ingest, clock } = setup({}, wrap)
    ingest.accept(sinkEntry(1))
    await clock.advance(INGEST_DELAY_MS - 1)
    ingest.accept(sinkEntry(2))
    expect(state.batches).toEqual([])
    await clock.advance(1)
    expect(state.batches).toEqual([2])
    ingest.accept(sinkEntry(3))
    await clock.advance(INGEST_DELAY_MS)
    expect(state.batches).toEqual([2, 1])
  })

  it('refuses the newest when the queue is full, and counts it', async () => {
    const { archive, ingest, metrics } = setup({ queueMessages: 2 })
    for (const seed of [1, 2, 3, 4]) ingest.accept(sinkEntry(seed))
    expect(ingest.stats().waiting).toBe(2)
    await ingest.flush()
    expect(await archive.stats()).toMatchObject({ messages: 2, newest: 2n })
    expect(await metrics.text()).toContain('postrider_store_dropped_total{reason="queue_full"} 2')
  })

  it('bounds the bytes that wait', async () => {
    const { ingest } = setup({ queueBytes: 100 })
    for (const seed of [1, 2, 3, 4, 5, 6]) ingest.accept(sinkEntry(seed))
    expect(ingest.stats().waiting).toBeLessThan(4)
  })

  it('loses nothing while the archive fails, and goes on when it works again', async () => {
    const { state, wrap } = switchable()
    const { archive, ingest, clock } = setup({}, wrap)
    state.fails = true
    ingest.accept(sinkEntry(1))
    await clock.advance(INGEST_DELAY_MS)
    ingest.accept(sinkEntry(2))
    await clock.advance(3 * INGEST_RETRY_MS)
    expect(ingest.stats().waiting).toBe(2)
    await expect(ingest.flush()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    state.fails = false
    await clock.advance(INGEST_RETRY_MS)
    expect(ingest.stats().waiting).toBe(0)
    expect((await archive.stats()).messages).toBe(2)
  })

  it('writes what waits when it stops, and takes nothing afterwards', async () => {
    const { archive, ingest } = setup()
    ingest.accept(sinkEntry(1))
    await ingest.stop()
    ingest.accept(sinkEntry(2))
    expect((await archive.stats()).messages).toBe(1)
    expect(ingest.stats().waiting).toBe(0)
  })

  it('stops even though the archive fails, and counts what is lost', async () => {
    const { state, wrap } = switchable()
    const { ingest, metrics } = setup({}, wrap)
    state.fails = true
    ingest.accept(sinkEntry(1))
    await ingest.stop()
    expect(await metrics.text()).toContain('postrider_store_dropped_total{reason="stopped"} 1')
  })

  it('counts a message that the archive already had', async () => {
    const { ingest, metrics } = setup()
    ingest.accept(sinkEntry(1))
    ingest.accept(sinkEntry(1))
    await ingest.flush()
    const text = await metrics.text()
    expect(text).toContain('postrider_store_stored_total 1')
    expect(text).toContain('postrider_store_repeated_total 1')
  })
})
