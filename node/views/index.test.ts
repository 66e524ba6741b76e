import { randomUUID } from 'node:crypto'
import { multiaddr } from '@multiformats/multiaddr'
import { loadArtifacts } from '@postrider/circuits'
import { paymentChannelsAbi } from '@postrider/contracts'
import {
  addressOf,
  type ChannelDescriptor,
  channelId,
  NO_TICKS,
  type PaymentDomain,
  signBind,
  signVoucher,
} from '@postrider/protocol/payment'
import { identityFromSecret } from '@postrider/protocol/rln'
import type { Address, HDAccount } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../api/app.ts'
import { createEventHub } from '../api/event-hub.ts'
import { createIdempotencyStore } from '../api/index.ts'
import { OPERATE_TOKEN } from '../api/testing/harness.ts'
import type { NodeEvent } from '../api/types.ts'
import { type DevChain, startDevChain } from '../chain/testing/devchain.ts'
import { callAs, provision } from '../chain/testing/harness.ts'
import { startTcpProxy, type TcpProxy } from '../chain/testing/tcp-proxy.ts'
import { systemClock } from '../core/clock.ts'
import { parseConfig } from '../core/config/index.ts'
import { openDatabase } from '../core/db/index.ts'
import { createLifecycle } from '../core/lifecycle.ts'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { createIdentityKey } from '../core/p2p/identity.ts'
import { createTestHost, tcpAddress } from '../core/p2p/testing/hosts.ts'
import { systemRandom } from '../core/random.ts'
import { eventually } from '../core/testing/eventually.ts'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { createParts } from '../parts.ts'
import { openPaymentStream } from '../payments/testing/client.ts'
import type { Payer } from '../payments/testing/kit.ts'
import { createViews } from './index.ts'

const POST = 10n ** 18n

const ROUTES = [
  '/v1/node',
  '/v1/peers',
  '/v1/relay',
  '/v1/store',
  '/v1/chain',
  '/v1/payments',
  '/v1/payments/ledger',
  '/v1/payments/redemptions',
  '/v1/channels',
  '/v1/rewards',
  '/v1/rln',
  '/v1/slashing',
  '/v1/stake',
  '/v1/actions',
  '/health',
]

/** A node with its API, without sockets for the API, over an RPC endpoint that a test can cut. */
async function createNode(dev: DevChain, rpcUrl: string, dir: TempDir, account: HDAccount) {
  const base = {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics: createMetrics(),
  }
  const config = parseConfig({
    dataDir: dir.path,
    rpcUrls: [rpcUrl],
    chain: { confirmations: 0, pollMs: 50, lagSeconds: 1 },
    redeem: { mode: 'manual', tokenPerNativeMilli: 0 },
  })
  const membership = { identity: identityFromSecret(123n), limit: 50 }
  const keys = { network: dev.network, identity: await createIdentityKey(), account, membership }
  const database = await openDatabase(dir.file('node.db'))
  const parts = await createParts(base, config, keys, { database, artifacts: await loadArtifacts() })
  const views = createViews({ ...parts, base, config, keys, startedAtMs: systemClock.nowMs() })
  const hub = createEventHub({ ...base, source: views.events })
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(OPERATE_TOKEN))
  const sha256 = new Uint8Array(digest)
  const tokens = [{ name: 'operator', scopes: ['read', 'operate'] as const, sha256 }]
  const idempotency = createIdempotencyStore(database.db, base.clock)
  const app = await createApp({ ...base, views, tokens, idempotency }, hub)
  const lifecycle = createLifecycle(base)
  lifecycle.add('database', { stop: () => database.close() })
  lifecycle.add('chain client', { stop: () => parts.chain.client.stop() })
  lifecycle.add('chain follower', parts.chain.follower)
  lifecycle.add('transaction sender', parts.chain.sender)
  lifecycle.add('operator actions', parts.actions)
  lifecycle.add('proof verifier', parts.verifier)
  lifecycle.add('host', parts.host)
  lifecycle.add('payments', parts.payments)
  if (parts.store) lifecycle.add('store', parts.store)
  lifecycle.add('relay', parts.relay)
  return { parts, views, app, lifecycle }
}

