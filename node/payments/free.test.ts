import { describe, expect, it } from 'vitest'
import { createFreeAllowance } from './free.ts'

const event = (requestId: string, epoch = 1n) =>
  ({ type: 'charge', requestId, price: 4n, epoch, service: 'query' }) as const

describe('free allowance', () => {
  it('serves so many requests per peer and epoch, and no more', () => {
    const free = createFreeAllowance(2)
    const results = ['a', 'b', 'c'].map((id) => free.charge('peer', event(id))[0])
    expect(results).toMatchObject([
      { type: 'charged', free: true, charged: 0n },
      { type: 'charged', free: true },
      { type: 'paymentRequired', total: 4n, code: 'PAYMENT_NO_CHANNEL' },
    ])
    expect(free.charge('other', event('a'))[0]).toMatchObject({ type: 'charged' })
    expect(free.charge('peer', event('c', 2n))[0]).toMatchObject({ type: 'charged', free: true })
  })

  it('answers a repeated request without counting it', () => {
    const free = createFreeAllowance(1)
    expect(free.charge('peer', event('a'))[0]).toMatchObject({ type: 'charged', repeated: false })
    expect(free.charge('peer', event('a'))[0]).toMatchObject({ type: 'charged', repeated: true })
    expect(free.charge('peer', event('b'))[0]).toMatchObject({ type: 'paymentRequired' })
  })

  it('gives nothing to peers beyond the table, whatever ids they make up', () => {
    const free = createFreeAllowance(5, 2)
    const served = Array.from({ length: 50 }, (_, peer) => free.charge(`peer ${peer}`, event('a'))[0]?.type)
    expect(served.filter((type) => type === 'charged')).toHaveLength(2)
    expect(free.size()).toBe(2)
    expect(free.charge('peer 0', event('b'))[0]).toMatchObject({ type: 'charged' })
  })

  it('does not open an old epoch again when the clock goes back', () => {
    const free = createFreeAllowance(1)
    free.charge('peer', event('a', 5n))
    expect(free.charge('peer', event('b', 4n))[0]).toMatchObject({ type: 'paymentRequired' })
  })
})
