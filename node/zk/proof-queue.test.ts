import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  HONEST_PER_SUSPECT,
  MAX_BATCH,
  MAX_SUSPECTS,
  REHABILITATION,
  SUSPECT_BATCH,
  SUSPECT_QUEUE_LIMIT,
} from './constants.ts'
import { createProofQueue } from './proof-queue.ts'

type Job = { source: string; id: number }

const make = (limit = 1024, sourceLimit = 256) => createProofQueue<Job>({ limit, sourceLimit })
const fill = (queue: ReturnType<typeof make>, source: string, count: number) =>
  Array.from({ length: count }, (_, id) => queue.add({ source, id }))

describe('proof queue', () => {
  it('takes turns between sources and keeps the order within one', () => {
    const queue = make()
    fill(queue, 'loud', 100)
    fill(queue, 'quiet', 2)
    const { jobs, apart } = queue.take()
    expect(apart).toBe(false)
    expect(jobs).toHaveLength(MAX_BATCH)
    expect(jobs.slice(0, 4).map((job) => `${job.source}${job.id}`)).toEqual([
      'loud0',
      'quiet0',
      'loud1',
      'quiet1',
    ])
  })

  it('puts a suspect apart, one proof for many honest ones', () => {
    const queue = make()
    queue.learn('bad', false)
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
    expect(queue.take()).toMatchObject({ apart: true, jobs: { length: SUSPECT_BATCH } })
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

  it('remembers a bounded number of suspects and forgets the oldest failure', () => {
    const queue = make()
    for (let i = 0; i <= MAX_SUSPECTS; i++) queue.learn(`peer-${i}`, false)
    expect(queue.isSuspect('peer-0')).toBe(false)
    expect(queue.isSuspect('peer-1')).toBe(true)
  })

  it('keeps three quarters of the honest throughput when a tenth of all proofs is bad', () => {
    // Costs as measured, in units of one proof in a large batch: a check's fixed part, a proof checked by itself.
    const [check, single] = [6, 2.8]
    /** Bisection of a batch; proofs of a group of eight or less are multiplied out again. */
    const bisect = (bad: boolean[]): number => {
      if (!bad.includes(true)) return 0
      if (bad.length === 1) return single
      const middle = Math.ceil(bad.length / 2)
      const again = bad.length <= 16 ? bad.length : 0
      return 2 * check + again + bisect(bad.slice(0, middle)) + bisect(bad.slice(middle))
    }
    const throughput = (withAttacker: boolean): number => {
      const queue = make()
      let [cost, honest] = [0, 0]
      while (cost < 20_000) {
        // Everybody sends more than can be checked; every tenth proof is the attacker's.
        for (let i = 0; i < 90; i++) queue.add({ source: `peer-${i % 9}`, id: i })
        for (let i = 0; i < 10 && withAttacker; i++) queue.add({ source: 'attacker', id: i })
        const { jobs, apart } = queue.take()
        const bad = jobs.map(({ source }) => source === 'attacker')
        cost += apart ? single * jobs.length : jobs.length + check + bisect(bad)
        for (const { source } of jobs) queue.learn(source, source !== 'attacker')
        honest += bad.filter((each) => !each).length
      }
      return honest / cost
    }
    expect(throughput(true)).toBeGreaterThan(0.75 * throughput(false))
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
          if (step.kind === 'learn') queue.learn(step.source, step.valid)
          else if (step.kind === 'add') {
            if (queue.add({ source: step.source, id }) === 'added') {
              expected.set(step.source, [...(expected.get(step.source) ?? []), id])
            }
            id++
          } else {
            const { jobs } = queue.take()
            if (step.back) queue.putBack(jobs)
            else taken(jobs)
          }
          expect(queue.size()).toBeLessThanOrEqual(20)
          expect(queue.size()).toBe([...expected.values()].reduce((sum, ids) => sum + ids.length, 0))
        }
        taken(queue.drain())
        expect(queue.size()).toBe(0)
      }),
    )
  })
})
