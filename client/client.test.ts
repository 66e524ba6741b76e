import { bytesToHex, equalBytes, messageHash } from '@postrider/protocol/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from './core/clock.ts'
import type { Client, PublishState, ReceivedMessage } from './node/index.ts'
import { createMemoryStorage } from './storage/memory.ts'
import { createFakeClient, type FakeClientOptions, keepOpen } from './testing/fake-client.ts'
import { type FakeNetwork, startFakeNetwork, testWallet } from './testing/fake-network.ts'
import { FAKE_PRICES, type FakeNodeOptions } from './testing/fake-node.ts'

const topic = '/test/1/chat/bytes'
const payer = (number: number) => testWallet(number).account.address
const open: { close(): Promise<void> }[] = []
let network: FakeNetwork | undefined

async function setUp(nodes: number, options: Partial<FakeNodeOptions> = {}): Promise<FakeNetwork> {
  network = await startFakeNetwork(nodes, options)
  network.chain.mint(payer(1), 10n ** 9n)
  return network
}
async function startClient(on: FakeNetwork, options: FakeClientOptions = {}): Promise<Client> {
  const budget = { deposit: 1_000n, maxDeposit: 5_000n, daily: 10_000n }
  const client = createFakeClient(on, { budget, ...options })
  open.push(client)
  await client.start()
  return client
}
const text = (payload: string, more = {}) => ({ contentTopic: topic, payload: Buffer.from(payload), ...more })

afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
  await network?.stop()
  network = undefined
})

