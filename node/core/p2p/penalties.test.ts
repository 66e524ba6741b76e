import { describe, expect, it } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { MAX_PENALISED_PEERS, PENALTY_BAN_POINTS, PENALTY_HALF_LIFE_MS } from './constants.ts'
import { createPenaltyBook } from './penalties.ts'

describe('penalty book', () => {
  it('bans at the limit, says so once, and forgives by half-lives', async () => {
    const clock = createManualClock()
    const book = createPenaltyBook(clock)
    expect(book.add('mallory', PENALTY_BAN_POINTS - 1)).toBe(false)
    expect(book.banned('mallory')).toBe(false)
    expect(book.add('mallory', 1)).toBe(true)
    expect(book.add('mallory', 1)).toBe(false)
    expect(book.banned('mallory')).toBe(true)
    await clock.advance(PENALTY_HALF_LIFE_MS)
    expect(book.banned('mallory')).toBe(true)
    await clock.advance(PENALTY_HALF_LIFE_MS / 10)
    expect(book.banned('mallory')).toBe(false)
    expect(book.add('mallory', PENALTY_BAN_POINTS)).toBe(true)
    await clock.advance(2 * PENALTY_HALF_LIFE_MS)
    expect(book.points('mallory')).toBeLessThan(PENALTY_BAN_POINTS / 2)
    expect(book.banned('mallory')).toBe(false)
  })

  it('scores the honest at zero and offenders by the square', () => {
    const book = createPenaltyBook(createManualClock())
    expect(book.score('alice')).toBe(0)
    book.add('mallory', 2)
    book.add('oscar', 4)
    expect(book.score('oscar')).toBe(4 * book.score('mallory'))
    expect(book.score('mallory')).toBeLessThan(0)
  })

  it('does not punish when the clock jumps back', async () => {
    const clock = createManualClock()
    const book = createPenaltyBook(clock)
    book.add('mallory', 10)
    clock.set(clock.nowMs() - 3_600_000)
    expect(book.points('mallory')).toBe(10)
  })

  it('forgets the peer punished longest ago when it is full', () => {
    const book = createPenaltyBook(createManualClock())
    for (let i = 0; i < MAX_PENALISED_PEERS; i++) book.add(`peer${i}`, 1)
    book.add('peer0', 1)
    book.add('another', 1)
    expect(book.size()).toBe(MAX_PENALISED_PEERS)
    expect(book.points('peer1')).toBe(0)
    expect(book.points('peer0')).toBe(2)
  })
})
