import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBoundedQueue } from './queue.ts'

describe('bounded queue', () => {
  it('drops the newest or the oldest and tells whom', () => {
    const gone: number[] = []
    const newest = createBoundedQueue<number>({ limit: 2, drop: 'newest', onDrop: (item) => gone.push(item) })
    expect([1, 2, 3].map((item) => newest.push(item))).toEqual([0, 0, 1])
    expect(newest.drain(10)).toEqual([1, 2])
    const oldest = createBoundedQueue<number>({ limit: 2, drop: 'oldest', onDrop: (item) => gone.push(item) })
    expect([4, 5, 6].map((item) => oldest.push(item))).toEqual([0, 0, 1])
    expect(oldest.drain(10)).toEqual([5, 6])
    expect(gone).toEqual([3, 4])
  })

  it('never takes what is heavier than the whole queue', () => {
    const queue = createBoundedQueue<number>({ limit: 9, maxWeight: 10, weight: (n) => n, drop: 'oldest' })
    queue.push(6)
    expect(queue.push(11)).toBe(1)
    expect(queue.size()).toBe(1)
    expect(queue.push(5)).toBe(1)
    expect(queue.drain(5)).toEqual([5])
    expect(queue.weight()).toBe(0)
  })

  it('agrees with a plain array under any sequence of calls', () => {
    const action = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 5 }) }),
      fc.constant('shift' as const),
      fc.record({ drain: fc.integer({ min: 0, max: 90 }) }),
    )
    const rules = fc.constantFrom('newest' as const, 'oldest' as const)
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400 }), rules, (actions, drop) => {
        const queue = createBoundedQueue<number>({ limit: 100, maxWeight: 250, weight: (n) => n, drop })
        let model: number[] = []
        const weight = () => model.reduce((sum, item) => sum + item, 0)
        for (const step of actions) {
          if (step === 'shift') expect(queue.shift()).toBe(model.shift())
          else if ('drain' in step) expect(queue.drain(step.drain)).toEqual(model.splice(0, step.drain))
          else {
            queue.push(step.push)
            const fits = () => model.length < 100 && weight() + step.push <= 250
            if (drop === 'oldest') while (!fits()) model = model.slice(1)
            if (fits()) model.push(step.push)
          }
          expect(queue.size()).toBe(model.length)
          expect(queue.weight()).toBe(weight())
        }
      }),
    )
  })
})