describe('publish', () => {
  it('pays, proves, relays, finds the message in a store, and says what it cost', async () => {
    const on = await setUp(2)
    const client = await startClient(on, { wallet: 1, confirmations: 1 })
    await client.membership.register({ limit: 5 })
    const handle = client.publish(text('hello'))
    const states: PublishState[] = []
    for await (const state of handle) states.push(state)
    expect(states.map(({ state }) => state)).toEqual(['queued', 'proved', 'relayed', 'stored'])
    const receipt = await handle.receipt
    expect(receipt).toMatchObject({
      rlnRemaining: 4,
      stores: 1,
      paid: 30n,
      attempts: [],
      contentTopic: topic,
    })
    const [stored] = on.nodes[0]!.archive
    expect(receipt.messageHash).toBe(bytesToHex(stored!.hash))
    expect(await client.budget(topic)).toMatchObject({ limit: 5, used: 1, remaining: 4 })
    for await (const state of handle) expect(state).toEqual(states.shift())
  })

  it('lives on the free allowance without a wallet, and says so when it is used up', async () => {
    const on = await setUp(1, { freeRequests: 1 })
    const client = await startClient(on)
    expect(await client.publish(text('free')).receipt).toMatchObject({ paid: 0n })
    await expect(client.publish(text('paid')).receipt).rejects.toMatchObject({
      code: 'CLIENT_WALLET_REQUIRED',
    })
    expect(on.nodes[0]!.archive).toHaveLength(1)
  })

  it.each([
    ['answers 503', { status: 503 }],
    ['breaks the stream', { broken: true }],
    ['calls the message invalid', { status: 420 }],
  ])('goes to another node with the same bytes when one %s', async (_, fault) => {
    const on = await setUp(2)
    const client = await startClient(on, { wallet: 1 })
    await client.membership.register({ limit: 50 })
    Object.assign(on.nodes[0]!.faults, fault)
    // Which node is asked first is chance; ten messages meet the bad one.
    for (let at = 0; at < 10; at++) await client.publish(text(`hello ${at}`)).receipt
    expect(on.nodes[1]!.pushedRequests).toHaveLength(10)
    expect((await client.budget(topic))?.used).toBe(10)
    for (const { message } of on.nodes[0]!.pushedRequests) {
      const twin = on.nodes[1]!.pushedRequests.find(({ message: { payload } }) =>
        equalBytes(payload, message.payload),
      )
      expect(twin?.message.rateLimitProof).toEqual(message.rateLimitProof)
    }
  })

  it('pays once for a message whose answers were lost', async () => {
    const on = await setUp(1)
    const [node] = on.nodes
    const client = await startClient(on, { wallet: 1 })
    node!.faults.lostAnswers = 2
    const receipt = await client.publish(text('again')).receipt
    expect(new Set(node!.pushedRequests.map(({ requestId }) => requestId)).size).toBe(1)
    expect(node!.pushedRequests).toHaveLength(3)
    expect(receipt).toMatchObject({ paid: FAKE_PRICES.publish, attempts: [{}, {}] })
    // What the node may have charged is counted until its next account says what it has.
    expect(client.channels.list()[0]!.spent).toBe(3n * FAKE_PRICES.publish)
    await client.publish(text('next')).receipt
    await expect.poll(() => client.channels.list()[0]!.spent).toBe(2n * FAKE_PRICES.publish)
  })

  it('believes a rejection by two nodes, and names both', async () => {
    const on = await setUp(3)
    const client = await startClient(on, { wallet: 1 })
    for (const node of on.nodes) node.faults.status = 420
    const failure = await client.publish(text('bad')).receipt.catch((error) => error)
    expect(failure).toMatchObject({ code: 'CLIENT_PUBLISH_REJECTED', retryable: false })
    expect(failure.data.attempts.length).toBeGreaterThanOrEqual(2)
  })

  it('burns no message id when no node is in reach', async () => {
    const on = await setUp(1)
    const client = await startClient(on, { wallet: 1 })
    await client.membership.register({ limit: 5 })
    await on.nodes[0]!.stop()
    await expect(client.publish(text('lost')).receipt).rejects.toMatchObject({ retryable: true })
    expect(await client.budget(topic)).toMatchObject({ used: 0 })
  })

  it('stops for the caller, before and after the proof', async () => {
    const on = await setUp(1)
    const client = await startClient(on, { wallet: 1 })
    const aborted = client.publish(text('never'), { signal: AbortSignal.abort() })
    await expect(aborted.receipt).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
    const states = async () => {
      for await (const _ of aborted);
    }
    await expect(states()).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
    on.nodes[0]!.faults.status = 503
    const stop = new AbortController()
    const handle = client.publish(text('retrying'), { signal: stop.signal })
    setTimeout(() => stop.abort(), 100)
    await expect(handle.receipt).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
  })

  it('refuses at once what no node would take', async () => {
    const client = await startClient(await setUp(1))
    const bad = (message: object) => client.publish({ ...text('x'), ...message }).receipt
    await expect(bad({ contentTopic: 'nonsense' })).rejects.toMatchObject({
      code: 'WIRE_CONTENT_TOPIC_INVALID',
    })
    await expect(bad({ meta: new Uint8Array(65) })).rejects.toMatchObject({ code: 'WIRE_META_TOO_LARGE' })
    await expect(bad({ payload: new Uint8Array(200_000) })).rejects.toMatchObject({ code: 'WIRE_TOO_LARGE' })
  })

  it('has an error when the epoch has no id left', async () => {
    const client = await startClient(await setUp(1), { wallet: 1 })
    await client.membership.register({ limit: 1 })
    await client.publish(text('one')).receipt
    await expect(client.publish(text('two')).receipt).rejects.toMatchObject({ code: 'RLN_IDS_EXHAUSTED' })
  })

  it('estimates before it sends', async () => {
    const client = await startClient(await setUp(2), { wallet: 1 })
    await client.membership.register({ limit: 5 })
    const { publish, query } = FAKE_PRICES
    const estimate = await client.estimate(text('hello'), { confirmations: 1 })
    expect(estimate).toMatchObject({
      publish,
      confirmations: 5n * query,
      total: publish + 5n * query,
      proof: 'own',
    })
    expect(estimate.rlnRemaining).toBe(5)
    expect(await client.estimate(text('hello', { ephemeral: true }))).toMatchObject({ total: publish })
    const receipt = await client.publish(text('hello')).receipt
    expect(receipt.paid).toBe(publish)
  })
})

