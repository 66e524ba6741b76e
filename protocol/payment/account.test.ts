import { describe, expect, it } from 'vitest'
import { uint } from '../testing/arbitraries.ts'
import { explore, keyOf } from '../testing/explore.ts'
import { fc } from '../testing/fc.ts'
import { bytesToHex, type Hex } from '../wire/index.ts'
import { MAX_REPEATS, REQUEST_WINDOW } from './constants.ts'
import {
  type AccountChannel,
  type AccountEvent,
  type AccountRules,
  type AccountState,
  accountReducer,
  createTickChain,
  NEW_ACCOUNT,
  NO_TICKS,
  paidTotal,
  requestKey,
  voucherFault,
} from './index.ts'

const ID: Hex = `0x${'01'.repeat(32)}`
const chains = [
  createTickChain(new Uint8Array(32).fill(1)),
  createTickChain(new Uint8Array(32).fill(2)),
] as const
const prepaid: AccountRules = { unpaidLimit: 0n, freeRequests: 0 }

const channel = (change: Partial<AccountChannel> = {}): AccountEvent => ({
  type: 'channel',
  channel: { id: ID, deposit: 100n, status: 'open', ...change },
})
const voucher = (
  cumulative: bigint,
  tickValue = 1n,
  chain = 0,
): Extract<AccountEvent, { type: 'voucher' }> => ({
  type: 'voucher',
  voucher: {
    channelId: ID,
    cumulative,
    tickAnchor: tickValue === 0n ? NO_TICKS : bytesToHex(chains[chain === 0 ? 0 : 1].preimage(0)),
    tickValue,
    signature: new Uint8Array(65),
  },
})
const tick = (index: number, chain = 0): AccountEvent => ({
  type: 'tick',
  tick: { index, preimage: index > 64 ? new Uint8Array(32) : chains[chain === 0 ? 0 : 1].preimage(index) },
})
const charge = (requestId: string, price: bigint, epoch = 1n): AccountEvent => ({
  type: 'charge',
  requestId,
  price,
  epoch,
})

function run(rules: AccountRules, ...events: AccountEvent[]) {
  let state = NEW_ACCOUNT
  let last: ReturnType<typeof accountReducer>['effects'] = []
  for (const event of events) ({ state, effects: last } = accountReducer(state, event, rules))
  return { state, effects: last }
}
const refused = (code: string) => [{ type: 'refused', code }]

