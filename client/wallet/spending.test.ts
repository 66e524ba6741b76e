import { PostriderError } from '@postrider/protocol/errors'
import { expect, it } from 'vitest'
import type { Keep, SignedTransaction, TransactionOutcome } from '../chain/types.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import type { Storage, Write } from '../storage/types.ts'
import { openSpending, type Spending } from './spending.ts'

const LIMIT = 100n
const NOON = Date.parse('2026-03-10T12:00:00Z')
const HOUR = 3_600_000

/** A wallet whose chain does what the test says. */
function createWorld(startMs = NOON) {
  const storage = createMemoryStorage()
  const clocks = { local: startMs, chain: startMs }
  const outcomes = new Map<string, TransactionOutcome>()
  let nonce = 0
  const asked: string[] = []
  const sign = (): SignedTransaction => ({ hash: `0x${nonce}`, raw: `0x${nonce}`, nonce: nonce++ })
  return {
    storage,
    clocks,
    outcomes,
    asked,
    sign,
    open: () =>
      openSpending(
        {
          storage,
          clock: { nowMs: () => clocks.local, sleep: async () => undefined },
          reader: { head: async () => ({ number: 1n, hash: '0x', atMs: clocks.chain }) },
          writer: {
            async conclude({ hash }) {
              asked.push(hash)
              return outcomes.get(hash) ?? 'mined'
            },
          },
        },
        LIMIT,
      ),
  }
}

type World = ReturnType<typeof createWorld>

const record =
  ({ storage }: { storage: Storage }) =>
  (writes: readonly Write[]) =>
    storage.batch(writes)
const pay = (world: World, spending: Spending, amount: bigint, about = 'channel') =>
  spending.spend({ kind: 'topUp', about, amount, total: amount }, record(world), (keep) => keep(world.sign()))
const failing = (error: PostriderError, sign?: () => SignedTransaction) => async (keep: Keep) => {
  if (sign) await keep(sign())
  throw error
}

it('refuses what is above the rest of the day, and says what is left until when', async () => {
  const world = createWorld()
  const spending = await world.open()
  await pay(world, spending, 70n)
  await expect(pay(world, spending, 31n)).rejects.toMatchObject({
    code: 'CLIENT_BUDGET_EXCEEDED',
    data: { limit: 'daily', needed: '31', remaining: '30', dayEndsAt: '2026-03-11T00:00:00.000Z' },
  })
  await pay(world, spending, 30n)
  expect(await spending.remaining()).toBe(0n)
})

it('counts payments that start together', async () => {
  const world = createWorld()
  const spending = await world.open()
  const results = await Promise.allSettled([60n, 60n, 30n].map((amount) => pay(world, spending, amount)))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await spending.remaining()).toBe(10n)
})

it('is whole again when the day is over by both clocks', async () => {
  const world = createWorld()
  const spending = await world.open()
  await pay(world, spending, LIMIT)
  world.clocks.local += 24 * HOUR
  expect(await spending.remaining()).toBe(0n)
  world.clocks.chain += 24 * HOUR
  expect(await spending.remaining()).toBe(LIMIT)
})

it.each([
  ['this clock an hour ahead', { local: HOUR, chain: 0 }],
  ['this clock an hour behind', { local: -HOUR, chain: 0 }],
  ['a chain that says yesterday', { local: 0, chain: -24 * HOUR }],
  ['a chain that says next year', { local: 0, chain: 365 * 24 * HOUR }],
])('is spent once on one day with %s', async (_, off) => {
  const dayStart = Date.parse('2026-03-10T00:00:00Z')
  for (const wrongFromHour of [0, 12, 23.5]) {
    const world = createWorld()
    let total = 0n
    // Through one true day in half hours, in a new process each time; the clock goes wrong, and right again.
    for (let halfHour = 0; halfHour < 48; halfHour++) {
      const now = dayStart + (halfHour * HOUR) / 2
      const wrong = halfHour >= wrongFromHour * 2 && halfHour % 4 < 2
      world.clocks.local = now + (wrong ? off.local : 0)
      world.clocks.chain = now + (wrong ? off.chain : 0)
      const paid = await pay(world, await world.open(), 40n).then(
        () => 40n,
        () => 0n,
      )
      total += paid
    }
    expect(total).toBeLessThanOrEqual(LIMIT)
  }
})

it('forgets after a crash what was recorded and never signed', async () => {
  const world = createWorld()
  const crash = new PostriderError('CLIENT_STORAGE_FAILED')
  const never = (await world.open()).spend(
    { kind: 'open', about: 'channel', amount: 60n, total: 60n },
    async (writes) => {
      await world.storage.batch(writes)
      throw crash
    },
    async () => undefined,
  )
  await expect(never).rejects.toBe(crash)
  const spending = await world.open()
  expect([await spending.remaining(), spending.has('channel')]).toEqual([LIMIT, false])
})

