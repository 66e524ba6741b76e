import { formatPaymentRequired } from '@postrider/protocol/payment'
import { getAddress } from 'viem'
import { afterEach, describe, expect, it } from 'vitest'
import type { Client, ClientOptions } from '../node/index.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { createCrashingStorage, isCrash } from '../testing/crash-storage.ts'
import { createFakeClient, eventOf, type FakeClientOptions, keepOpen } from '../testing/fake-client.ts'
import { type FakeNetwork, startFakeNetwork, testWallet } from '../testing/fake-network.ts'
import type { FakeNodeOptions } from '../testing/fake-node.ts'

const topic = '/test/1/chat/bytes'
const payer = testWallet(1).account.address
const budget = { deposit: 100n, maxDeposit: 500n, daily: 1_000n }
const open: { close(): Promise<void> }[] = []
let network: FakeNetwork | undefined

/** Prices: publish 10, query 20, push 1. */
async function setUp(nodes = 1, options: Partial<FakeNodeOptions> = {}): Promise<FakeNetwork> {
  network = await startFakeNetwork(nodes, options)
  network.chain.mint(payer, 10_000n)
  return network
}
async function startClient(on: FakeNetwork, options: FakeClientOptions & Partial<ClientOptions> = {}) {
  const client = createFakeClient(on, { wallet: 1, budget, ...options })
  open.push(client)
  await client.start()
  return client
}
let sent = 0
const send = (client: Client) =>
  client.publish({ contentTopic: topic, payload: Buffer.from(`message ${sent++}`) }).receipt
/** A client that crashed may refuse at once. */
const sendSafely = async (client: Client) => {
  try {
    await send(client)
  } catch {
    // What matters is what the next client finds.
  }
}
const only = (client: Client) => client.channels.list().find(({ status }) => status === 'open')!
/** Ledger, records and contract agree to the last unit. */
async function expectReconciled(client: Client): Promise<void> {
  const { differences, balance } = await client.channels.reconcile()
  expect(differences).toEqual([])
  expect((await client.channels.ledger()).at(-1)?.balance ?? 0n).toBe(balance)
}
const accountAt = (on: FakeNetwork, node = 0) => [...on.nodes[node]!.payments.accounts.values()].at(-1)!

afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
  await network?.stop()
  network = undefined
})