describe('views of a node on a real chain', () => {
  let dev: DevChain
  let proxy: TcpProxy
  let dir: TempDir
  let operator: HDAccount
  let client: HDAccount
  let node: Awaited<ReturnType<typeof createNode>>

  beforeAll(async () => {
    dev = await startDevChain()
    proxy = await startTcpProxy(dev.port)
    dir = await createTempDir()
    operator = dev.account(1)
    client = dev.account(2)
    for (const account of [operator, client]) await provision(dev, account, 100_000n * POST)
    node = await createNode(dev, proxy.url, dir, operator)
  })

  afterAll(async () => {
    await node?.lifecycle.stop()
    await node?.app.close()
    await proxy?.stop()
    await dev?.stop()
    await dir?.remove()
  })

  const get = async (url: string) => {
    const headers = { authorization: `Bearer ${OPERATE_TOKEN}` }
    const answer = await node.app.inject({ method: 'GET', url, headers })
    return { status: answer.statusCode, body: answer.json() }
  }

  const post = async (url: string, payload: object, key: string = randomUUID()) => {
    const headers = { authorization: `Bearer ${OPERATE_TOKEN}`, 'idempotency-key': key }
    const answer = await node.app.inject({ method: 'POST', url, payload, headers })
    return { status: answer.statusCode, body: answer.json() }
  }

  /** Every route answers, in the shape that its schema says. */
  const expectAllAnswer = async () => {
    for (const route of ROUTES) expect(await get(route), route).toMatchObject({ status: 200 })
    expect(await get('/livez')).toMatchObject({ status: 200 })
  }

  const ready = async () => (await get('/readyz')).body

  it('answers before anything has started, and says that it is not ready', async () => {
    await expectAllAnswer()
    const { waitingFor } = await ready()
    expect(waitingFor).toEqual(expect.arrayContaining(['chain', 'rln', 'verifier', 'relay']))
    expect((await get('/v1/node')).body).toMatchObject({ stake: null, operator: { payout: null } })
    expect((await get('/v1/chain')).body).toMatchObject({ connected: false, head: null, account: null })
    expect((await get('/v1/payments')).body).toMatchObject({ asOf: null, gas: null })
  })

  it('becomes ready, and knows itself from the chain', async () => {
    const { commitment } = identityFromSecret(123n)
    await callAs(dev, operator, 'rlnMembership', 'register', [commitment, 50, operator.address])
    await node.lifecycle.start()
    await eventually(async () => expect(await ready()).toEqual({ ready: true, waitingFor: [] }))
    await expectAllAnswer()
    const { stake, operator: account, network } = (await get('/v1/node')).body
    expect(stake).toMatchObject({ state: 'none' })
    expect(BigInt(stake.minimum.amount)).toBeGreaterThan(0n)
    expect(account).toMatchObject({ account: operator.address, payout: operator.address, withdrawal: null })
    expect(network.shards).toHaveLength(dev.network.shardCount)
    const rln = (await get('/v1/rln')).body
    expect(rln).toMatchObject({
      membership: { state: 'active', index: 0, limit: 50, commitment: `${commitment}` },
      budget: { limit: 50, used: 0, remaining: 50, firstId: 0 },
      tree: { members: 1, rootsKnown: 1 },
    })
    expect(BigInt(rln.membership.deposit.amount)).toBeGreaterThan(0n)
    const chain = (await get('/v1/chain')).body
    expect(chain).toMatchObject({ connected: true, account: { low: false }, pending: [] })
    expect(chain.endpoints).toMatchObject([{ state: 'active', name: new URL(proxy.url).host }])
    expect((await get('/v1/store')).body).toMatchObject({ engine: 'sqlite', messages: 0 })
  })

  it('counts money from voucher to settlement, and tells of it', async () => {
    const events: NodeEvent[] = []
    const unsubscribe = node.views.events.subscribe((event) => events.push(event))
    const payer = await openChannel(dev, client, operator)
    await payByVoucher(node, payer, 1_000n * POST)
    await eventually(async () => {
      expect((await get('/v1/payments')).body).toMatchObject({ pending: { amount: `${1_000n * POST}` } })
    })
    expect((await get(`/v1/channels/${payer.channelId}`)).body).toMatchObject({
      state: 'open',
      redeemable: true,
      held: null,
      payer: client.address,
    })
    const planned = await post('/v1/rewards/claim', { force: true, dryRun: true })
    expect(planned.body).toMatchObject({ wouldSend: true, amount: { amount: `${1_000n * POST}` } })
    expect(planned.body.checks.map(({ state }: { state: string }) => state)).toEqual(['ok', 'ok', 'ok'])
    const begun = await post('/v1/rewards/claim', { force: true })
    expect([begun.status, begun.body.kind]).toEqual([202, 'rewards.claim'])
    const redeemed = begun.body
    await eventually(async () => {
      const { pending, redeemed: settled } = (await get('/v1/payments')).body
      expect([pending.amount, settled.amount]).toEqual(['0', `${1_000n * POST}`])
    })
    await expectAllAnswer()

    const [shown] = (await get('/v1/payments/redemptions')).body.items
    expect(shown).toMatchObject({ id: redeemed.id, state: 'confirmed', reason: null })
    expect(shown.transaction).toMatch(/^0x/)
    expect(BigInt(shown.fee.amount)).toBeGreaterThan(0n)
    const { burnt } = (await get('/v1/payments')).body
    const ledger = (await get('/v1/payments/ledger')).body.items
    expect(ledger.map((entry: { kind: string }) => entry.kind)).toEqual(['redeemed', 'burnt'])
    expect(ledger[1].amount).toEqual(burnt)
    const received = 1_000n * POST - BigInt(burnt.amount)
    expect(BigInt(ledger[1].balance.amount)).toBe(received)
    expect((await get('/v1/rewards')).body.total).toMatchObject({
      earned: { amount: `${1_000n * POST}` },
      claimed: { amount: `${1_000n * POST}` },
      pending: { amount: '0' },
    })
    await eventually(() => {
      const told = events.map((event) =>
        [event.type, 'state' in event.data ? event.data.state : ''].join(' '),
      )
      expect(told).toEqual(
        expect.arrayContaining([
          'peer.connected ',
          'channel.updated open',
          'redemption.updated confirmed',
          'action.updated done',
          'chain.head ',
        ]),
      )
    })
    unsubscribe()
    expect(BigInt(shown.fee.amount)).toBeLessThanOrEqual(BigInt(planned.body.fee.amount))
    expect((await get(`/v1/actions/${redeemed.id}`)).body).toMatchObject({
      state: 'done',
      redemption: redeemed.id,
      transactions: [{ hash: shown.transaction, state: 'done' }],
    })
  })

  it('closes a channel when told, and refuses to do it again', async () => {
    const [open] = (await get('/v1/channels?state=open')).body.items
    const url = `/v1/channels/${open.id}/close`
    const begun = await post(url, {})
    expect(begun.status).toBe(202)
    await eventually(async () => {
      expect((await get(`/v1/actions/${begun.body.id}`)).body.state).toBe('done')
      expect((await get(`/v1/channels/${open.id}`)).body.state).toBe('closed')
    })
    expect(await refundOf(dev, client.address)).toBe(4_000n * POST)
    const again = await post(url, { dryRun: true })
    expect(again.body).toMatchObject({
      wouldSend: false,
      checks: [{ name: 'channel', state: 'failed' }, {}, {}],
    })
    expect((await post(url, {})).body).toMatchObject({ code: 'API_ACTION_REFUSED', status: 409 })
  })

  it('closes all that is left, and then has nothing to close', async () => {
    const payers = [
      await openChannel(dev, client, operator, '02'),
      await openChannel(dev, client, operator, '03'),
    ]
    for (const [at, payer] of payers.entries()) await payByVoucher(node, payer, BigInt(at + 1) * POST)
    const ids = payers.map(({ channelId: id }) => id)
    await eventually(async () => {
      expect((await get('/v1/payments')).body.pending.amount).toBe(`${3n * POST}`)
    })
    const plan = (await post('/v1/channels/close', { dryRun: true })).body
    expect(plan.channels.map(({ id }: { id: string }) => id)).toEqual(ids.toReversed())
    expect(plan).toMatchObject({ wouldSend: true, amount: { amount: `${3n * POST}` } })
    const refunded = await refundOf(dev, client.address)
    const begun = await post('/v1/channels/close', {})
    expect([begun.status, begun.body.kind]).toEqual([202, 'channel.close'])
    await eventually(async () => {
      expect((await get(`/v1/actions/${begun.body.id}`)).body.state).toBe('done')
      expect((await get('/v1/channels?state=open')).body.items).toEqual([])
    })
    expect((await refundOf(dev, client.address)) - refunded).toBe((2n * 5_000n - 3n) * POST)
    const again = await post('/v1/channels/close', {})
    expect([again.status, again.body.wouldSend, again.body.checks]).toEqual([200, false, []])
  })

  it('adds to the stake, announces the exit, and shows both', async () => {
    await register(dev, operator, 1_000n * POST)
    await eventually(async () => {
      expect((await get('/v1/stake')).body).toMatchObject({
        state: 'active',
        staked: { amount: `${1_000n * POST}` },
      })
    })
    const amount = { amount: `${5n * POST}`, unit: 'POST', decimals: 18 }
    const plan = await post('/v1/stake/add', { amount, dryRun: true })
    expect(plan.body.amount).toEqual(amount)
    expect(plan.body.steps.map(({ call }: { call: string }) => call)).toEqual(['approve', 'addStake'])
    const added = (await post('/v1/stake/add', { amount })).body
    await eventually(async () => {
      expect((await get(`/v1/actions/${added.id}`)).body).toMatchObject({
        state: 'done',
        transactions: [{ state: 'done' }, { state: 'done' }],
      })
      expect((await get('/v1/stake')).body.staked.amount).toBe(`${1_005n * POST}`)
    })
    expect((await post('/v1/stake/withdraw', {})).body).toMatchObject({
      code: 'API_ACTION_REFUSED',
      data: { checks: [{}, { name: 'unbonding', state: 'failed' }, {}] },
    })
  })

  it('carries out what was accepted before a restart, once', async () => {
    await dev.setAutomine(false)
    const begun = (await post('/v1/stake/exit', {}, 'leave')).body
    await eventually(async () => {
      expect((await get(`/v1/actions/${begun.id}`)).body.state).toBe('sent')
    })
    await node.lifecycle.stop()
    await node.app.close()
    node = await createNode(dev, proxy.url, dir, operator)
    const again = await post('/v1/stake/exit', {}, 'leave')
    expect([again.status, again.body.id]).toEqual([202, begun.id])
    await node.lifecycle.start()
    await dev.setAutomine(true)
    await dev.mine()
    await eventually(async () => {
      expect((await get(`/v1/actions/${begun.id}`)).body.state).toBe('done')
      expect((await get('/v1/stake')).body.state).toBe('exiting')
    })
    const { items } = (await get('/v1/actions')).body
    expect(items.map(({ kind }: { kind: string }) => kind)).toEqual([
      'stake.exit',
      'stake.add',
      'channel.close',
      'channel.close',
      'rewards.claim',
    ])
  })

  it('still answers while the chain is away, is not ready after a while, and comes back', async () => {
    proxy.cut()
    await eventually(async () => expect((await ready()).waitingFor).toEqual(['chain']))
    await expectAllAnswer()
    expect((await get('/health')).body).toMatchObject({ status: 'not-ready' })
    expect((await get('/v1/chain')).body).toMatchObject({
      connected: false,
      account: null,
      endpoints: [{ state: 'failed', error: { code: 'CHAIN_UNREACHABLE' } }],
    })
    expect((await get('/v1/payments')).body).toMatchObject({ gas: null })
    expect((await get('/v1/node')).body.operator.payout).toBe(operator.address)
    proxy.freeze()
    await expectAllAnswer()
    proxy.restore()
    await eventually(async () => expect((await ready()).ready).toBe(true))
    expect((await get('/v1/chain')).body).toMatchObject({ connected: true })
  })
})

