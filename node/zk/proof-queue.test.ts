import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findValid } from '../../circuits/engine/verifier.ts'
import {
  HONEST_PER_SUSPECT,
  MAX_BATCH,
  MAX_KNOWN_SOURCES,
  NEWCOMER_BATCH_SHARE,
  PROVEN_AFTER,
  REHABILITATION,
  SINGLES_BATCH,
  SUSPECT_QUEUE_LIMIT,
  TRUSTED_PER_NEWCOMER,
} from './constants.ts'
import { createProofQueue } from './proof-queue.ts'

type Job = { source: string; id: number }

const make = (limit = 1024, sourceLimit = 256) => createProofQueue<Job>({ limit, sourceLimit })
const fill = (queue: ReturnType<typeof make>, source: string, count: number) =>
  Array.from({ length: count }, (_, id) => queue.add({ source, id }))
const trust = (queue: ReturnType<typeof make>, ...sources: string[]) => {
  for (const source of sources) for (let i = 0; i < PROVEN_AFTER; i++) queue.learn(source, true)
}

// Costs as measured, in units of one proof in a large batch: a check's fixed part, a proof checked by itself.
const CHECK = 4.3
const SINGLE = 3.1
const isBad = ({ source }: Job) => source.startsWith('bad')

/** What the engine needs for jobs: one by one, or as a batch that is searched for the bad ones. */
const costOf = (jobs: readonly Job[], apart: boolean): number => {
  if (apart || jobs.length === 1) return SINGLE * jobs.length
  let cost = jobs.length
  const holds = (slot: number) => {
    cost += SINGLE
    return !isBad(jobs[slot] as Job)
  }
  const allHold = (from: number, to: number) => {
    cost += CHECK
    return !jobs.slice(from, to).some(isBad)
  }
  findValid({ holds, allHold }, 0, jobs.length, false)
  return cost
}

/** Honest proofs per unit of cost when everybody sends more than can be checked. */
const throughput = (attack: (queue: ReturnType<typeof make>, round: number) => void): number => {
  const queue = make()
  const honest = Array.from({ length: 9 }, (_, i) => `peer-${i}`)
  trust(queue, ...honest)
  let [cost, checked] = [0, 0]
  for (let round = 0; cost < 30_000; round++) {
    for (let i = 0; i < 90; i++) queue.add({ source: honest[i % 9] ?? '', id: i })
    attack(queue, round)
    const { jobs, apart } = queue.take()
    cost += costOf(jobs, apart)
    for (const job of jobs) queue.learn(job.source, !isBad(job))
    checked += jobs.filter(({ source }) => honest.includes(source)).length
  }
  return checked / cost
}

