import { describe, expect, it } from 'vitest'
import { fc } from '../testing/fc.ts'
import { type AllocatorState, allocatorReducer, idRange, idsRemaining, NEW_ALLOCATOR } from './index.ts'

const allocate = (state: AllocatorState, epoch: bigint, range = idRange(3)) => {
  const { state: next, effects } = allocatorReducer(state, { type: 'allocate', epoch }, range)
  return { next, effect: effects[0] }
}

describe('message-id allocator', () => {
  it('hands out the ids of its range, then refuses until the next epoch', () => {
    const range = idRange(20, 5, 2)
    const first = allocate(NEW_ALLOCATOR, 9n, range)
    expect(first.effect).toEqual({ type: 'allocated', epoch: 9n, messageId: 5, remaining: 1 })
    const second = allocate(first.next, 9n, range)
    expect(second.effect).toMatchObject({ messageId: 6, remaining: 0 })
    expect(allocate(second.next, 9n, range).effect).toEqual({ type: 'refused', code: 'RLN_IDS_EXHAUSTED' })
    expect(allocate(second.next, 10n, range).effect).toMatchObject({ messageId: 5, remaining: 1 })
  })

  it('refuses an epoch before the newest one used', () => {
    const { next } = allocate(NEW_ALLOCATOR, 9n)
    expect(allocate(next, 8n)).toEqual({ next, effect: { type: 'refused', code: 'RLN_EPOCH_PASSED' } })
  })

  it('burns every id up to an epoch when nothing is known of them', () => {
    const burnt = allocatorReducer(NEW_ALLOCATOR, { type: 'burn', epoch: 9n }, idRange(3)).state
    expect(allocate(burnt, 9n).effect).toMatchObject({ code: 'RLN_IDS_EXHAUSTED' })
    expect(idsRemaining(burnt, idRange(3), 10n)).toBe(3)
    const again = allocatorReducer(burnt, { type: 'burn', epoch: 5n }, idRange(3)).state
    expect(again.epoch).toBe(9n)
  })

  it('never gives one id twice in an epoch, whatever the clock does, with restarts from any durable state', () => {
    const event = fc.record({ epoch: fc.bigInt({ min: 1n, max: 4n }), burn: fc.boolean() })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (events, limit) => {
        const seen = new Set<string>()
        let state = NEW_ALLOCATOR
        for (const { epoch, burn } of events) {
          const step = allocatorReducer(
            state,
            { type: burn && epoch === 4n ? 'burn' : 'allocate', epoch },
            idRange(limit),
          )
          state = JSON.parse(
            JSON.stringify(step.state, (_k, v) => (typeof v === 'bigint' ? String(v) : v)),
            (k, v) => (k === 'epoch' ? BigInt(v) : v),
          )
          for (const effect of step.effects) {
            if (effect.type !== 'allocated') continue
            const id = `${effect.epoch}/${effect.messageId}`
            expect(seen.has(id)).toBe(false)
            expect(effect.messageId).toBeLessThan(limit)
            seen.add(id)
          }
        }
      }),
    )
  })

  it('keeps the ranges of two devices apart', () => {
    const [left, right] = [idRange(10, 0, 6), idRange(10, 6)]
    const ids = [left, right].flatMap((range) => {
      let state = NEW_ALLOCATOR
      return Array.from({ length: range.count }, () => {
        const { next, effect } = allocate(state, 1n, range)
        state = next
        return effect?.type === 'allocated' ? effect.messageId : -1
      })
    })
    expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it.each([
    [0, 0, 1],
    [10, 5, 6],
    [10, -1, 2],
    [10, 0, 0],
    [10, 0.5, 1],
    [65_536, 0, 1],
  ])('refuses the range of limit %i from %s, %s ids', (limit, first, count) => {
    expect(() => idRange(limit, first, count)).toThrow(
      expect.objectContaining({ code: 'RLN_ID_RANGE_INVALID' }),
    )
  })

  it('has nothing left when the range shrank below what was used', () => {
    expect(idsRemaining({ epoch: 1n, used: 5 }, idRange(3), 1n)).toBe(0)
  })
})