describe('subscribe', () => {
  it('delivers each message once, from two nodes, and pays for the pushes', async () => {
    const on = await setUp(2)
    const sender = await startClient(on, { wallet: 1 })
    on.chain.mint(payer(2), 10n ** 6n)
    const receiver = await startClient(on, { wallet: 2 })
    const got: ReceivedMessage[] = []
    const subscription = await receiver.subscribe([topic], (message) => got.push(message))
    for (let at = 0; at < 5; at++) await sender.publish(text(`m${at}`)).receipt
    await expect.poll(() => got.length).toBe(5)
    expect(got.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['m0', 'm1', 'm2', 'm3', 'm4'])
    expect(got[0]).toMatchObject({ contentTopic: topic, proof: 'not-checked', ephemeral: false })
    const spent = () => receiver.channels.list().map((channel) => channel.spent)
    await expect.poll(spent).toEqual([5n, 5n])
    expect(receiver.channels.list().every(({ paid }) => paid >= 5n)).toBe(true)

    await subscription.unsubscribe()
    expect(
      on.nodes.map(({ subscribers }) => [...subscribers.values()].every(({ size }) => size === 0)),
    ).toEqual([true, true])
  })

  it('replaces a node that is lost', async () => {
    const on = await setUp(3, { freeRequests: 100 })
    const client = await startClient(on, { redundancy: 1 })
    const got: string[] = []
    await client.subscribe([topic], ({ payload }) => got.push(Buffer.from(payload).toString()))
    const pushing = () =>
      on.nodes.filter(({ subscribers }) => [...subscribers.values()].some(({ size }) => size > 0))
    const [first] = pushing()
    await first!.hangUp()
    await expect.poll(() => pushing().length).toBe(1)
    await client.publish(text('after')).receipt
    await expect.poll(() => got).toEqual(['after'])
  })

  it('ignores what was not asked for', async () => {
    const on = await setUp(1, { freeRequests: 100 })
    const client = await startClient(on)
    const got: ReceivedMessage[] = []
    await client.subscribe([topic], (message) => got.push(message))
    await client.publish(text('other', { contentTopic: '/test/1/other/bytes' })).receipt
    const [stored] = on.nodes[0]!.archive
    const peer = [...on.nodes[0]!.subscribers.keys()][0]!
    await on.nodes[0]!.push(peer, stored!.pubsubTopic, stored!.message)
    await client.publish(text('mine')).receipt
    await expect.poll(() => got.length).toBe(1)
    expect(Buffer.from(got[0]!.payload).toString()).toBe('mine')
  })

  it('pays a node once for a message, however often it pushes it', async () => {
    const on = await setUp(1)
    const client = await startClient(on, { wallet: 1 })
    const got: ReceivedMessage[] = []
    await client.subscribe([topic], (message) => got.push(message))
    await client.publish(text('one')).receipt
    await expect.poll(() => got.length).toBe(1)
    const [node] = on.nodes
    const [stored] = node!.archive
    const peer = [...node!.subscribers.keys()][0]!
    for (let at = 0; at < 5; at++) await node!.push(peer, stored!.pubsubTopic, stored!.message)
    await client.publish(text('two')).receipt
    await expect.poll(() => got.length).toBe(2)
    expect(client.channels.list()[0]?.spent).toBe(2n * (FAKE_PRICES.publish + FAKE_PRICES.push))
  })

  it('drops a node that pushes a message without a good proof, and takes the good copy of another', async () => {
    const on = await setUp(2)
    const client = await startClient(on, { wallet: 1 })
    await client.membership.register({ limit: 5 })
    on.chain.mint(payer(2), 10n ** 6n)
    const receiver = await startClient(on, { wallet: 2 })
    const got: ReceivedMessage[] = []
    await receiver.subscribe([topic], (message) => got.push(message), { verifyProofs: true })
    const [bad, good] = on.nodes
    bad!.faults.forge = (message) => ({ ...message, rateLimitProof: undefined as never })
    await client.publish(text('hello')).receipt
    await expect.poll(() => got.length).toBe(1)
    expect(got[0]).toMatchObject({ proof: 'valid', node: { operator: good!.operator } })
    await expect
      .poll(() => receiver.nodes().find(({ operator }) => operator === bad!.operator)?.distrusted)
      .toBe('CLIENT_HISTORY_INVALID')
  })

  it('fails when nobody takes the subscription', async () => {
    const on = await setUp(1)
    const client = await startClient(on)
    await on.nodes[0]!.stop()
    const subscribing = client.subscribe([topic], () => undefined)
    await expect(subscribing).rejects.toMatchObject({ code: 'CLIENT_SUBSCRIBE_FAILED' })
    await expect(client.subscribe([], () => undefined)).rejects.toMatchObject({
      code: 'CLIENT_OPTION_INVALID',
    })
  })
})

