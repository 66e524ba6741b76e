import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { actionPlan, action as actionSchema } from '../api/schemas/actions.ts'
import { createMemoryTransactionStore } from '../chain/transaction-store.ts'
import type { ActionRecord } from '../operator/index.ts'
import type { AccountRecord } from '../payments/types.ts'
import { createActions, toAction } from './actions.ts'
import { createRedemptions } from './redemptions.ts'
import { ACCOUNT, createModelChain, known, OPERATOR } from './testing/model-chain.ts'
import { createMoney, paidAccount } from './testing/money.ts'

const record = (id: string, change: Partial<ActionRecord> = {}): ActionRecord => ({
  id,
  request: id,
  kind: 'stake.exit',
  state: 'accepted',
  steps: [{ label: 'announce the exit', call: { kind: 'announceExit', to: '0x01', data: '0x' } }],
  effects: ['clients stop choosing this node'],
  failure: undefined,
  createdMs: 1,
  updatedMs: 1,
  ...change,
})

/** The chain is not asked: what is tested here needs no plan of a transaction. */
async function setUp(accounts: AccountRecord[], own: ActionRecord[] = []) {
  const { chain } = createModelChain()
  const { payments, ...rest } = await createMoney(accounts)
  await payments.start()
  const redemptions = createRedemptions({ chain, payments }, { operator: known(OPERATOR) })
  const newestFirst = own.toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const actions = createActions(
    {
      config: { chain: { maxFeePerGas: 1n } },
      chain: {
        client: { rpc: {}, network: {} } as never,
        transactions: chain.transactions,
        sender: { address: ACCOUNT, quote: async () => Promise.reject(), balance: async () => 0n },
      },
      payments,
      actions: {
        find: async (request) => own.find((one) => one.request === request),
        get: async (id) => own.find((one) => one.id === id),
        page: async ({ before = 'b', limit }) => newestFirst.filter(({ id }) => id < before).slice(0, limit),
        begin: async () => record('never'),
      },
    },
    redemptions,
  )
  return { ...rest, payments, actions }
}

describe('a command', () => {
  it('with nothing to do is a plan that says what holds things back', async () => {
    const { actions, redeemer, payments } = await setUp([paidAccount(1, 5n)])
    redeemer.cost = 10n
    await payments.redemption.check()
    const nothing = { wouldSend: false, amount: 0n, reason: { code: 'PAYMENT_CLAIM_TOO_SMALL' } }
    const command = { kind: 'rewards.claim', force: false } as const
    const plan = await actions.plan(command)
    expect(plan).toMatchObject(nothing)
    z.encode(actionPlan, plan!)
    expect(await actions.begin('request', command)).toMatchObject(nothing)
    expect(redeemer.sent.size).toBe(0)
    await payments.stop()
  })

  it('that names what is not there is none', async () => {
    const { actions, payments } = await setUp([])
    const channelId = `0x${'99'.repeat(32)}`
    const commands = [
      { kind: 'channel.close', channelId },
      { kind: 'rewards.claim', channels: [channelId], force: true },
      { kind: 'rewards.claim', redemption: 'r-unknown' },
    ] as const
    for (const command of commands) {
      expect([await actions.plan(command), await actions.begin('r', command)]).toEqual([undefined, undefined])
    }
    await payments.stop()
  })

  it('that claims is found by its request too, when its answer was lost', async () => {
    const { actions, ledger, payments } = await setUp([])
    const request = 'f'.repeat(64)
    const base = { items: [], txHash: undefined, reason: undefined, createdMs: 1, updatedMs: 1 }
    const [id, proposed] = [`r00000000000001-${'f'.repeat(16)}`, 'r00000000000002-aa']
    await ledger.saveRedemption({ ...base, id, state: 'approved' })
    await ledger.saveRedemption({ ...base, id: proposed, state: 'done' })
    const command = { kind: 'rewards.claim', force: true } as const
    expect(await actions.begin(request, command)).toMatchObject({ id, state: 'accepted' })
    const approval = { kind: 'rewards.claim', redemption: proposed } as const
    expect(await actions.begin('another', approval)).toMatchObject({ id: proposed, state: 'done' })
    expect(await actions.begin('another', command)).toMatchObject({ wouldSend: false })
    await payments.stop()
  })

  it('that began before is found by its request, without a new plan', async () => {
    const { actions, payments } = await setUp([], [record('a1')])
    expect(await actions.begin('a1', { kind: 'stake.exit' })).toMatchObject({ id: 'a1', state: 'accepted' })
    await payments.stop()
  })
})

describe('actions', () => {
  it('are those of the runner and the redemptions that began, newest first, in pages', async () => {
    const own = [record('a00000000000002-aa'), record('a00000000000004-aa')]
    const { actions, ledger, payments } = await setUp([], own)
    const base = { items: [], txHash: undefined, reason: undefined, createdMs: 1, updatedMs: 1 }
    await ledger.saveRedemption({ ...base, id: 'r00000000000001-aa', state: 'done' })
    await ledger.saveRedemption({ ...base, id: 'r00000000000003-aa', state: 'failed' })
    await ledger.saveRedemption({ ...base, id: 'r00000000000005-aa', state: 'rejected' })
    const ids: string[] = []
    let cursor: string | undefined
    do {
      const page = await actions.list({ limit: 1, ...(cursor && { cursor }) })
      for (const item of page.items) {
        z.encode(actionSchema, item)
        ids.push(item.id)
      }
      cursor = page.nextCursor ?? undefined
    } while (cursor)
    const expected = [own[1]!.id, 'r00000000000003-aa', own[0]!.id, 'r00000000000001-aa']
    expect(ids).toEqual(expected)
    expect((await actions.list({ limit: 10 })).items.map(({ id }) => id)).toEqual(expected)
    expect(await actions.get('r00000000000003-aa')).toMatchObject({
      kind: 'rewards.claim',
      state: 'failed',
      redemption: 'r00000000000003-aa',
    })
    expect(await actions.get('r00000000000005-aa')).toBeUndefined()
    await payments.stop()
  })

  it('show what became of each transaction', async () => {
    const transactions = createMemoryTransactionStore()
    const two = record('a1', { steps: [...record('a').steps, ...record('a').steps] })
    expect(toAction(two, [])).toMatchObject({ state: 'accepted', transactions: [{ state: 'waiting' }, {}] })
    const hash = `0x${'0f'.repeat(32)}` as const
    await transactions.put({
      key: 'a1/0',
      kind: 'announceExit',
      sender: '0x01',
      target: '0x02',
      data: '0x',
      value: 0n,
      nonce: 0,
      gas: 1n,
      status: 'sent',
      attempts: [{ hash, raw: '0x', maxFee: 9n, priorityFee: 1n, sentMs: 5 }],
    })
    expect(toAction(two, [await transactions.get('a1/0'), undefined])).toMatchObject({
      state: 'sent',
      transactions: [{ hash, state: 'sent', fee: null }, { hash: null }],
    })
    const end = { status: 'done', txHash: hash, blockNumber: 7, gasUsed: 3n, gasPrice: 5n } as const
    await transactions.end('a1/0', end)
    const done = toAction({ ...two, state: 'done' }, [await transactions.get('a1/0')])
    expect(done).toMatchObject({ state: 'done', transactions: [{ block: 7n, fee: 15n }, {}] })
    z.encode(actionSchema, done)
    const failure = { code: 'CHAIN_REVERTED', text: 'Exiting' } as const
    expect(toAction(record('a2', { state: 'failed', failure }), [])).toMatchObject({ reason: failure })
  })
})
