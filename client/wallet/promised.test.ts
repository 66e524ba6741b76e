import {
  type AccountState,
  accountReducer,
  MAX_TICKS,
  NEW_ACCOUNT,
  paidTotal,
} from '@postrider/protocol/payment'
import { bytesToHex, type Hex } from '@postrider/protocol/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testKeys } from '../testing/fake-network.ts'
import { NOTHING_PROMISED, nextPayment, type Payment, promisedTotal } from './promised.ts'

const limits = { tickValue: 10n, maxTicks: MAX_TICKS, deposit: 1_000n }

describe('next payment', () => {
  it('begins with a voucher for exactly what is owed, goes on with ticks', () => {
    const first = nextPayment(NOTHING_PROMISED, 7n, limits)
    expect(first).toEqual({ type: 'voucher', promised: { cumulative: 7n, tickValue: 10n, ticks: 0 } })
    const second = nextPayment(first!.promised, 8n, limits)
    expect(second).toEqual({ type: 'tick', promised: { cumulative: 7n, tickValue: 10n, ticks: 1 } })
    expect(nextPayment(second!.promised, 38n, limits)?.promised.ticks).toBe(4)
  })

  it('takes a new voucher when the ticks are used up or would exceed the deposit', () => {
    const full = { cumulative: 0n, tickValue: 10n, ticks: MAX_TICKS }
    expect(nextPayment(full, 641n, limits)).toMatchObject({ type: 'voucher', promised: { cumulative: 641n } })
    const near = { cumulative: 993n, tickValue: 10n, ticks: 0 }
    expect(nextPayment(near, 995n, limits)).toMatchObject({ type: 'voucher', promised: { cumulative: 995n } })
  })

  it('has none above the deposit', () => {
    expect(nextPayment(NOTHING_PROMISED, 1_001n, limits)).toBeUndefined()
  })
})

const channel = { id: `0x${'11'.repeat(32)}` as Hex, deposit: 1_000n, status: 'open' as const }
const keys = testKeys(1)

/** The payment as the node's account takes it. */
function apply(state: AccountState, { type, promised }: Payment): AccountState {
  const { cumulative, tickValue, ticks } = promised
  const chain = keys.ticks({ channelId: channel.id, cumulative, tickValue })
  const event =
    type === 'tick'
      ? { type, tick: { index: ticks, preimage: chain.preimage(ticks) } }
      : {
          type,
          voucher: {
            channelId: channel.id,
            cumulative,
            tickValue,
            tickAnchor: bytesToHex(chain.anchor),
            signature: new Uint8Array(65),
          },
        }
  const step = accountReducer(state, event, { unpaidLimit: 0n, freeRequests: 0 })
  expect(step.effects).toEqual([{ type: 'account' }])
  return step.state
}

it('is always taken by the node, never falls, and is never a tick ahead', () => {
  const needs = fc.array(fc.bigInt({ min: 0n, max: 200n }), { maxLength: 30 })
  const values = fc.bigInt({ min: 0n, max: 30n })
  fc.assert(
    fc.property(needs, values, (steps, tickValue) => {
      let node = accountReducer(
        NEW_ACCOUNT,
        { type: 'channel', channel },
        { unpaidLimit: 0n, freeRequests: 0 },
      ).state
      let promised = NOTHING_PROMISED
      let need = 0n
      for (const step of steps) {
        need += step
        const before = promisedTotal(promised)
        if (need <= before) continue
        const payment = nextPayment(promised, need, { ...limits, tickValue })
        expect(payment === undefined).toBe(need > limits.deposit)
        if (!payment) return
        promised = payment.promised
        node = apply(node, payment)
        const total = promisedTotal(promised)
        expect(paidTotal(node)).toBe(total)
        expect(total >= need && total > before && total <= limits.deposit).toBe(true)
        expect(total - need < (tickValue || 1n)).toBe(true)
      }
    }),
  )
})
