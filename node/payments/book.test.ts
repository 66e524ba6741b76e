import { PostriderError } from '@postrider/protocol/errors'
import { accountReducer, NEW_ACCOUNT, paidTotal, REQUEST_WINDOW } from '@postrider/protocol/payment'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordPaid } from './account.ts'
import { admitVoucher } from './admission.ts'
import { type BookEvent, createAccountBook } from './book.ts'
import { createComponents, createPayer, type Payer, VOUCHER_RULES } from './testing/kit.ts'
import { createMemoryLedger, createMemoryStorage } from './testing/memory-ledger.ts'
import type { Ledger } from './types.ts'

const RULES = { unpaidLimit: 20n, freeRequests: 0 }
const payer = createPayer('alice')

const charge = (requestId: string, price = 4n): BookEvent => ({
  type: 'charge',
  requestId,
  price,
  epoch: 1n,
  service: 'query',
})

/** A book with one bound channel of 1,000; `storage` survives it as a disk does. */
async function setup(
  storage = createMemoryStorage(),
  wrap: (ledger: Ledger) => Partial<Ledger> = () => ({}),
) {
  const memory = createMemoryLedger(storage)
  const components = createComponents({ ...memory, ...wrap(memory) })
  components.escrow.open(payer, 1_000n)
  const book = createAccountBook(components, RULES)
  await book.hold(payer.channelId, payer.descriptor)
  const id = payer.channelId
  const pay = (cumulative: bigint, ticks?: Parameters<Payer['voucher']>[1]) =>
    book.apply(id, (state, record) =>
      admitVoucher(VOUCHER_RULES, payer.voucher(cumulative, ticks), state, record),
    )
  return {
    ...components,
    storage,
    book,
    pay,
    tick: (chain: string, index: number) =>
      book.apply(id, () => ({ type: 'tick', tick: payer.tick(chain, index) })),
    charge: (requestId: string, price?: bigint) => book.apply(id, () => charge(requestId, price)),
    onDisk: () => storage.accounts.get(id),
  }
}

const outcome = async (applied: Promise<{ effects: readonly { type: string }[] }>) =>
  (await applied).effects[0]