describe('account: paying', () => {
  it('counts the voucher and the ticks after it', () => {
    const { state } = run(prepaid, channel(), voucher(10n, 2n), tick(1), tick(3))
    expect(paidTotal(state)).toBe(16n)
    expect(paidTotal(run(prepaid, channel(), voucher(10n, 2n), tick(3), voucher(16n, 2n, 1)).state)).toBe(16n)
  })

  it.each<[string, AccountEvent[], string]>([
    ['a voucher without a channel', [voucher(1n)], 'PAYMENT_NO_CHANNEL'],
    [
      'a voucher of another channel',
      [channel({ id: `0x${'09'.repeat(32)}` }), voucher(1n)],
      'PAYMENT_CHANNEL_MISMATCH',
    ],
    [
      'a voucher for a closed channel',
      [channel({ status: 'closed' }), voucher(1n)],
      'PAYMENT_CHANNEL_CLOSED',
    ],
    ['a smaller voucher', [channel(), voucher(5n), voucher(4n)], 'PAYMENT_VOUCHER_NOT_GROWING'],
    [
      'a voucher below the ticks',
      [channel(), voucher(5n), tick(3), voucher(7n, 1n, 1)],
      'PAYMENT_VOUCHER_NOT_GROWING',
    ],
    [
      'another chain under the same total',
      [channel(), voucher(5n), voucher(5n, 1n, 1)],
      'PAYMENT_VOUCHER_NOT_GROWING',
    ],
    ['a voucher above the deposit', [channel(), voucher(101n)], 'PAYMENT_EXCEEDS_DEPOSIT'],
    ['a tick without a channel', [tick(1)], 'PAYMENT_NO_CHANNEL'],
    ['a tick before any voucher', [channel(), tick(1)], 'PAYMENT_TICK_UNEXPECTED'],
    [
      'a tick under a voucher without ticks',
      [channel(), voucher(5n, 0n), tick(1)],
      'PAYMENT_TICK_UNEXPECTED',
    ],
    [
      'a tick for a closed channel',
      [channel(), voucher(5n), channel({ status: 'closed' }), tick(1)],
      'PAYMENT_CHANNEL_CLOSED',
    ],
    ['an older tick', [channel(), voucher(5n), tick(3), tick(2)], 'PAYMENT_TICK_NOT_GROWING'],
    ['a tick of another chain', [channel(), voucher(5n), tick(1, 1)], 'PAYMENT_TICK_INVALID'],
    ['a tick after the last', [channel(), voucher(5n), tick(65)], 'PAYMENT_TICKS_EXHAUSTED'],
    ['a tick above the deposit', [channel(), voucher(99n), tick(2)], 'PAYMENT_EXCEEDS_DEPOSIT'],
    [
      'another channel for one account',
      [channel(), channel({ id: `0x${'09'.repeat(32)}` })],
      'PAYMENT_CHANNEL_MISMATCH',
    ],
  ])('refuses %s', (_name, events, code) => {
    expect(run(prepaid, ...events).effects).toEqual(refused(code))
  })

  it('answers what it knows already without a change', () => {
    for (const again of [voucher(5n), tick(3)]) {
      const events = [channel(), voucher(5n), tick(3)]
      const before = run(prepaid, ...events).state
      expect(accountReducer(before, again, prepaid)).toEqual({
        state: before,
        effects: [{ type: 'account' }],
      })
    }
  })

  it('takes vouchers and ticks while closing, for what is owed', () => {
    expect(
      paidTotal(run(prepaid, channel(), channel({ status: 'closing' }), voucher(5n), tick(2)).state),
    ).toBe(7n)
  })

  it('says whether a voucher is worth a signature check', () => {
    const { state } = run(prepaid, channel(), voucher(5n))
    expect(voucherFault(state, voucher(5n).voucher)).toBeUndefined()
    expect(voucherFault(state, voucher(6n).voucher)).toBeUndefined()
    expect(voucherFault(state, voucher(4n).voucher)).toBe('PAYMENT_VOUCHER_NOT_GROWING')
  })
})