describe('query', () => {
  const read = async (client: Client, query = {}) => {
    const texts: string[] = []
    for await (const { payload } of client.query({ contentTopics: [topic], pageSize: 3, ...query })) {
      texts.push(Buffer.from(payload).toString())
    }
    return texts
  }
  const numbers = Array.from({ length: 10 }, (_, at) => `m${at}`)

  async function withHistory(nodes: number): Promise<{ on: FakeNetwork; client: Client }> {
    const on = await setUp(nodes)
    const client = await startClient(on, { wallet: 1 })
    for (const number of numbers) await client.publish(text(number)).receipt
    return { on, client }
  }

  it('pages in both directions and pays for every page', async () => {
    const { client } = await withHistory(1)
    const before = client.channels.list()[0]!.spent
    expect(await read(client)).toEqual(numbers)
    expect(await read(client, { direction: 'backward' })).toEqual(numbers.toReversed())
    expect(client.channels.list()[0]!.spent - before).toBeLessThanOrEqual(8n * FAKE_PRICES.query)
  })

  it('merges topics of different shards by time', async () => {
    const { client } = await withHistory(1)
    const other = '/other/1/chat/bytes'
    await client.publish(text('last', { contentTopic: other })).receipt
    const topics = [topic, other, '/third/1/chat/bytes']
    expect(await read(client, { contentTopics: topics })).toEqual([...numbers, 'last'])
    expect(await read(client, { contentTopics: topics, direction: 'backward' })).toEqual([
      'last',
      ...numbers.toReversed(),
    ])
  })

  it('goes on with another node where one stops', async () => {
    const { on, client } = await withHistory(2)
    const texts: string[] = []
    for await (const { payload, node } of client.query({ contentTopics: [topic], pageSize: 3 })) {
      texts.push(Buffer.from(payload).toString())
      if (texts.length === 3) await on.nodeOf(node.operator)?.hangUp()
    }
    expect(texts).toEqual(numbers)
  })

  it.each([
    ['changes a message', (message: object) => ({ ...message, payload: Uint8Array.of(9) })],
    ['adds one of another topic', (message: object) => ({ ...message, contentTopic: '/test/1/spam/bytes' })],
  ])('leaves a node that %s', async (_, forge) => {
    const { on, client } = await withHistory(2)
    on.nodes[0]!.faults.answer = ({ message, ...entry }) => {
      const forged = forge(message) as typeof message
      const hash = forged.contentTopic === topic ? entry.hash : messageHash(entry.pubsubTopic, forged)
      return { ...entry, message: forged, hash }
    }
    for (let round = 0; round < 3; round++) expect(await read(client)).toEqual(numbers)
  })

  it('checks proofs against the member list, and says when it cannot', async () => {
    const on = await setUp(2)
    const client = await startClient(on, { wallet: 1 })
    await client.membership.register({ limit: 5 })
    await client.publish(text('proven')).receipt
    const proofs = async (reader: Client) => {
      const found: string[] = []
      const query = { contentTopics: [topic], verifyProofs: true }
      for await (const { proof } of reader.query(query)) found.push(proof)
      return found
    }
    expect(await proofs(client)).toEqual(['valid'])
    on.chain.mint(payer(2), 10n ** 6n)
    const stranger = await startClient(on, { wallet: 2 })
    expect(await proofs(stranger)).toEqual(['valid'])
    on.chain.group.hideChanges(() => true)
    on.chain.mint(payer(3), 10n ** 6n)
    expect(await proofs(await startClient(on, { wallet: 3 }))).toEqual(['unknown-root'])
    on.nodes[0]!.faults.answer = ({ message, ...entry }) => ({
      ...entry,
      message: { ...message, rateLimitProof: undefined as never },
    })
    for (let round = 0; round < 3; round++) expect(await proofs(client)).toEqual(['valid'])
  })

  it('fails when no node answers truly', async () => {
    const { on, client } = await withHistory(1)
    on.nodes[0]!.faults.answer = (entry) => ({ ...entry, hash: new Uint8Array(32) })
    await expect(read(client)).rejects.toMatchObject({ code: 'CLIENT_QUERY_FAILED' })
    await expect(read(client, { pageSize: 0 })).rejects.toMatchObject({ code: 'CLIENT_OPTION_INVALID' })
  })
})