describe('proof queue', () => {
  it('takes turns between sources and keeps the order within one', () => {
    const queue = make()
    trust(queue, 'loud', 'quiet')
    fill(queue, 'loud', 100)
    fill(queue, 'quiet', 2)
    const { jobs, apart } = queue.take()
    expect(apart).toBe(false)
    expect(jobs).toHaveLength(MAX_BATCH)
    const quiet = jobs.filter(({ source }) => source === 'quiet')
    expect(quiet.map(({ id }) => id)).toEqual([0, 1])
    // Neighbours in the batch, whoever's turn it was.
    expect(jobs.slice(-2)).toEqual(quiet)
  })

  it('puts a suspect apart, one proof for many honest ones', () => {
    const queue = make()
    queue.learn('bad', false)
    trust(queue, 'good')
    let honest = 0
    let suspect = 0
    for (let round = 0; round < 200; round++) {
      fill(queue, 'bad', 10)
      fill(queue, 'good', 200)
      const { jobs, apart } = queue.take()
      expect(jobs.every((job) => (job.source === 'bad') === apart)).toBe(true)
      if (apart) suspect += jobs.length
      else honest += jobs.length
    }
    expect(suspect).toBeGreaterThan(0)
    expect(suspect).toBeLessThanOrEqual(honest / HONEST_PER_SUSPECT)
  })

  it('serves suspects in small groups when nobody else waits', () => {
    const queue = make()
    queue.learn('bad', false)
    const results = fill(queue, 'bad', SUSPECT_QUEUE_LIMIT + 1)
    expect(results.at(-1)).toBe('source-full')
    expect(queue.take()).toMatchObject({ apart: true, jobs: { length: SINGLES_BATCH } })
  })

  it('trusts a suspect again after enough valid proofs, counted from its last bad one', () => {
    const queue = make()
    queue.learn('peer', false)
    for (let i = 1; i < REHABILITATION; i++) queue.learn('peer', true)
    expect(queue.isSuspect('peer')).toBe(true)
    queue.learn('peer', false)
    for (let i = 1; i < REHABILITATION; i++) queue.learn('peer', true)
    expect(queue.isSuspect('peer')).toBe(true)
    queue.learn('peer', true)
    expect(queue.isSuspect('peer')).toBe(false)
  })

  it('remembers a bounded number of sources and forgets the one heard of longest ago', () => {
    const queue = make()
    for (let i = 0; i < MAX_KNOWN_SOURCES; i++) queue.learn(`peer-${i}`, false)
    queue.learn('peer-0', false)
    queue.learn('another', true)
    expect(queue.isSuspect('peer-0')).toBe(true)
    expect(queue.isSuspect('peer-1')).toBe(false)
  })

  it('lets newcomers share batches among themselves, each with a part of it', () => {
    const queue = make()
    fill(queue, 'new-1', 100)
    fill(queue, 'new-2', 100)
    expect(queue.take()).toMatchObject({ apart: false, jobs: { length: 2 * NEWCOMER_BATCH_SHARE } })
    trust(queue, 'new-1')
    const { jobs } = queue.take()
    expect(jobs).toHaveLength(MAX_BATCH)
    expect(new Set(jobs.map(({ source }) => source))).toEqual(new Set(['new-1']))
  })

  it('checks few newcomers, one by one, while trusted sources wait', () => {
    const queue = make()
    trust(queue, 'good')
    let [trusted, newcomers] = [0, 0]
    for (let round = 0; round < 200; round++) {
      fill(queue, 'good', 200)
      fill(queue, `new-${round}`, 10)
      const { jobs, apart } = queue.take()
      if (apart) newcomers += jobs.length
      else trusted += jobs.length
    }
    expect(newcomers).toBeGreaterThan(0)
    expect(newcomers).toBeLessThanOrEqual(trusted / TRUSTED_PER_NEWCOMER)
  })

  it('has room for trusted sources whatever newcomers and suspects send', () => {
    const queue = make()
    trust(queue, 'good')
    for (let i = 0; i < 10; i++) fill(queue, `new-${i}`, 300)
    for (let i = 0; i < 10; i++) queue.learn(`new-${i}`, false)
    for (let i = 0; i < 10; i++) fill(queue, `suspect-${i}`, 300)
    for (let i = 10; i < 20; i++) fill(queue, `new-${i}`, 300)
    expect(queue.hasRoom()).toBe(true)
    expect(fill(queue, 'good', 256)).not.toContain('full')
  })

  it('gives back what a new suspect may not keep waiting', () => {
    const queue = make()
    fill(queue, 'bad', 100)
    const dropped = queue.learn('bad', false)
    expect(dropped.map(({ id }) => id)).toEqual(Array.from({ length: 68 }, (_, i) => SUSPECT_QUEUE_LIMIT + i))
    expect(queue.size()).toBe(SUSPECT_QUEUE_LIMIT)
  })

  it.each<[string, (queue: ReturnType<typeof make>, round: number) => void]>([
    ['one peer in ten', (queue) => fill(queue, 'bad', 10)],
    ['ever new peers', (queue, round) => fill(queue, `bad-${round}`, 30)],
    [
      'a crowd of ever new peers',
      (queue, round) => {
        for (let i = 0; i < 50; i++) fill(queue, `bad-${round}-${i}`, 4)
      },
    ],
  ])('keeps three quarters of the honest throughput when %s send invalid proofs', (_, attack) => {
    expect(throughput(attack)).toBeGreaterThan(0.75 * throughput(() => undefined))
  })

  it('property: never over its limits, nothing lost, nothing twice, order kept per source', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), source: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ kind: fc.constant('take' as const), back: fc.boolean() }),
      fc.record({
        kind: fc.constant('learn' as const),
        source: fc.constantFrom('a', 'b'),
        valid: fc.boolean(),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const queue = make(20, 8)
        const expected = new Map<string, number[]>()
        let id = 0
        const taken = (jobs: Job[]) => {
          for (const job of jobs) expect(expected.get(job.source)?.shift()).toBe(job.id)
        }
        for (const step of steps) {
          if (step.kind === 'learn') {
            for (const { source, id } of queue.learn(step.source, step.valid).toReversed())
              expect(expected.get(source)?.pop()).toBe(id)
          } else if (step.kind === 'add') {
            if (queue.add({ source: step.source, id }) === 'added') {
              expected.set(step.source, [...(expected.get(step.source) ?? []), id])
            }
            id++
          } else {
            const { jobs } = queue.take()
            if (step.back) queue.putBack(jobs)
            else taken(jobs)
          }
          // Suspects wait beside the others, as many as one source may have.
          expect(queue.size()).toBeLessThanOrEqual(20 + 8)
          expect(queue.size()).toBe([...expected.values()].reduce((sum, ids) => sum + ids.length, 0))
        }
        taken(queue.drain())
        expect(queue.size()).toBe(0)
      }),
    )
  })
})