describe('account: charging', () => {
  const served = (requestId: string, charged: bigint, rest = {}) => [
    { type: 'charged', requestId, charged, free: false, repeated: false, ...rest },
  ]

  it('serves what is paid and asks for what is not', () => {
    const rules = prepaid
    expect(run(rules, channel(), voucher(10n), charge('a', 10n)).effects).toEqual(served('a', 10n))
    expect(run(rules, channel(), voucher(10n), charge('a', 4n), charge('b', 7n)).effects).toEqual([
      { type: 'paymentRequired', requestId: 'b', total: 11n, code: 'PAYMENT_REQUIRED' },
    ])
  })

  it.each<[string, AccountEvent[], string]>([
    ['no channel', [charge('a', 1n)], 'PAYMENT_NO_CHANNEL'],
    [
      'a closing channel',
      [channel(), voucher(10n), channel({ status: 'closing' }), charge('a', 1n)],
      'PAYMENT_CHANNEL_CLOSING',
    ],
    [
      'a closed channel',
      [channel(), voucher(10n), channel({ status: 'closed' }), charge('a', 1n)],
      'PAYMENT_CHANNEL_CLOSED',
    ],
    [
      'a deposit that is used up',
      [channel(), voucher(100n), charge('a', 100n), charge('b', 1n)],
      'PAYMENT_EXCEEDS_DEPOSIT',
    ],
  ])('asks for payment: %s', (_name, events, code) => {
    expect(run(prepaid, ...events).effects).toEqual([
      expect.objectContaining({ type: 'paymentRequired', code }),
    ])
  })

  it('serves up to the unpaid limit and asks for a voucher at a tenth of it', () => {
    const rules = { unpaidLimit: 20n, freeRequests: 0 }
    const events = [channel(), charge('a', 1n), charge('b', 1n), charge('c', 18n)]
    expect(run(rules, ...events.slice(0, 2)).effects).toEqual(served('a', 1n))
    expect(run(rules, ...events.slice(0, 3)).effects).toEqual([
      ...served('b', 1n),
      { type: 'voucherDue', total: 2n },
    ])
    expect(run(rules, ...events).effects).toEqual(served('c', 18n))
    expect(run(rules, ...events, charge('d', 1n)).effects).toEqual([expect.objectContaining({ total: 21n })])
    expect(run(rules, ...events, voucher(20n), charge('d', 2n)).effects.at(-1)).toEqual({
      type: 'voucherDue',
      total: 22n,
    })
  })

  it('gives free requests, anew in each epoch, also without a channel', () => {
    const rules = { unpaidLimit: 0n, freeRequests: 2 }
    const free = (id: string) => served(id, 0n, { free: true })
    expect(run(rules, charge('a', 5n), charge('b', 5n)).effects).toEqual(free('b'))
    expect(run(rules, charge('a', 5n), charge('b', 5n), charge('c', 5n)).effects[0]).toMatchObject({
      type: 'paymentRequired',
      total: 5n,
    })
    expect(run(rules, charge('a', 5n), charge('b', 5n), charge('c', 5n, 2n)).effects).toEqual(free('c'))
    expect(
      run(rules, charge('a', 5n, 2n), charge('b', 5n, 2n), charge('c', 5n, 1n)).effects[0],
    ).toMatchObject({ type: 'paymentRequired' })
    expect(run(prepaid, charge('a', 0n)).effects).toEqual(free('a'))
  })

  it('charges one request once and answers it again a few times', () => {
    const again = Array.from({ length: MAX_REPEATS }, () => charge('a', 10n))
    const paid = [channel(), voucher(10n), charge('a', 10n)]
    const { state, effects } = run(prepaid, ...paid, ...again)
    expect(effects).toEqual(served('a', 10n, { repeated: true }))
    expect(state.spent).toBe(10n)
    expect(run(prepaid, ...paid, ...again, charge('a', 10n)).effects).toEqual(
      refused('PAYMENT_REQUEST_REPEATED'),
    )
  })

  it('remembers a bounded number of requests', () => {
    const many = Array.from({ length: REQUEST_WINDOW + 5 }, (_, i) => charge(`r${i}`, 0n))
    const { state } = run(prepaid, ...many)
    expect(state.requests).toHaveLength(REQUEST_WINDOW)
    expect(state.requests[0]?.id).toBe('r5')
  })

  it('refuses ids that it cannot keep', () => {
    for (const id of ['', 'x'.repeat(129)]) {
      expect(run(prepaid, charge(id, 0n)).effects).toEqual(refused('PAYMENT_REQUEST_ID_INVALID'))
    }
  })

  it('knows a request by its content too', () => {
    const one = requestKey('query', 'id', Uint8Array.of(1))
    expect(one).toHaveLength(66)
    expect(requestKey('query', 'id', Uint8Array.of(2))).not.toBe(one)
    expect(requestKey('publish', 'id', Uint8Array.of(1))).not.toBe(one)
  })
})

/** What must hold of an account whatever came before. */
function checkInvariants(
  rules: AccountRules,
  state: AccountState,
  before?: AccountState,
  event?: AccountEvent,
) {
  const paid = paidTotal(state)
  const deposit = state.channel?.deposit ?? 0n
  must(paid <= deposit, 'paid within the deposit')
  must(state.spent <= paid + rules.unpaidLimit, 'spent within paid and the unpaid limit')
  must(state.spent <= deposit, 'spent within the deposit')
  must(new Set(state.requests.map(({ id }) => id)).size === state.requests.length, 'requests once')
  if (before === undefined || event === undefined) return
  must(paid >= paidTotal(before), 'paid never falls')
  if (event.type !== 'charge') return must(state.spent === before.spent, 'only charges are spent')
  must(paid === paidTotal(before), 'charging pays nothing')
  const known = before.requests.some(({ id }) => id === event.requestId)
  const unchanged = known || before.channel?.status !== 'open'
  const expected = unchanged ? [before.spent] : [before.spent, before.spent + event.price]
  must(expected.includes(state.spent), 'one request is charged once, on an open channel')
}