describe('channel', () => {
  it('is opened once, paid by ticks, and topped up before it is empty', async () => {
    const on = await setUp()
    const client = await startClient(on)
    await Promise.all([send(client), send(client), send(client)])
    expect(on.chain.calls).toEqual(['open'])
    expect(only(client)).toMatchObject({ deposit: 100n, spent: 30n, status: 'open' })
    for (let at = 0; at < 6; at++) await send(client)
    await expect.poll(() => on.chain.calls).toEqual(['open', 'topUp'])
    for (let at = 0; at < 6; at++) await send(client)
    expect(only(client).deposit).toBeGreaterThanOrEqual(200n)
    expect(accountAt(on).spent).toBe(150n)
    const { wallet, channels, dailyRemaining } = await client.balances()
    const deposited = channels.reduce((sum, { deposit }) => sum + deposit, 0n)
    expect([wallet + deposited, dailyRemaining + deposited]).toEqual([10_000n, 1_000n])
    expect((await client.channels.ledger()).map(({ kind }) => kind).slice(0, 2)).toEqual(['open', 'topUp'])
    await expectReconciled(client)
  })

  it('is never filled above its limit', async () => {
    const on = await setUp()
    const client = await startClient(on, { budget: { deposit: 20n, maxDeposit: 45n, daily: 1_000n } })
    for (let at = 0; at < 4; at++) await send(client)
    await expect(send(client)).rejects.toMatchObject({
      code: 'CLIENT_BUDGET_EXCEEDED',
      data: { limit: 'maxDeposit' },
    })
    expect(only(client).deposit).toBe(45n)
  })

  it('is not opened above the daily budget, counted across restarts', async () => {
    const on = await setUp(2)
    const storage = keepOpen(createMemoryStorage())
    const tight = { deposit: 100n, maxDeposit: 100n, daily: 150n }
    const first = await startClient(on, { storage, budget: tight, nodes: { count: 1 } })
    await send(first)
    await first.close()
    await on.nodeOf(only2(on).operator)!.stop()
    const second = await startClient(on, { storage, budget: tight })
    await expect(send(second)).rejects.toMatchObject({
      code: 'CLIENT_BUDGET_EXCEEDED',
      data: { limit: 'daily', remaining: '50' },
    })
  })

  it('is paid for by a free allowance while there is no money', async () => {
    const on = await startFakeNetwork(1, { freeRequests: 1 })
    network = on
    const client = await startClient(on)
    expect(await send(client)).toMatchObject({ paid: 0n })
    const failure = await send(client).catch((error) => error)
    expect(failure).toMatchObject({ code: 'CLIENT_FUNDS_MISSING', data: { address: payer } })
  })

  it('is tried again after a top-up failed', async () => {
    const on = await setUp()
    const client = await startClient(on)
    await send(client)
    on.chain.faults.refuse = 'SomeError'
    const warned = eventOf(client, 'warning')
    for (let at = 0; at < 8; at++) await send(client)
    expect(await warned).toMatchObject({ code: 'CLIENT_TRANSACTION_FAILED', data: { reason: 'SomeError' } })
    on.chain.faults.refuse = ''
    for (let at = 0; at < 3; at++) await send(client)
    expect(only(client).deposit).toBeGreaterThan(100n)
    expect((await client.balances()).dailyRemaining).toBe(1_000n - only(client).deposit)
  })

  it('goes on when a reorganisation takes back a top-up that is in use', async () => {
    const on = await setUp()
    const client = await startClient(on)
    for (let at = 0; at < 12; at++) await send(client)
    await expect.poll(() => only(client).deposit, { timeout: 10_000 }).toBe(200n)
    const { paid } = only(client)
    expect(paid).toBeGreaterThan(100n)
    on.chain.reorganise()
    for (let at = 0; at < 3; at++) await send(client)
    expect(only(client)).toMatchObject({ deposit: 200n, spent: 150n })
    // The same transaction, not another one.
    expect(on.chain.calls).toEqual(['open', 'topUp'])
    await expectReconciled(client)
  })

  it('closes, waits, and gives back what was not used; the next payment opens another', async () => {
    const on = await setUp()
    const client = await startClient(on)
    await send(client)
    const { operator } = on.nodes[0]!
    const closing = await client.channels.requestClose(operator)
    expect(closing).toMatchObject({ status: 'closing', spent: 10n })
    expect(await client.channels.withdraw(closing.channelId)).toMatchObject({ status: 'closed' })
    await send(client)
    expect(client.channels.list().map(({ status }) => status)).toEqual(['closed', 'open'])
    const kinds = (await client.channels.ledger()).map(({ kind }) => kind)
    expect(kinds).toEqual(['open', 'closeRequested', 'withdrawn', 'open'])
    await expectReconciled(client)
  })

  it('is replaced when the node knows first that it closes', async () => {
    const on = await setUp()
    const storage = keepOpen(createMemoryStorage())
    const first = await startClient(on, { storage })
    await send(first)
    const { channelId } = only(first)
    await first.close()
    on.chain.change(channelId, { status: 'closing', closeAt: 1 })
    const second = await startClient(on, { storage })
    await send(second)
    expect(second.channels.list().map(({ status }) => status)).toEqual(['closing', 'open'])
  })

  it('is accounted for whoever moved the money, and warns when more was claimed than promised', async () => {
    const on = await setUp()
    const client = await startClient(on)
    for (let at = 0; at < 3; at++) await send(client)
    const { channelId } = only(client)
    on.chain.change(channelId, { settled: 20n })
    await expectReconciled(client)
    const warned = eventOf(client, 'warning')
    on.chain.change(channelId, { settled: 95n, status: 'closing', closeAt: 1 })
    on.chain.change(channelId, { status: 'closed' })
    const { differences } = await client.channels.reconcile()
    expect(differences).toMatchObject([{ code: 'CLIENT_OVERCHARGED', field: 'settled', found: '95' }])
    expect(await warned).toMatchObject({ code: 'CLIENT_OVERCHARGED', data: { theirs: '95' } })
    const entries = (await client.channels.ledger()).map(({ kind, amount }) => [kind, amount])
    expect(entries).toEqual([
      ['open', 100n],
      ['settled', 20n],
      ['settled', 75n],
      ['closeRequested', 0n],
      ['withdrawn', 5n],
    ])
  })

  it('waits until the node sees it', async () => {
    const on = await setUp()
    const client = await startClient(on)
    let looks = 0
    on.nodes[0]!.payments.see(() => ++looks > 2)
    expect(await send(client)).toMatchObject({ paid: 10n })
    expect(looks).toBeGreaterThan(2)
  })
})