describe('life', () => {
  it('refuses calls before start and after close, and closes twice', async () => {
    const on = await setUp(1)
    const client = createFakeClient(on)
    expect(() => client.publish(text('x'))).toThrow(expect.objectContaining({ code: 'CLIENT_NOT_STARTED' }))
    await client.close()
    await client.close()
    await expect(client.start()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
    expect(() => client.nodes()).toThrow(expect.objectContaining({ code: 'CLIENT_CLOSED' }))
  })

  it('remembers nodes, counts and identity', async () => {
    const on = await setUp(1)
    const storage = keepOpen(createMemoryStorage())
    const first = await startClient(on, { wallet: 1, storage })
    const { commitment } = await first.membership.register({ limit: 3 })
    await first.publish(text('x')).receipt
    await first.close()

    on.chain.faults.offline = true
    const second = await startClient(on, { wallet: 1, storage })
    expect(second.nodes()).toMatchObject([{ connected: true, counts: { served: 1 } }])
    // Without the chain: the list is saved, the channel is open.
    expect(await second.publish(text('y')).receipt).toMatchObject({ rlnRemaining: 1 })
    on.chain.faults.offline = false
    expect(await second.membership.state()).toMatchObject({
      status: 'active',
      commitment,
      index: 0,
      limit: 3,
    })
  })

  it('goes on with a new identity after it was slashed', async () => {
    const on = await setUp(1)
    const client = await startClient(on, { wallet: 1 })
    const { commitment } = await client.membership.register({ limit: 3 })
    on.chain.slash(commitment!)
    const again = await client.membership.register({ limit: 4 })
    expect(again).toMatchObject({ status: 'active', index: 1, limit: 4 })
    expect(again.commitment).not.toBe(commitment)
    expect(await client.publish(text('x')).receipt).toMatchObject({ rlnRemaining: 3 })
  })

  it('takes over an identity for another range of ids, from the next epoch on', async () => {
    const on = await setUp(1)
    let nowMs = 1_800_000_000_000
    const clock = { ...systemClock, nowMs: () => nowMs }
    const first = await startClient(on, { wallet: 1, clock, rln: { idCount: 2 } })
    await first.membership.register({ limit: 10 })
    expect((await first.budget(topic))?.limit).toBe(2)
    const second = await startClient(on, { wallet: 1, clock, rln: { firstId: 2 } })
    await second.membership.importIdentity(first.membership.exportIdentity())
    const early = second.publish(text('early')).receipt
    await expect(early).rejects.toMatchObject({ code: 'CLIENT_RLN_EPOCH_BURNT' })
    nowMs += 600_000
    expect((await second.publish(text('late')).receipt).rlnRemaining).toBe(7)
  })

  it('refuses an identity for which it has no id range of its own, and writes nothing', async () => {
    const on = await setUp(1)
    const first = await startClient(on, { wallet: 1 })
    const { commitment } = await first.membership.register({ limit: 10 })
    const secret = first.membership.exportIdentity()
    const storage = createMemoryStorage()
    const second = await startClient(on, { wallet: 1, storage })
    const refused = { code: 'CLIENT_RLN_RANGE_REQUIRED' }
    await expect(second.membership.importIdentity(secret)).rejects.toMatchObject(refused)
    const untrue = second.membership.importIdentity(secret, { soleDevice: false })
    await expect(untrue).rejects.toMatchObject(refused)
    expect(await storage.list('rln/')).toEqual([])
    await first.close()
    expect(await second.membership.importIdentity(secret, { soleDevice: true })).toMatchObject({ commitment })
  })

  it.each(['an imported identity', 'a changed range'])(
    'gives up the next epoch too when a message of %s may be in it already',
    async (cause) => {
      const on = await setUp(1)
      let nowMs = 1_800_000_590_000
      const clock = { ...systemClock, nowMs: () => nowMs }
      const storage = keepOpen(createMemoryStorage())
      const first = await startClient(on, { wallet: 1, clock, storage, rln: { idCount: 2 } })
      await first.membership.register({ limit: 10 })
      await first.budget(topic)
      const secret = first.membership.exportIdentity()
      await first.close()
      const rln = { idCount: 3 }
      const second = await startClient(on, {
        wallet: 1,
        clock,
        rln,
        ...(cause === 'a changed range' && { storage }),
      })
      if (cause === 'an imported identity') await second.membership.importIdentity(secret)
      expect(await second.budget(topic)).toMatchObject({ remaining: 0 })
      nowMs += 10_000
      const early = second.publish(text('early')).receipt
      await expect(early).rejects.toMatchObject({ code: 'CLIENT_RLN_EPOCH_BURNT' })
      nowMs += 600_000
      expect((await second.publish(text('late')).receipt).rlnRemaining).toBe(2)
    },
  )
})