function must(holds: boolean, invariant: string): void {
  if (!holds) throw new Error(invariant)
}

/** How often a request was repeated changes no amount: states that differ only in it are one. */
const modelKey = ({ requests, ...rest }: AccountState) =>
  keyOf([rest, requests.map(({ id, charged }) => [id, charged]).sort()])

describe('account: every order of events', () => {
  const events: AccountEvent[] = [
    channel({ deposit: 4n }),
    channel({ deposit: 6n }),
    channel({ deposit: 6n, status: 'closing' }),
    channel({ deposit: 6n, status: 'closed' }),
    voucher(0n),
    voucher(2n),
    voucher(3n, 2n, 1),
    voucher(7n),
    tick(1),
    tick(2),
    tick(1, 1),
    charge('a', 1n),
    charge('b', 2n),
    charge('c', 2n, 2n),
  ]
  /** The chain's order: deposits grow, closing comes before closed. */
  const rank = ({ channel: known }: AccountState) =>
    known === undefined
      ? 0
      : known.status === 'closed'
        ? 4
        : known.status === 'closing'
          ? 3
          : known.deposit === 6n
            ? 2
            : 1
  const ranks = [1, 2, 3, 4]

  it.each([
    ['prepaid', prepaid],
    ['on credit', { unpaidLimit: 2n, freeRequests: 0 }],
    ['with a free request', { unpaidLimit: 1n, freeRequests: 1 }],
  ])('keeps the invariants, %s', (_name, rules) => {
    const { states } = explore<AccountState, AccountEvent>({
      initial: NEW_ACCOUNT,
      events: (state) =>
        events.filter((event, i) => event.type !== 'channel' || (ranks[i] ?? 0) >= rank(state)),
      step: (state, event) => accountReducer(state, event, rules).state,
      check: (state, before, event) => checkInvariants(rules, state, before, event),
      key: modelKey,
    })
    expect(states.length).toBeGreaterThan(100)
    const most = rules.freeRequests === 0 ? 5n : 3n
    expect(states.some(({ spent, channel: known }) => spent === most && known?.status === 'closed')).toBe(
      true,
    )
  })

  it('keeps the invariants for any amounts', () => {
    const anyEvent: fc.Arbitrary<AccountEvent> = fc.oneof(
      uint(7).map((cumulative) => voucher(cumulative)),
      uint(7).map((cumulative) => voucher(cumulative, 3n, 1)),
      fc.tuple(fc.integer({ min: 1, max: 70 }), fc.nat(1)).map(([index, chain]) => tick(index, chain)),
      fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), uint(6)).map(([id, price]) => charge(id, price)),
    )
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), uint(6), (list, unpaidLimit) => {
        const rules = { unpaidLimit, freeRequests: 1 }
        let state = accountReducer(NEW_ACCOUNT, channel(), rules).state
        for (const event of list) {
          const next = accountReducer(state, event, rules).state
          checkInvariants(rules, next, state, event)
          state = next
        }
      }),
    )
  })

  it('goes on from what was on disk after a restart', () => {
    const { state } = run(prepaid, channel(), voucher(10n), tick(2), charge('a', 9n))
    const { channel: _gone, requests: _also, free: _too, ...durable } = state
    const restored: AccountState = { ...NEW_ACCOUNT, ...durable }
    const bound = accountReducer(restored, channel(), prepaid).state
    expect(paidTotal(bound)).toBe(12n)
    expect(accountReducer(bound, charge('b', 4n), prepaid).effects[0]).toMatchObject({
      type: 'paymentRequired',
      total: 13n,
    })
    expect(paidTotal(accountReducer(bound, tick(4), prepaid).state)).toBe(14n)
  })
})