const only2 = ({ nodes }: FakeNetwork) => nodes.find(({ payments }) => payments.accounts.size > 0)!

describe('promises', () => {
  it('go on where they were after a lost stream, a restart and a reconnect', async () => {
    const on = await setUp()
    const storage = keepOpen(createMemoryStorage())
    const first = await startClient(on, { storage })
    await send(first)
    await on.nodes[0]!.payments.hangUp()
    await send(first)
    await on.nodes[0]!.hangUp()
    await send(first)
    await first.close()
    const second = await startClient(on, { storage })
    await send(second)
    expect(accountAt(on).spent).toBe(40n)
    expect(only(second)).toMatchObject({ spent: 40n, paid: 50n })
    expect(on.chain.calls).toEqual(['open'])
  })

  it('are sent again when the node lost the last one', async () => {
    const on = await setUp()
    const storage = keepOpen(createMemoryStorage())
    const first = await startClient(on, { storage })
    for (let at = 0; at < 3; at++) await send(first)
    const { paid } = only(first)
    await first.close()
    const { accounts } = on.nodes[0]!.payments
    for (const [id, state] of accounts) {
      accounts.set(id, {
        ...state,
        voucher: undefined,
        tick: { index: 0, preimage: new Uint8Array(32) },
        spent: 0n,
      })
    }
    const second = await startClient(on, { storage })
    await send(second)
    expect(accountAt(on).spent).toBe(10n)
    expect(only(second).paid).toBe(paid)
  })

  it('are recovered from the node when the storage is lost, because only we can have made them', async () => {
    const on = await setUp()
    const first = await startClient(on)
    for (let at = 0; at < 3; at++) await send(first)
    const before = only(first)
    await first.close()
    const second = await startClient(on)
    const recovered = eventOf(second, 'channel:recovered')
    await send(second)
    expect(await recovered).toMatchObject({ channelId: before.channelId, paid: before.paid, spent: 30n })
    expect(only(second)).toMatchObject({ spent: 40n, deposit: 100n })
    expect(on.chain.calls).toEqual(['open'])
  })

  it.each([
    ['are recovered however much of them was spent', { spent: 0n, ticks: 0 }, undefined],
    [
      'are not recovered with spending that they do not cover',
      { spent: 1_000n, ticks: 0 },
      'CLIENT_OVERCHARGED',
    ],
    ['are not recovered with ticks that were not revealed', { spent: 200n, ticks: 10 }, 'CLIENT_OVERCHARGED'],
  ])('%s', async (_, lies, code) => {
    const on = await setUp(1, { prices: { publish: 10n, query: 20n, push: 0n } })
    const first = await startClient(on)
    for (let at = 0; at < 3; at++) await send(first)
    const { channelId } = only(first)
    await first.close()
    Object.assign(on.nodes[0]!.payments.lies, lies)
    const second = await startClient(on)
    if (!code) {
      await send(second)
      expect(only(second)).toMatchObject({ channelId, spent: 40n })
    } else {
      await expect(send(second)).rejects.toMatchObject({ code })
      expect(only(second)).toMatchObject({ channelId, paid: 0n })
    }
  })

  it('do not follow a node that claims more than was promised', async () => {
    const on = await setUp(2)
    const storage = keepOpen(createMemoryStorage())
    const first = await startClient(on, { storage })
    for (let at = 0; at < 6; at++) await send(first)
    await first.close()
    const [liar] = on.nodes
    liar!.payments.lies.paid = 1_000n
    const second = await startClient(on, { storage })
    for (let at = 0; at < 6; at++) expect((await send(second)).node.operator).toBe(on.nodes[1]!.operator)
    expect(second.nodes().find(({ operator }) => operator === liar!.operator)).toMatchObject({
      distrusted: 'CLIENT_OVERCHARGED',
      connected: false,
    })
  })

  it('are on disk before the node has them, at every write', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let at = 0; at < 14; at++) {
        const on = await setUp()
        const disk = createMemoryStorage()
        const first = createFakeClient(on, {
          wallet: 1,
          budget,
          storage: createCrashingStorage(disk, at, when),
        })
        await first.start().catch(() => undefined)
        for (let tries = 0; tries < 4; tries++) await sendSafely(first)
        await first.close().catch((error) => expect(error).toSatisfy(isCrash))

        const second = await startClient(on, { storage: keepOpen(disk) })
        let recovered = false
        second.on('channel:recovered', () => {
          recovered = true
        })
        await send(second)
        // Whatever the node had seen, the storage knew: nothing had to be taken over.
        expect([when, at, recovered]).toEqual([when, at, false])
        expect(on.chain.channels.size).toBe(1)
        await second.close()
        await on.stop()
      }
    }
  })
})