it.each([
  ['mined', 40n],
  ['reverted', LIMIT],
  ['void', LIMIT],
] as const)('counts after a crash what was signed, until it is known to be %s', async (outcome, left) => {
  const world = createWorld()
  const lost = new PostriderError('CLIENT_CHAIN_UNAVAILABLE')
  const purpose = { kind: 'open', about: 'channel', amount: 60n, total: 60n } as const
  const sent = (await world.open()).spend(purpose, record(world), failing(lost, world.sign))
  await expect(sent).rejects.toBe(lost)
  const spending = await world.open()
  expect([await spending.remaining(), spending.pending('channel')]).toEqual([40n, true])
  world.outcomes.set('0x0', outcome)
  await spending.recheck()
  expect([await spending.remaining(), spending.pending('channel')]).toEqual([left, false])
  expect(await (await world.open()).remaining()).toBe(left)
})

it('gives back at once what the chain refused, and what was never signed', async () => {
  const world = createWorld()
  const spending = await world.open()
  const purpose = { kind: 'register', about: 'member', amount: 60n, total: 60n } as const
  const refusal = new PostriderError('CLIENT_TRANSACTION_FAILED')
  const away = new PostriderError('CLIENT_CHAIN_UNAVAILABLE')
  await expect(spending.spend(purpose, record(world), failing(refusal, world.sign))).rejects.toBe(refusal)
  await expect(spending.spend(purpose, record(world), failing(away))).rejects.toBe(away)
  expect(await spending.remaining()).toBe(LIMIT)
  expect(spending.has('member')).toBe(false)
})

it('sends nothing that a full disk does not keep', async () => {
  const world = createWorld()
  const full = new PostriderError('CLIENT_STORAGE_FAILED')
  const { batch } = world.storage
  const spending = await world.open()
  let left = 0
  for (const writes of [0, 1]) {
    let written = 0
    world.storage.batch = (entries) => (written++ < writes ? batch(entries) : Promise.reject(full))
    const spent = spending.spend(
      { kind: 'topUp', about: 'channel', amount: 60n, total: 60n },
      record(world),
      async (keep) => {
        await keep(world.sign())
        left++
      },
    )
    await expect(spent).rejects.toBe(full)
  }
  world.storage.batch = batch
  expect([left, await spending.remaining(), await (await world.open()).remaining()]).toEqual([
    0,
    LIMIT,
    LIMIT,
  ])
})

it('looks again for what was mined, in the order of the nonces, and gives back what a reorganisation voided', async () => {
  const world = createWorld()
  const spending = await world.open()
  for (const about of ['a', 'b', 'c']) await pay(world, spending, 20n, about)
  world.outcomes.set('0x1', 'void')
  await spending.recheck()
  expect(world.asked).toEqual(['0x0', '0x1', '0x2'])
  expect(await spending.remaining()).toBe(60n)
})

it('knows what there must be at least, less what was voided', async () => {
  const world = createWorld()
  const spending = await world.open()
  for (const total of [20n, 40n, 60n]) {
    const purpose = { kind: 'topUp', about: 'channel', amount: 20n, total } as const
    await spending.spend(purpose, record(world), (keep) => keep(world.sign()))
  }
  expect([spending.least('channel'), spending.least('other')]).toEqual([60n, 0n])
  world.outcomes.set('0x1', 'void')
  await spending.recheck()
  expect(spending.least('channel')).toBe(40n)
})

it('knows it too when a payment whose end was open comes after one that was voided', async () => {
  const world = createWorld()
  const spending = await world.open()
  await pay(world, spending, 20n)
  const lost = new PostriderError('CLIENT_CHAIN_UNAVAILABLE')
  const second = { kind: 'topUp', about: 'channel', amount: 20n, total: 40n } as const
  await expect(spending.spend(second, record(world), failing(lost, world.sign))).rejects.toBe(lost)
  world.outcomes.set('0x0', 'void')
  await spending.recheck()
  expect([spending.least('channel'), await spending.remaining()]).toEqual([20n, 80n])
})

it('sends nothing before the end of what was signed earlier is known', async () => {
  const world = createWorld()
  const spending = await world.open()
  const lost = new PostriderError('CLIENT_TIMEOUT')
  const first = { kind: 'open', about: 'a', amount: 60n, total: 60n } as const
  await expect(spending.spend(first, record(world), failing(lost, world.sign))).rejects.toBe(lost)
  await pay(world, spending, 20n, 'b')
  expect(world.asked).toEqual(['0x0'])
  expect([spending.pending('a'), spending.least('a')]).toEqual([false, 60n])
})

it('keeps no more entries than the day has', async () => {
  const world = createWorld()
  const spending = await world.open()
  for (let day = 0; day < 5; day++) {
    await pay(world, spending, 10n)
    world.clocks.local += 24 * HOUR
    world.clocks.chain += 24 * HOUR
  }
  await pay(world, spending, 10n)
  expect(await world.storage.list('wallet/spending/')).toHaveLength(1)
})
