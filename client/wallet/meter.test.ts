import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MAX_UNCONFIRMED_PAYMENTS, PUSH_SLACK } from './constants.ts'
import { createTally } from './tally.ts'

const account = (spent: bigint, paid = 0n) => ({
  channelId: `0x${'00'.repeat(32)}` as const,
  deposit: 0n,
  paid,
  spent,
  cumulative: paid,
  tickAnchor: `0x${'00'.repeat(32)}` as const,
  tickValue: 0n,
  ticks: 0,
  tickPreimage: `0x${'00'.repeat(32)}` as const,
})

it('comes down to what the node charged, except for what may still be under way', () => {
  const tally = createTally(0n)
  tally.start(10n)
  tally.paying(10n)
  tally.finish(10n)
  tally.start(10n)
  tally.paying(20n)
  // The node had served the first request for nothing when it answered the second payment.
  expect(tally.check(account(0n, 20n), 0n)).toBeUndefined()
  expect(tally.spent()).toBe(10n)
})

it('keeps no more payments than it says of a node that confirms none', () => {
  const tally = createTally(0n)
  for (let total = 1n; total <= MAX_UNCONFIRMED_PAYMENTS + 1; total++) {
    tally.start(1n)
    tally.paying(total)
    tally.finish(1n)
  }
  const spent = tally.spent()
  // The first was given up: what was over before it is not known. The second is there.
  expect(tally.check(account(0n, 1n), 0n)).toBeUndefined()
  expect(tally.spent()).toBe(spent)
  expect(tally.check(account(0n, 2n), 0n)).toBeUndefined()
  expect(tally.spent()).toBe(spent - 1n)
})

it('refuses a node that counts more than was asked of it', () => {
  const tally = createTally(0n)
  tally.start(10n)
  expect(tally.check(account(11n), 0n)).toMatchObject({ code: 'CLIENT_OVERCHARGED' })
  expect(tally.check(account(10n), 0n)).toBeUndefined()
})

it('excuses what was promised before, once', () => {
  const tally = createTally(0n)
  tally.reset(5n)
  expect(tally.check(account(9n), 9n)).toBeUndefined()
  expect(tally.spent()).toBe(9n)
  expect(tally.check(account(10n), 0n)).toMatchObject({ code: 'CLIENT_OVERCHARGED' })
})

it('tolerates pushes that were lost, up to a limit for all connections', () => {
  const tally = createTally(0n)
  tally.connect(2n)
  expect(tally.check(account(2n * PUSH_SLACK), 0n)).toBeUndefined()
  tally.connect(2n)
  expect(tally.check(account(2n * PUSH_SLACK + 2n), 0n)).toMatchObject({ code: 'CLIENT_OVERCHARGED' })
})

type Step =
  | { do: 'start'; price: bigint; free: boolean }
  | { do: 'charge' }
  | { do: 'finish' }
  | { do: 'pay' }
  | { do: 'account' }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('start' as const),
      price: fc.bigInt({ min: 0n, max: 9n }),
      free: fc.boolean(),
    }),
    fc.record({ do: fc.constant('charge' as const) }),
    fc.record({ do: fc.constant('finish' as const) }),
    fc.record({ do: fc.constant('pay' as const) }),
    fc.record({ do: fc.constant('account' as const) }),
  ),
  { maxLength: 60 },
)

it('never counts less than an honest node charged, whatever is free or under way', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const tally = createTally(0n)
      const open: { price: bigint; free: boolean }[] = []
      const answered: bigint[] = []
      const answers: ReturnType<typeof account>[] = []
      let charged = 0n
      let paid = 0n
      for (const step of script) {
        if (step.do === 'start') {
          tally.start(step.price)
          open.push(step)
        }
        // The node charges somewhere between start and end of a request; its account may be read much later.
        const served = step.do === 'charge' ? open.shift() : undefined
        if (served) {
          if (!served.free) charged += served.price
          answered.push(served.price)
        }
        const over = step.do === 'finish' ? answered.shift() : undefined
        if (over !== undefined) tally.finish(over)
        if (step.do === 'pay' && tally.spent() > paid) {
          paid = tally.spent()
          tally.paying(paid)
          answers.push(account(charged, paid))
        }
        const answer = step.do === 'account' ? answers.shift() : undefined
        if (answer) expect(tally.check(answer, 0n)).toBeUndefined()
        expect(tally.spent() >= charged).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})