describe('account book', () => {
  it('creates the account of a bound channel with what the chain says', async () => {
    const { onDisk } = await setup()
    expect(onDisk()).toMatchObject({ deposit: 1_000n, status: 'open', spent: 0n, cumulative: 0n })
  })

  it('refuses a channel that is not on chain', async () => {
    const { book, escrow } = await setup()
    const bob = createPayer('bob')
    await expect(book.hold(bob.channelId, bob.descriptor)).rejects.toMatchObject({
      code: 'PAYMENT_CHANNEL_UNKNOWN',
    })
    escrow.open(bob, 5n)
    expect(await book.hold(bob.channelId, bob.descriptor)).toMatchObject({ deposit: 5n })
  })

  it('has vouchers, ticks and charges on disk when their results are there', async () => {
    const { pay, tick, charge, onDisk, storage } = await setup()
    await pay(100n, { chain: 'c', value: 3n })
    expect(onDisk()).toMatchObject({ cumulative: 100n, tickValue: 3n, ticks: 0 })
    await tick('c', 2)
    expect(onDisk()).toMatchObject({ ticks: 2, paidMs: expect.any(Number) })
    expect(recordPaid(onDisk()!)).toBe(106n)
    expect(await outcome(charge('r1', 50n))).toMatchObject({ type: 'charged', charged: 50n })
    expect(onDisk()).toMatchObject({ spent: 50n })
    expect([...storage.charges.values()]).toMatchObject([{ requestId: 'r1', price: 50n, service: 'query' }])
  })

  it('goes on after a crash where the disk stands: totals, ticks, and requests that were charged', async () => {
    const first = await setup()
    await first.pay(100n, { chain: 'c', value: 3n })
    await first.tick('c', 5)
    await first.charge('r1', 50n)
    const second = await setup(first.storage) // the first process is never stopped
    expect(await outcome(second.charge('r1', 50n))).toMatchObject({
      type: 'charged',
      charged: 50n,
      repeated: true,
    })
    expect(second.onDisk()).toMatchObject({ spent: 50n })
    expect(await outcome(second.tick('c', 5))).toMatchObject({ type: 'account' })
    expect(await outcome(second.tick('c', 6))).toMatchObject({ type: 'account' })
    expect(await outcome(second.tick('c', 4))).toMatchObject({ code: 'PAYMENT_TICK_NOT_GROWING' })
    expect(recordPaid(second.onDisk()!)).toBe(118n)
  })

  it('handles events of one account in the order of the calls, also while it is read from disk', async () => {
    const first = await setup()
    const { book, onDisk } = await setup(first.storage)
    book.release(payer.channelId)
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, at) => book.apply(payer.channelId, () => charge(`r${at}`, 3n))),
    )
    expect(results.map(({ effects }) => effects[0]?.type)).toEqual([
      ...Array(6).fill('charged'),
      ...Array(4).fill('paymentRequired'),
    ])
    expect(onDisk()?.spent).toBe(18n)
  })

  it('shares transactions between many charges', async () => {
    let commits = 0
    const { charge, onDisk } = await setup(createMemoryStorage(), (ledger) => ({
      commit: (entries) => {
        commits++
        return ledger.commit(entries)
      },
    }))
    commits = 0
    await Promise.all(Array.from({ length: 20 }, (_, at) => charge(`r${at}`, 1n)))
    expect(onDisk()?.spent).toBe(20n)
    expect(commits).toBeLessThan(4)
  })

  it('lets nothing out that the disk refused, and works again when the disk does', async () => {
    const state = { fails: false }
    const { pay, charge, onDisk, metrics } = await setup(createMemoryStorage(), (ledger) => ({
      commit: (entries) =>
        state.fails
          ? Promise.reject(new PostriderError('PAYMENT_LEDGER_UNAVAILABLE'))
          : ledger.commit(entries),
    }))
    await pay(10n)
    state.fails = true
    const failed = await Promise.allSettled([pay(50n), charge('r1'), charge('r2')])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(onDisk()).toMatchObject({ cumulative: 10n, spent: 0n })
    state.fails = false
    expect(await outcome(charge('r1'))).toMatchObject({ type: 'charged', repeated: false })
    expect(onDisk()).toMatchObject({ cumulative: 10n, spent: 4n })
    await pay(50n)
    expect(onDisk()).toMatchObject({ cumulative: 50n, spent: 4n })
    expect(await metrics.text()).toContain('code="PAYMENT_LEDGER_UNAVAILABLE"')
  })

  it('does not answer a repeated request before its first charge is on disk', async () => {
    const gate = Promise.withResolvers<void>()
    let blocked = false
    const { charge } = await setup(createMemoryStorage(), (ledger) => ({
      async commit(entries) {
        if (blocked) await gate.promise
        return ledger.commit(entries)
      },
    }))
    blocked = true
    const order: string[] = []
    const first = charge('r1').then(() => order.push('first'))
    const repeated = charge('r1').then(() => order.push('repeated'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(order).toEqual([])
    gate.resolve()
    await Promise.all([first, repeated])
    expect(order).toEqual(['first', 'repeated'])
  })

  it('follows the chain: top-up, closing, a reorganisation that removes the channel', async () => {
    const { book, escrow, pay, charge, onDisk } = await setup()
    await pay(1_000n)
    escrow.set(payer.channelId, { deposit: 3_000n })
    await book.refresh(payer.channelId)
    expect(onDisk()).toMatchObject({ deposit: 3_000n, cumulative: 1_000n })
    await pay(2_000n)
    escrow.set(payer.channelId, undefined)
    await book.refresh(payer.channelId)
    expect(onDisk()).toMatchObject({ deposit: 0n, cumulative: 2_000n })
    expect(await outcome(charge('r1'))).toMatchObject({
      type: 'paymentRequired',
      code: 'PAYMENT_EXCEEDS_DEPOSIT',
    })
    escrow.open(payer, 3_000n)
    escrow.set(payer.channelId, { status: 'closing', closeAt: 99 })
    await book.refresh(payer.channelId)
    expect(onDisk()).toMatchObject({ deposit: 3_000n, status: 'closing', closeAt: 99 })
    expect(await outcome(charge('r1'))).toMatchObject({
      type: 'paymentRequired',
      code: 'PAYMENT_CHANNEL_CLOSING',
    })
  })

  it('takes nothing more for a channel that the node ends, and has on disk what it took before', async () => {
    const stalled = Promise.withResolvers<void>()
    const { book, pay, tick, charge, onDisk, escrow } = await setup(createMemoryStorage(), (ledger) => ({
      async commit(entries) {
        if (entries.accounts.some(({ cumulative }) => cumulative > 0n)) await stalled.promise
        await ledger.commit(entries)
      },
    }))
    await charge('r1')
    const taken = pay(50n, { chain: 'c', value: 1n })
    const refused = book.refuse([payer.channelId])
    stalled.resolve()
    await refused
    expect(onDisk()).toMatchObject({ cumulative: 50n })
    await taken
    const closing = { code: 'PAYMENT_CHANNEL_CLOSING' }
    await expect(pay(60n)).rejects.toMatchObject(closing)
    await expect(tick('c', 1)).rejects.toMatchObject(closing)
    expect(await outcome(charge('r2'))).toMatchObject({ type: 'paymentRequired', ...closing })
    expect(await outcome(charge('r1'))).toMatchObject({ type: 'charged', repeated: true })
    await expect(book.hold(payer.channelId, payer.descriptor)).rejects.toMatchObject(closing)
    escrow.open(payer, 2_000n)
    await book.refresh(payer.channelId)
    await expect(pay(60n)).rejects.toMatchObject(closing)
    expect(onDisk()).toMatchObject({ status: 'open', deposit: 2_000n, cumulative: 50n, ticks: 0, spent: 4n })

    book.reopen([payer.channelId])
    await pay(60n)
    expect(await outcome(charge('r2'))).toMatchObject({ type: 'charged' })
    expect(onDisk()).toMatchObject({ cumulative: 60n, spent: 8n })
  })

  it('never lets an older answer of the chain replace a newer one', async () => {
    const { book, escrow, onDisk } = await setup()
    const slow = Promise.withResolvers<void>()
    const now = escrow.channel.bind(escrow)
    let calls = 0
    escrow.channel = async (id) => {
      const view = await now(id)
      if (calls++ === 0) await slow.promise
      return view
    }
    const first = book.refresh(payer.channelId)
    await new Promise((resolve) => setImmediate(resolve))
    escrow.set(payer.channelId, { deposit: 2_000n })
    const second = book.refresh(payer.channelId)
    slow.resolve()
    await Promise.all([first, second])
    expect(onDisk()?.deposit).toBe(2_000n)
  })

  it('ignores channels without an account when the chain changes', async () => {
    const { book, escrow, storage } = await setup()
    const bob = createPayer('bob')
    escrow.open(bob, 7n)
    await book.refresh(bob.channelId)
    expect(storage.accounts.has(bob.channelId)).toBe(false)
  })

  it('tells who listens, once it is durable', async () => {
    const { book, pay, charge, onDisk } = await setup()
    const heard: [string, boolean][] = []
    const end = book.subscribe((record, cause) => heard.push([cause, onDisk()?.spent === record.spent]))
    await pay(5n)
    await charge('r1')
    end()
    await charge('r2')
    expect(heard).toEqual([
      ['voucher', true],
      ['charge', true],
    ])
  })
})