function refundOf({ client, network }: DevChain, payer: Address): Promise<bigint> {
  const address = network.contracts.paymentChannels
  return client.readContract({ address, abi: paymentChannelsAbi, functionName: 'refundOf', args: [payer] })
}

/** Registers a node; its next stake needs an approval. */
async function register(dev: DevChain, operator: HDAccount, stake: bigint): Promise<void> {
  const registration = {
    peerKey: `0x${'07'.repeat(32)}` as const,
    signer: operator.address,
    withdrawal: operator.address,
    services: 1,
    endpoints: ['/ip4/127.0.0.1/tcp/60000'],
    prices: { publish: 1n, query: 1n, push: 1n },
  }
  await callAs(dev, operator, 'nodeRegistry', 'register', [registration, stake])
  await callAs(dev, operator, 'token', 'approve', [dev.network.contracts.nodeRegistry, 0n])
}

/** Opens a channel to the node on chain; the returned payer signs for it. */
async function openChannel(
  dev: DevChain,
  payer: HDAccount,
  payee: HDAccount,
  saltByte = '01',
): Promise<Pick<Payer, 'descriptor' | 'channelId' | 'voucher' | 'bind'>> {
  const { chainId, contracts } = dev.network
  const domain: PaymentDomain = { chainId, contract: contracts.paymentChannels, token: contracts.token }
  const key = systemRandom.bytes(32)
  const signer = addressOf(key)
  const salt = `0x${saltByte.repeat(32)}` as const
  const descriptor: ChannelDescriptor = { payer: payer.address, payee: payee.address, signer, salt }
  const id = channelId(descriptor, domain)
  await callAs(dev, payer, 'paymentChannels', 'open', [payee.address, signer, salt, 5_000n * POST])
  return {
    descriptor,
    channelId: id,
    voucher(cumulative) {
      const voucher = { channelId: id, cumulative, tickAnchor: NO_TICKS, tickValue: 0n }
      return { ...voucher, signature: signVoucher(domain, voucher, key) }
    },
    bind: (connection) => signBind(domain, { channelId: id, ...connection }, key),
  }
}

/** Connects as a light client, binds the channel and pays. */
async function payByVoucher(
  { parts }: Awaited<ReturnType<typeof createNode>>,
  payer: Awaited<ReturnType<typeof openChannel>>,
  amount: bigint,
): Promise<void> {
  const host = await createTestHost({ network: parts.chain.client.network })
  await host.start()
  const connection = await host.libp2p.dial(multiaddr(tcpAddress(parts.host)))
  const stream = await openPaymentStream(host, parts.host, connection)
  const terms = await stream.hello()
  await eventually(() => expect(parts.chain.channels.channel(payer.channelId)).toBeDefined())
  await stream.bind(payer as Payer, terms)
  await stream.account(() => true)
  await stream.send({ type: 'voucher', voucher: payer.voucher(amount) })
  await stream.account(({ paid }) => paid === amount)
  await stream.close()
  await host.stop()
}
