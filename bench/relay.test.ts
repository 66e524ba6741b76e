import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createTempDir } from '../node/core/testing/temp-dir.ts'
import { loadMessages } from './relay/messages.ts'
import { indexOf } from './relay/payload.ts'
import { evaluate, type Measured, runScenario } from './relay/scenario.ts'
import { FIRST_INVALID, spoil } from './relay/spoil.ts'
import { summarize } from './relay.ts'

const COUNT = 6

it('makes messages once and carries them through a node that checks them', { timeout: 60_000 }, async () => {
  await using dir = await createTempDir()
  let made = 0
  const load = () =>
    loadMessages({
      dir: dir.path,
      count: COUNT,
      threads: 1,
      onProgress: () => {
        made++
      },
    })
  const messages = await load()
  expect(messages.map(indexOf)).toEqual([0, 1, 2, 3, 4, 5])

  // Cut off in the middle of a message: only that one is made again.
  const [file = ''] = await readdir(dir.path)
  const { length = 0 } = messages[0] ?? {}
  await truncate(join(dir.path, file), (COUNT - 0.5) * (length + 8))
  expect(await load()).toEqual(messages.map((data, i) => (i < COUNT - 1 ? data : expect.any(Uint8Array))))
  expect(made).toBe(COUNT + 1)

  const invalid = spoil(messages, 1)
  expect(invalid.map(indexOf)).toEqual([FIRST_INVALID])
  const measured = await runScenario({
    validates: true,
    messages,
    load: { window: COUNT },
    invalid: { messages: invalid },
  })
  expect(measured).toMatchObject({ lost: 0, invalidSent: 1, invalidChecked: 1 })
  expect(measured.perSecond).toBeGreaterThan(0)
  expect(measured.cpuMsPerMessage).toBeGreaterThan(0)
})

it('counts what is lost and measures after the warm-up', () => {
  const departures = Array.from({ length: 11 }, (_, i): [number, number] => [i, 100 * i])
  const arrivals = departures.slice(0, 10).map(([i, at]): [number, number] => [i, at + (i < 2 ? 900 : 5)])
  const report = { cpuMs: 20, verdicts: { accepted: 10, RLN_PROOF_INVALID: 3 } }
  const sorted = arrivals.sort(([, a], [, b]) => a - b)
  expect(evaluate(departures, sorted, report)).toMatchObject({
    lost: 1,
    cpuMsPerMessage: 2,
    invalidChecked: 3,
  })
})

it('reports every figure by its name', () => {
  const at = (perSecond: number): Measured => ({
    perSecond,
    p50Ms: 1,
    p95Ms: 2,
    lost: 0,
    cpuMsPerMessage: 1.5,
    invalidSent: 11,
    invalidChecked: 4,
  })
  const runs = {
    messages: 100,
    open: at(1_000),
    full: at(450),
    again: at(550),
    calm: at(250),
    attacked: at(400),
    attackedCalm: at(250),
    fresh: at(300),
  }
  const { rows, result, missed } = summarize(runs)
  expect(rows).toHaveLength(7)
  expect(result).toMatchObject({
    accepted_per_s: 500,
    no_validation_per_s: 1_000,
    ratio: 0.5,
    cpu_ms_per_message: 1.5,
    p50_ms: 1,
    p95_ms: 2,
    lost: 0,
    with_invalid: { accepted_per_s: 400, fall: 0.2, lost: 0, invalid_sent: 11 },
    with_invalid_from_new_peers: { accepted_per_s: 300, fall: 0.4 },
  })
  expect(missed).toEqual([])
  const bad = { ...runs, attacked: at(300), full: { ...at(310), lost: 1 }, calm: { ...at(250), p95Ms: 300 } }
  expect(summarize({ ...bad, again: at(450) }).missed).toEqual([
    expect.stringMatching(/^accepted_per_s/),
    expect.stringMatching(/^p95_ms/),
    expect.stringMatching(/^lost/),
  ])
  expect(summarize({ ...runs, attacked: at(370) }).missed).toEqual([
    expect.stringMatching(/^with_invalid.fall/),
  ])
})
