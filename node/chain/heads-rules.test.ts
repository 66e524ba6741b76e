import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEAD_BEHIND_SECONDS, HEAD_FUTURE_SECONDS, HEAD_TOLERANCE_BLOCKS } from './constants.ts'
import { comparedHeight, judgeHeads, type Reading } from './heads-rules.ts'
import type { BlockHeader } from './types.ts'

const CONFIRMATIONS = 2
const BLOCK_SECONDS = 12
const NOW_SECONDS = 1_000 * BLOCK_SECONDS
const NEWEST = 1_000

function block(number: number, { fork = 0, late = 0 } = {}): BlockHeader {
  const hash = `0x${fork}${number.toString(16).padStart(63, '0')}` as const
  return { number, hash, parentHash: hash, timestamp: number * BLOCK_SECONDS + late }
}

type Endpoint = { head: number; fork?: number; late?: number; knows?: number }

/** Judged in rounds until nobody is left out, as the watch does. */
function judge(endpoints: readonly Endpoint[], nowSeconds = NOW_SECONDS) {
  const faults: (string | undefined)[] = endpoints.map(() => undefined)
  for (;;) {
    const left = [...endpoints.keys()].filter((at) => !faults[at])
    const heads = left.map((at) => block((endpoints[at] as Endpoint).head, endpoints[at]))
    const height = comparedHeight(heads, CONFIRMATIONS)
    const readings = left.map((at, index): Reading => {
      const { head, knows = head } = endpoints[at] as Endpoint
      return {
        head: heads[index]!,
        safe: knows >= height && head >= height ? block(height, endpoints[at]) : undefined,
      }
    })
    const judgement = judgeHeads(readings, height, nowSeconds * 1_000)
    if (!judgement.agreed) return { agreed: false, faults }
    for (const [index, at] of left.entries()) faults[at] = judgement.faults[index]
    if (!judgement.faults.some(Boolean)) return { agreed: true, faults, height }
  }
}

const FAR = HEAD_TOLERANCE_BLOCKS + 1

describe('of three endpoints', () => {
  const honest = [{ head: NEWEST }, { head: NEWEST - 1 }]

  it.each([
    ['lags a little', { head: NEWEST - HEAD_TOLERANCE_BLOCKS }, undefined],
    ['is a block ahead', { head: NEWEST + 1 }, undefined],
    ['lags far', { head: NEWEST - 50 }, 'behind'],
    ['is too high, and knows the blocks below', { head: NEWEST + 50, knows: NEWEST }, 'ahead'],
    ['claims a height it has no blocks for', { head: NEWEST, knows: 5 }, 'forked'],
    ['is on another branch', { head: NEWEST, fork: 1 }, 'forked'],
    ['dates all blocks an hour back', { head: NEWEST, late: -3_600 }, 'forked'],
  ])('the one that %s', (_, odd, fault) => {
    expect(judge([...honest, odd])).toMatchObject({ agreed: true, faults: [undefined, undefined, fault] })
  })

  it('the one whose newest block is dated wrongly', () => {
    const readings = [NEWEST, NEWEST, NEWEST].map((head, at) => ({
      head: { ...block(head), timestamp: head * BLOCK_SECONDS - (at === 1 ? 3_600 : 0) },
      safe: block(NEWEST - CONFIRMATIONS),
    }))
    expect(judgeHeads(readings, NEWEST - CONFIRMATIONS, NOW_SECONDS * 1_000).faults).toEqual([
      undefined,
      'misdated',
      undefined,
    ])
  })
})

describe('of two endpoints', () => {
  it('the one that lags is told by its time', () => {
    expect(judge([{ head: NEWEST }, { head: NEWEST - 50 }])).toMatchObject({
      agreed: true,
      faults: [undefined, 'behind'],
    })
  })

  it('the one that is ahead is told by the clock', () => {
    expect(judge([{ head: NEWEST }, { head: NEWEST + 50 }])).toMatchObject({
      agreed: true,
      faults: [undefined, 'ahead'],
    })
  })

  it('none is believed when the clock does not tell', () => {
    const crowded = { head: NEWEST + FAR, late: -FAR * BLOCK_SECONDS + HEAD_BEHIND_SECONDS }
    const safe = block(NEWEST - CONFIRMATIONS)
    const readings = [
      { head: block(NEWEST), safe },
      { head: block(crowded.head, crowded), safe },
    ]
    expect(judgeHeads(readings, NEWEST - CONFIRMATIONS, NOW_SECONDS * 1_000).agreed).toBe(false)
  })

  it('none is believed when they are on two branches', () => {
    expect(judge([{ head: NEWEST }, { head: NEWEST, fork: 1 }]).agreed).toBe(false)
  })

  it('a clock that is wrong blames nobody who agrees', () => {
    const both = [{ head: NEWEST }, { head: NEWEST - 1 }]
    for (const hour of [-3_600, 3_600]) {
      expect(judge(both, NOW_SECONDS + hour)).toMatchObject({ agreed: true, faults: [undefined, undefined] })
    }
    expect(HEAD_FUTURE_SECONDS).toBeLessThan(3_600)
  })
})

it('believes the honest while they are more than half, whatever the others say', () => {
  const honest = fc.array(fc.integer({ min: NEWEST - HEAD_TOLERANCE_BLOCKS, max: NEWEST }), {
    minLength: 2,
    maxLength: 5,
  })
  const liar = fc.record({
    head: fc.oneof(fc.nat(2 * NEWEST), fc.integer({ min: NEWEST - 20, max: NEWEST + 20 })),
    fork: fc.nat(2),
    late: fc.constantFrom(0, 0, -3_600, 7, 3_600),
    knows: fc.nat(2 * NEWEST),
  })
  fc.assert(
    fc.property(honest, fc.array(liar, { maxLength: 4 }), (heads, liars) => {
      const few = liars.slice(0, heads.length - 1)
      const { agreed, faults, height } = judge([...heads.map((head) => ({ head })), ...few])
      expect(agreed).toBe(true)
      expect(faults.slice(0, heads.length)).toEqual(heads.map(() => undefined))
      // Whoever else is believed tells the same at the compared height, and its newest block is not far off.
      for (const [at, { head, fork, late }] of few.entries()) {
        if (faults[heads.length + at]) continue
        if (head >= (height ?? 0)) expect({ fork, late }).toEqual({ fork: 0, late: 0 })
        expect(Math.abs(head - NEWEST)).toBeLessThanOrEqual(2 * HEAD_TOLERANCE_BLOCKS)
      }
    }),
    { numRuns: 500 },
  )
})

it('believes no branch of as many liars as there are honest', () => {
  const heads = (min: number) => fc.array(fc.integer({ min, max: NEWEST }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(heads(NEWEST - HEAD_TOLERANCE_BLOCKS), heads(NEWEST - 30), (honest, others) => {
      const liars = others.slice(0, honest.length).map((head) => ({ head, fork: 1 }))
      const { agreed, faults } = judge([...honest.map((head) => ({ head })), ...liars])
      // Those far behind may be sorted out first; whoever is left on the branch has the honest against it.
      if (agreed) expect(faults.slice(honest.length).every(Boolean)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
