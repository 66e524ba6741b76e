import { describe, expect, it } from 'vitest'
import { explore } from '../testing/explore.ts'
import { type ChannelEvent, type ChannelLife, channelReducer, NO_CHANNEL } from './index.ts'

const events: ChannelEvent[] = [
  { type: 'opened', deposit: 2n },
  { type: 'toppedUp', deposit: 4n },
  ...[1n, 2n, 3n, 5n].flatMap((total): ChannelEvent[] => [
    { type: 'earned', total },
    { type: 'settled', settled: total },
  ]),
  { type: 'closeRequested', closeAt: 10n },
  { type: 'closed' },
  { type: 'time', now: 9n },
  { type: 'time', now: 10n },
]

describe('channel life, every order of events', () => {
  const { states } = explore<ChannelLife, ChannelEvent>({
    initial: NO_CHANNEL,
    events: () => events,
    step: (state, event) => channelReducer(state, event).state,
    check(state, before, event) {
      expect(state.settled <= state.deposit).toBe(true)
      expect(state.earned <= state.deposit).toBe(true)
      expect(state.settled <= state.earned).toBe(true)
      expect(state.closeAt > 0n).toBe(state.status === 'closing')
      if (before === undefined || event === undefined) return
      for (const field of ['deposit', 'settled', 'earned'] as const)
        expect(state[field] >= before[field]).toBe(true)
      const order = ['none', 'open', 'closing', 'closed']
      expect(order.indexOf(state.status)).toBeGreaterThanOrEqual(order.indexOf(before.status))
      if (before.status === 'closed') expect(state).toEqual(before)
      const { effects } = channelReducer(before, event)
      for (const effect of effects) {
        // Redeeming is urged only while it can still be done, and only for more than was urged before.
        if (effect.type === 'redeem') {
          expect(state.status).toBe('closing')
          expect(effect.total > state.settled && effect.total > before.urged).toBe(true)
        }
        if (effect.type === 'withdraw') expect(before.status).toBe('closing')
        if (effect.type === 'lost') expect(effect.amount).toBe(before.earned - before.settled)
        if (effect.type === 'refused') expect(state).toBe(before)
      }
      const owes = state.status === 'closing' && state.earned > state.settled
      if (owes) expect(state.urged).toBe(state.earned)
    },
  })

  it('visits every status', () => {
    expect(states.length).toBeGreaterThan(50)
    expect(new Set(states.map(({ status }) => status)).size).toBe(4)
  })
})

describe('channel life', () => {
  const run = (...list: ChannelEvent[]) => {
    let state = NO_CHANNEL
    let effects: ReturnType<typeof channelReducer>['effects'] = []
    for (const event of list) ({ state, effects } = channelReducer(state, event))
    return { state, effects }
  }
  const open: ChannelEvent = { type: 'opened', deposit: 10n }
  const closing: ChannelEvent = { type: 'closeRequested', closeAt: 100n }

  it('redeems at once when the payer leaves, and again when more is earned', () => {
    expect(run(open, { type: 'earned', total: 5n }, closing).effects).toEqual([{ type: 'redeem', total: 5n }])
    expect(run(open, { type: 'earned', total: 5n }, closing, { type: 'earned', total: 6n }).effects).toEqual([
      { type: 'redeem', total: 6n },
    ])
    expect(run(open, { type: 'earned', total: 5n }, closing, { type: 'time', now: 50n }).effects).toEqual([])
  })

  it('lets the payer withdraw after the thaw', () => {
    expect(run(open, closing, { type: 'time', now: 99n }).effects).toEqual([])
    expect(run(open, closing, { type: 'time', now: 100n }).effects).toEqual([{ type: 'withdraw' }])
  })

  it('counts what was lost', () => {
    expect(
      run(open, { type: 'earned', total: 7n }, { type: 'settled', settled: 4n }, { type: 'closed' }).effects,
    ).toEqual([{ type: 'lost', amount: 3n }])
  })

  it.each<[string, ChannelEvent[]]>([
    ['a second opening', [open, open]],
    ['a top-up while closing', [open, closing, { type: 'toppedUp', deposit: 20n }]],
    ['a deposit that falls', [open, { type: 'toppedUp', deposit: 9n }]],
    ['a settlement that falls', [open, { type: 'settled', settled: 5n }, { type: 'settled', settled: 4n }]],
    ['a settlement above the deposit', [open, { type: 'settled', settled: 11n }]],
    ['earnings above the deposit', [open, { type: 'earned', total: 11n }]],
    ['anything after the end', [open, { type: 'closed' }, closing]],
  ])('asks to read the channel again on %s', (_name, list) => {
    expect(run(...list).effects).toEqual([{ type: 'refused', code: 'PAYMENT_EVENT_UNEXPECTED' }])
  })

  it('takes the contract at its word after a reorganisation', () => {
    const read: ChannelEvent = {
      type: 'read',
      channel: { status: 'closing', deposit: 8n, settled: 2n, closeAt: 5n },
    }
    const { state, effects } = run(open, { type: 'earned', total: 4n }, read)
    expect(state).toMatchObject({ status: 'closing', deposit: 8n, settled: 2n, earned: 4n })
    expect(effects).toEqual([{ type: 'redeem', total: 4n }])
  })
})