describe('account book against the reducer', () => {
  type Step =
    | { kind: 'voucher'; cumulative: bigint; value: bigint; chain: string }
    | { kind: 'tick'; chain: string; index: number }
    | { kind: 'charge'; id: string; price: bigint }
    | { kind: 'deposit'; deposit: bigint }
    | { kind: 'crash' }

  const chains = fc.constantFrom('a', 'b')
  const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      kind: fc.constant('voucher' as const),
      cumulative: fc.bigInt({ min: 0n, max: 120n }),
      value: fc.bigInt({ min: 0n, max: 3n }),
      chain: chains,
    }),
    fc.record({ kind: fc.constant('tick' as const), chain: chains, index: fc.nat(6) }),
    fc.record({
      kind: fc.constant('charge' as const),
      id: fc.nat(12).map((at) => `r${at}`),
      price: fc.bigInt({ min: 1n, max: 15n }),
    }),
    fc.record({ kind: fc.constant('deposit' as const), deposit: fc.bigInt({ min: 100n, max: 140n }) }),
    fc.record({ kind: fc.constant('crash' as const) }),
  )

  it('has on disk what the reducer says after any steps, in any company, over any crashes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(stepArbitrary, { maxLength: 6 }), { maxLength: 8 }),
        async (rounds) => {
          let node = await setup()
          const storage = node.storage
          const id = payer.channelId
          const channel = { id, deposit: 1_000n, status: 'open' as const }
          let model = accountReducer(NEW_ACCOUNT, { type: 'channel', channel }, RULES).state
          for (const round of rounds) {
            const results: Promise<unknown>[] = []
            for (const step of round) {
              if (step.kind === 'crash') {
                await Promise.allSettled(results)
                node = await setup(storage)
                // A new process forgets how often a request was repeated.
                const requests = model.requests.map((request) => ({ ...request, repeats: 0 }))
                model = { ...model, requests, channel: { ...channel } }
              } else if (step.kind === 'deposit') {
                await Promise.allSettled(results)
                node.escrow.set(id, { deposit: step.deposit })
                await node.book.refresh(id)
                const event = { type: 'channel' as const, channel: { ...channel, deposit: step.deposit } }
                model = accountReducer(model, event, RULES).state
              } else {
                const event = eventOf(step)
                model = accountReducer(model, event, RULES).state
                results.push(node.book.apply(id, () => event))
              }
            }
            await Promise.all(results)
            const record = storage.accounts.get(id)!
            expect(record.spent).toBe(model.spent)
            expect(recordPaid(record)).toBe(paidTotal(model))
            expect(record.ticks).toBe(model.tick.index)
            expect(record.spent <= recordPaid(record) + RULES.unpaidLimit).toBe(true)
            const charged = [...storage.charges.values()].reduce((sum, { price }) => sum + price, 0n)
            expect(charged).toBe(record.spent)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  function eventOf(step: Exclude<Step, { kind: 'crash' | 'deposit' }>): BookEvent {
    if (step.kind === 'charge') return charge(step.id, step.price)
    if (step.kind === 'tick') return { type: 'tick', tick: payer.tick(step.chain, step.index) }
    const ticks = step.value > 0n ? { chain: step.chain, value: step.value } : undefined
    return { type: 'voucher', voucher: unsigned(step.cumulative, ticks) }
  }

  // The book takes vouchers whose signature was checked; signing each would only cost time here.
  const vouchers = new Map<string, ReturnType<Payer['voucher']>>()
  function unsigned(cumulative: bigint, ticks?: { chain: string; value: bigint }) {
    const key = `${cumulative} ${ticks?.chain} ${ticks?.value}`
    const known = vouchers.get(key) ?? payer.voucher(cumulative, ticks)
    vouchers.set(key, known)
    return known
  }

  it('remembers as many requests after a restart as before it', async () => {
    const first = await setup()
    await first.pay(1_000n)
    for (let at = 0; at < REQUEST_WINDOW + 5; at++) {
      first.clock.set(first.clock.nowMs() + 1)
      await first.charge(`r${at}`, 1n)
    }
    const second = await setup(first.storage)
    expect(await outcome(second.charge(`r${REQUEST_WINDOW + 4}`, 1n))).toMatchObject({ repeated: true })
    expect(await outcome(second.charge('r5', 1n))).toMatchObject({ repeated: true })
    expect(await outcome(second.charge('r4', 1n))).toMatchObject({ repeated: false })
  })
})
