import { describe, expect, it } from 'vitest'
import { admitVoucher } from './admission.ts'
import { createAccountBook } from './book.ts'
import { createFreeAllowance } from './free.ts'
import { createGate } from './gate.ts'
import { createComponents, createPayer, PRICES, VOUCHER_RULES } from './testing/kit.ts'

const payer = createPayer('alice')
const content = (text: string) => new TextEncoder().encode(text)

async function setup({ bound = true, freeRequests = 2 } = {}) {
  const components = createComponents()
  components.escrow.open(payer, 1_000n)
  const book = createAccountBook(components, { unpaidLimit: 20n, freeRequests: 0 })
  await book.hold(payer.channelId, payer.descriptor)
  const notices: [string, string, bigint][] = []
  const gate = createGate(
    {
      ...components,
      book,
      free: createFreeAllowance(freeRequests),
      channelOf: (peer) => (bound && peer === 'alice' ? payer.channelId : undefined),
      requirePayment: (...notice) => notices.push(notice),
    },
    { prices: PRICES, freeEpochSeconds: 600 },
  )
  const pay = (cumulative: bigint) =>
    book.apply(payer.channelId, (state, record) =>
      admitVoucher(VOUCHER_RULES, payer.voucher(cumulative), state, record),
    )
  return { ...components, gate, pay, notices }
}

describe('payment gate', () => {
  it('charges each service its price to the channel that the peer has bound', async () => {
    const { gate, ledger, pay } = await setup()
    await pay(100n)
    for (const service of ['publish', 'query', 'push'] as const) {
      const result = await gate.charge({ peer: 'alice', requestId: 'same id', service })
      expect(result).toEqual({ ok: true, charged: PRICES[service], free: false })
    }
    expect((await ledger.account(payer.channelId))?.spent).toBe(15n)
    expect(gate.counts()).toEqual({ paid: 3, free: 0, repeated: 0, refused: 0 })
  })

  it('answers the same request again for one charge, but not for ever, and not another one under its id', async () => {
    const { gate, ledger, pay } = await setup()
    await pay(100n)
    const request = { peer: 'alice', requestId: 'r', service: 'query', content: content('a') } as const
    for (let round = 0; round < 4; round++) {
      expect(await gate.charge(request)).toEqual({ ok: true, charged: 4n, free: false })
    }
    expect((await ledger.account(payer.channelId))?.spent).toBe(4n)
    await expect(gate.charge(request)).rejects.toMatchObject({ code: 'PAYMENT_REQUEST_REPEATED' })
    await gate.charge({ ...request, content: content('b') })
    expect((await ledger.account(payer.channelId))?.spent).toBe(8n)
  })

  it('refuses above the unpaid limit with the total needed, tells the payer, and serves once it is paid', async () => {
    const { gate, pay, notices, ledger } = await setup()
    for (const requestId of ['1', '2', '3', '4', '5']) {
      expect(await gate.charge({ peer: 'alice', requestId, service: 'query' })).toMatchObject({ ok: true })
    }
    // A tenth of the limit is owed after the first request: time to ask.
    expect(notices).toEqual([['alice', '', 4n]])
    const refused = { peer: 'alice', requestId: '6', service: 'query' } as const
    expect(await gate.charge(refused)).toEqual({ ok: false, total: 24n, code: 'PAYMENT_REQUIRED' })
    expect(notices.at(-1)).toEqual(['alice', '6', 24n])
    await pay(24n)
    expect(await gate.charge(refused)).toMatchObject({ ok: true, charged: 4n })
    expect((await ledger.account(payer.channelId))?.spent).toBe(24n)
  })

  it('serves peers without a channel within their allowance', async () => {
    const { gate, clock } = await setup({ bound: false })
    const results = []
    for (const requestId of ['1', '2', '3']) {
      results.push(await gate.charge({ peer: 'alice', requestId, service: 'publish' }))
    }
    expect(results).toEqual([
      { ok: true, charged: 0n, free: true },
      { ok: true, charged: 0n, free: true },
      { ok: false, total: 10n, code: 'PAYMENT_NO_CHANNEL' },
    ])
    await clock.advance(600_000)
    expect(await gate.charge({ peer: 'alice', requestId: '4', service: 'publish' })).toMatchObject({
      free: true,
    })
  })

  it('gives a bound account nothing for free', async () => {
    const { gate, pay } = await setup({ freeRequests: 1_000 })
    await pay(10n)
    expect(await gate.charge({ peer: 'alice', requestId: '1', service: 'query' })).toMatchObject({
      free: false,
    })
  })

  it('refuses accounts while the chain is not in view, and closing ones', async () => {
    const { gate, escrow, pay } = await setup()
    await pay(100n)
    escrow.fresh = false
    const request = { peer: 'alice', requestId: '1', service: 'query' } as const
    await expect(gate.charge(request)).rejects.toMatchObject({ code: 'PAYMENT_CHAIN_STALE', retryable: true })
    expect(await gate.charge({ ...request, peer: 'bob' })).toMatchObject({ ok: true, free: true })
    escrow.fresh = true
    expect(await gate.charge(request)).toMatchObject({ ok: true })
  })

  it.each(['', 'x'.repeat(129)])('refuses the request id %j', async (requestId) => {
    const { gate } = await setup()
    await expect(gate.charge({ peer: 'alice', requestId, service: 'query' })).rejects.toMatchObject({
      code: 'PAYMENT_REQUEST_ID_INVALID',
    })
  })
})