describe('terms', () => {
  it.each([
    ['CLIENT_PRICE_TOO_HIGH', { prices: { publish: 11n, query: 20n, push: 1n } }],
    ['CLIENT_TERMS_INVALID', { payee: payer }],
    ['CLIENT_TERMS_INVALID', { chainId: 1 }],
  ])('are refused with %s', async (code, lie) => {
    const on = await setUp()
    Object.assign(on.nodes[0]!.payments.lies, lie)
    const client = await startClient(on)
    const refused = await send(client).catch((error) => error)
    expect(refused).toMatchObject({ code })
    expect(on.chain.calls).toEqual([])
    // One spelling of an address: the one with the checksum.
    const shown = JSON.stringify(refused.data).match(/0x[0-9a-fA-F]{40}(?![0-9a-fA-F])/g) ?? []
    expect(shown).toEqual(shown.map((address) => getAddress(address)))
  })

  it('may be above the registered price where the options allow it', async () => {
    const on = await setUp()
    on.nodes[0]!.payments.lies.prices = { publish: 11n, query: 20n, push: 1n }
    const maxPrices = { publish: 12n, query: 20n, push: 1n }
    const client = await startClient(on, { budget: { ...budget, maxPrices } })
    expect(await send(client)).toMatchObject({ paid: 11n })
  })
})

describe('a node that hangs up after each request', () => {
  const prices = { publish: 1n, query: 20n, push: 1n }

  it.each([
    ['pushes that never came', prices, () => 64n, 64n],
    ['what was promised in advance', { ...prices, push: 0n }, (credit: bigint) => credit, 0n],
  ])('gets no more by counting %s than one that stays', async (_, asked, more, tolerated) => {
    const on = await setUp(1, { prices: asked })
    const { payments } = on.nodes[0]!
    const client = await startClient(on)
    let served = 0n
    while (served < 12n && (await send(client).catch(() => undefined))) {
      served += asked.publish
      const { paid, spent } = only(client)
      payments.lies.spent += more(paid - spent)
      await payments.hangUp()
    }
    expect(only(client).paid).toBeLessThanOrEqual(served + tolerated + asked.query + 16n * asked.push)
  })
})

describe('402', () => {
  it('is met with the same request id, and only for what was counted', async () => {
    const on = await setUp()
    const client = await startClient(on)
    await send(client)
    // The node does not hear the next payment before it charges.
    const [node] = on.nodes
    const { charge } = node!.payments
    let refused = 0
    node!.payments.charge = async (peer, id, service) => (refused++ === 0 ? false : charge(peer, id, service))
    await send(client)
    const ids = node!.pushedRequests.map(({ requestId }) => requestId)
    expect(ids[1]).toBe(ids[2])
    expect(ids).toHaveLength(3)
  })

  it('that asks for more than was served ends the trust', async () => {
    const on = await setUp()
    const client = await startClient(on)
    for (let at = 0; at < 3; at++) await send(client)
    on.nodes[0]!.payments.lies.spent = 1_000n
    const results = await Promise.allSettled([send(client), send(client), send(client), send(client)])
    expect(results.some(({ status }) => status === 'rejected')).toBe(true)
    await expect(send(client)).rejects.toMatchObject({ code: 'CLIENT_NO_NODE' })
    expect(client.nodes()[0]?.distrusted).toBe('CLIENT_OVERCHARGED')
    expect(only(client).paid).toBeLessThanOrEqual(80n)
  })
  it('that states more than was counted ends it too, without a word on the payment stream', async () => {
    const on = await setUp()
    const client = await startClient(on)
    await send(client)
    const [node] = on.nodes
    node!.payments.charge = async () => false
    node!.faults.says = formatPaymentRequired(1_000n)
    await expect(send(client)).rejects.toMatchObject({ code: expect.stringMatching(/^CLIENT_/) })
    expect(client.nodes()[0]?.distrusted).toBe('CLIENT_OVERCHARGED')
  })
})
