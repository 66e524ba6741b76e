import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_BATCH_CLAIMS } from '../constants.ts'
import { hex32 } from '../testing/ledger-suite.ts'
import { type Candidate, planClaims, toBatches } from './plan.ts'

const candidate = (owed: bigint, urgent = false): Candidate => ({
  channelId: hex32(`${owed} ${urgent}`),
  owed,
  urgent,
})
const flat = (cost: bigint) => async () => cost

describe('batches', () => {
  it('have at most as many claims as may be, the most valuable first', () => {
    const claims = [5n, 4n, 3n].map((owed) => candidate(owed))
    expect(toBatches(claims, { maxClaims: 2 }).map((batch) => batch.map(({ owed }) => owed))).toEqual([
      [5n, 4n],
      [3n],
    ])
    expect(
      toBatches(
        Array.from({ length: 250 }, (_, at) => candidate(BigInt(at + 1))),
        { maxClaims: 1_000 },
      ),
    ).toHaveLength(3)
  })

  it('wait until they are worth the least value, unless a payer is leaving', () => {
    const claims = [5n, 4n, 3n].map((owed) => candidate(owed))
    expect(toBatches(claims, { maxClaims: 2, minValue: 9n })).toHaveLength(1)
    expect(toBatches([candidate(1n, true)], { minValue: 9n })).toHaveLength(1)
  })
})

describe('plan', () => {
  it('takes what is worth its gas, most valuable first', async () => {
    const candidates = [99n, 1_000n, 100n, 5n].map((owed) => candidate(owed))
    const plan = await planClaims(candidates, { claimCost: flat(10n), gasMultiple: 10n })
    expect(plan.worth.map(({ owed }) => owed)).toEqual([1_000n, 100n])
    expect(plan.threshold).toBe(100n)
  })

  it('takes an urgent claim as soon as it covers its cost', async () => {
    const candidates = [candidate(10n, true), candidate(9n, true), candidate(99n)]
    const plan = await planClaims(candidates, { claimCost: flat(10n), gasMultiple: 10n })
    expect(plan.worth.map(({ owed }) => owed)).toEqual([10n])
  })

  it('prices a batch by its size and drops what a smaller batch makes too dear', async () => {
    const claimCost = async (size: number) => BigInt(Math.floor(60 / size))
    const candidates = [100n, 35n, 29n].map((owed) => candidate(owed))
    // Three share 20 each: 29 and 35 stay out of 2 × 20 = 40; alone, 100 must be worth 2 × 60.
    const plan = await planClaims(candidates, { claimCost, gasMultiple: 2n })
    expect(plan.worth).toEqual([])
    expect(plan.threshold).toBe(120n)
  })

  it('never takes a claim below the threshold, nor leaves one above it', async () => {
    const owed = fc.bigInt({ min: 1n, max: 1_000n })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(owed, fc.boolean())), fc.nat(300), async (pairs, fixed) => {
        const candidates = pairs.map(([amount, urgent]) => candidate(amount, urgent))
        const claimCost = async (size: number) => BigInt(16 + Math.floor(fixed / size))
        const { worth, threshold } = await planClaims(candidates, { claimCost, gasMultiple: 3n })
        const cost = threshold / 3n
        for (const one of worth) expect(one.owed >= (one.urgent ? cost : threshold)).toBe(true)
        expect(cost).toBe(await claimCost(Math.min(Math.max(worth.length, 1), MAX_BATCH_CLAIMS)))
      }),
    )
  })

  it('cuts into batches that fit a transaction', () => {
    const claims = Array.from({ length: 2 * MAX_BATCH_CLAIMS + 1 }, (_, at) => candidate(BigInt(at + 1)))
    expect(toBatches(claims).map((batch) => batch.length)).toEqual([MAX_BATCH_CLAIMS, MAX_BATCH_CLAIMS, 1])
    expect(toBatches([])).toEqual([])
  })
})
