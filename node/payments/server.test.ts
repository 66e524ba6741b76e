import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import {
  type ClientPaymentFrame,
  encodeClientFrame,
  MAX_PAYMENT_FRAME_BYTES,
  MAX_TICKS,
  type SignedVoucher,
  type Tick,
} from '@postrider/protocol/payment'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { createMetrics } from '../core/metrics.ts'
import { createTestHost, tcpAddress } from '../core/p2p/testing/hosts.ts'
import type { Host } from '../core/p2p.ts'
import { createSeededRandom } from '../core/testing/seeded-random.ts'
import { MAX_REFUSALS, SESSION_BUFFER_BYTES } from './constants.ts'
import { createPayments, type Payments } from './index.ts'
import { openPaymentStream, type PaymentClient } from './testing/client.ts'
import {
  createComponents,
  createPayer,
  createRedeemer,
  DOMAIN,
  PAYEE,
  type Payer,
  PRICES,
} from './testing/kit.ts'
import { hex20 } from './testing/ledger-suite.ts'
import { createMemoryLedger, createMemoryStorage } from './testing/memory-ledger.ts'

const UNPAID_LIMIT = 20n

describe('payment stream over real sockets', () => {
  let node: Host
  let client: Host
  let connection: Connection
  let storage = createMemoryStorage()
  let components = createComponents()
  let payments: Payments
  let stream: PaymentClient
  let alice: Payer
  let names = 0
  const opened: PaymentClient[] = []

  beforeAll(async () => {
    node = await createTestHost()
    client = await createTestHost()
    await Promise.all([node.start(), client.start()])
    connection = await client.libp2p.dial(multiaddr(tcpAddress(node)))
  })
  afterAll(() => Promise.all([node.stop(), client.stop()]))

  async function startNode(): Promise<void> {
    const { escrow } = components
    payments = createPayments(
      {
        ...components,
        clock: systemClock,
        metrics: createMetrics(),
        ledger: createMemoryLedger(storage),
        libp2p: node.libp2p,
        redeemer: createRedeemer(escrow),
      },
      {
        domain: DOMAIN,
        payee: PAYEE,
        prices: PRICES,
        unpaidLimit: UNPAID_LIMIT,
        freeRequests: 3,
        redemption: { mode: 'manual' },
      },
    )
    await payments.start()
  }

  async function openStream(): Promise<PaymentClient> {
    const one = await openPaymentStream(client, node, connection)
    opened.push(one)
    return one
  }

  /** A bound stream. */
  async function bound(payer: Payer): Promise<PaymentClient> {
    const one = await openStream()
    await one.bind(payer, await one.hello())
    await one.account(() => true)
    return one
  }

  const charge = (requestId: string) =>
    payments.gate.charge({ peer: client.peerId, requestId, service: 'query' })

  beforeEach(async () => {
    storage = createMemoryStorage()
    components = createComponents()
    alice = createPayer(`alice ${names++}`)
    components.escrow.open(alice, 1_000n)
    await startNode()
    stream = await openStream()
  })
  afterEach(async () => {
    await payments.stop()
    await Promise.all(opened.splice(0).map((one) => one.close()))
  })

  const record = () => storage.accounts.get(alice.channelId)

  it('tells its terms, binds the channel, takes vouchers and ticks, and charges the peer', async () => {
    const terms = await stream.hello()
    expect(terms).toMatchObject({
      chainId: DOMAIN.chainId,
      contract: DOMAIN.contract,
      payee: PAYEE,
      prices: PRICES,
      unpaidLimit: UNPAID_LIMIT,
      maxTicks: MAX_TICKS,
      freeRequests: 3,
    })
    await stream.bind(alice, terms)
    expect((await stream.next('account')).account).toMatchObject({ deposit: 1_000n, paid: 0n, spent: 0n })
    await stream.send({ type: 'voucher', voucher: alice.voucher(100n, { chain: 'c', value: 4n }) })
    expect((await stream.next('account')).account).toMatchObject({
      cumulative: 100n,
      paid: 100n,
      tickValue: 4n,
    })
    await stream.send({ type: 'tick', tick: alice.tick('c', 1) })
    expect((await stream.next('account')).account).toMatchObject({ paid: 104n, ticks: 1 })
    expect(await charge('r1')).toEqual({ ok: true, charged: 4n, free: false })
    await stream.send({ type: 'tick', tick: alice.tick('c', 9) })
    expect((await stream.next('account')).account).toMatchObject({ paid: 136n, ticks: 9, spent: 4n })
    expect(record()).toMatchObject({ cumulative: 100n, ticks: 9, spent: 4n })
    expect(payments.figures()).toMatchObject({
      earned: 136n,
      pending: 136n,
      spent: 4n,
      channels: { open: 1 },
    })
    expect([payments.earned(), payments.pending()]).toEqual([136n, 136n])
    expect(await payments.channel(alice.channelId)).toMatchObject({
      paid: 136n,
      unredeemed: 136n,
      held: 'manual',
    })
    expect(await payments.channels({ limit: 10 })).toHaveLength(1)
  })

  it('asks for payment when it is due and when it refuses, and serves one retry', async () => {
    stream = await bound(alice)
    for (let at = 0; at < 5; at++) expect(await charge(`r${at}`)).toMatchObject({ ok: true })
    expect(await stream.next('paymentRequired')).toEqual({
      type: 'paymentRequired',
      requestId: '',
      total: 4n,
    })
    expect(await charge('r5')).toEqual({ ok: false, total: 24n, code: 'PAYMENT_REQUIRED' })
    expect(await stream.next('paymentRequired')).toEqual({
      type: 'paymentRequired',
      requestId: 'r5',
      total: 24n,
    })
    await stream.send({ type: 'voucher', voucher: alice.voucher(24n) })
    await stream.account(({ paid }) => paid === 24n)
    expect(await charge('r5')).toMatchObject({ ok: true, charged: 4n })
  })

  it('takes ticks of many frames in a row and never sends more than the newest account', async () => {
    stream = await bound(alice)
    await stream.send({ type: 'voucher', voucher: alice.voucher(0n, { chain: 'c', value: 1n }) })
    await Promise.all(
      Array.from({ length: MAX_TICKS }, (_, at) =>
        stream.send({ type: 'tick', tick: alice.tick('c', at + 1) }),
      ),
    )
    expect(await stream.account(({ ticks }) => ticks === MAX_TICKS)).toMatchObject({ paid: 64n })
    expect(record()).toMatchObject({ ticks: MAX_TICKS })
  })

  it('resumes after a lost connection with the same chain of ticks', async () => {
    stream = await bound(alice)
    await stream.send({ type: 'voucher', voucher: alice.voucher(50n, { chain: 'c', value: 2n }) })
    await stream.send({ type: 'tick', tick: alice.tick('c', 3) })
    await stream.account(({ ticks }) => ticks === 3)
    await charge('r1')
    await connection.close()
    connection = await client.libp2p.dial(multiaddr(tcpAddress(node)))

    stream = await openStream()
    await stream.bind(alice, await stream.hello())
    const { account } = await stream.next('account')
    const { tickAnchor } = alice.voucher(50n, { chain: 'c', value: 2n })
    expect(account).toMatchObject({ paid: 56n, spent: 4n, ticks: 3, tickAnchor, tickValue: 2n })
    await stream.send({ type: 'tick', tick: alice.tick('c', 4) })
    await stream.account(({ ticks, paid }) => ticks === 4 && paid === 58n)
    expect(await charge('r1')).toMatchObject({ ok: true, charged: 4n })
    expect(record()?.spent).toBe(4n)
  })

  it('resumes after the node was killed: paid, spent and answered requests are as before', async () => {
    stream = await bound(alice)
    await stream.send({ type: 'voucher', voucher: alice.voucher(50n, { chain: 'c', value: 2n }) })
    await stream.send({ type: 'tick', tick: alice.tick('c', 7) })
    await stream.account(({ ticks }) => ticks === 7)
    await charge('r1')
    const disk = structuredClone(storage) // what a killed process leaves
    await payments.stop()
    storage = disk
    await startNode()
    stream = await openStream()
    await stream.bind(alice, await stream.hello())
    expect((await stream.next('account')).account).toMatchObject({ paid: 64n, spent: 4n, ticks: 7 })
    expect(await charge('r1')).toMatchObject({ ok: true, charged: 4n })
    expect(record()?.spent).toBe(4n)
  })

  it('charges the channel bound last, then the other one, then the allowance', async () => {
    const bob = createPayer(`bob ${names++}`)
    components.escrow.open(bob, 1_000n)
    const spent = () => [record()?.spent, storage.accounts.get(bob.channelId)?.spent]
    const first = await bound(alice)
    await charge('r1')
    const second = await bound(bob)
    await charge('r2')
    expect(spent()).toEqual([4n, 4n])
    await second.close()
    await second.closed()
    await charge('r3')
    expect(spent()).toEqual([8n, 4n])
    await first.close()
    await first.closed()
    expect(await charge('r4')).toEqual({ ok: true, charged: 0n, free: true })
  })

  it('lets one stream bind one channel after the other', async () => {
    const bob = createPayer(`bob ${names++}`)
    components.escrow.open(bob, 1_000n)
    const terms = await stream.hello()
    await stream.bind(alice, terms)
    await stream.account(({ channelId }) => channelId === alice.channelId)
    await stream.bind(bob, terms)
    await stream.account(({ channelId }) => channelId === bob.channelId)
    await charge('r1')
    expect(storage.accounts.get(bob.channelId)?.spent).toBe(4n)
    await stream.next('paymentRequired')
    await stream.send({ type: 'voucher', voucher: alice.voucher(5n) })
    expect((await stream.next('error')).code).toBe('PAYMENT_CHANNEL_MISMATCH')
  })

  it('tells the client when the chain changes its channel, and refuses when it closes', async () => {
    stream = await bound(alice)
    components.escrow.set(alice.channelId, { deposit: 5_000n })
    await stream.account(({ deposit }) => deposit === 5_000n)
    components.escrow.set(alice.channelId, { status: 'closing', closeAt: 9 })
    await stream.account(() => true)
    expect(await charge('r1')).toMatchObject({ ok: false, code: 'PAYMENT_CHANNEL_CLOSING' })
    await stream.send({ type: 'voucher', voucher: alice.voucher(10n) }) // debts can still be paid
    await stream.account(({ paid }) => paid === 10n)
  })

  describe('Bind', () => {
    const code = async () => (await stream.next('error')).code

    it('refuses a signature for another nonce, client or node, and sends the client away', async () => {
      const foreign = new Uint8Array(38)
      for (const over of [
        { nonce: `0x${'11'.repeat(32)}` as const },
        { clientPeerId: foreign },
        { nodePeerId: foreign },
      ]) {
        stream = await openStream()
        await stream.bind(alice, await stream.hello(), over)
        expect(await code()).toBe('PAYMENT_SIGNATURE_INVALID')
        await stream.closed()
      }
      expect(record()).toBeUndefined()
    })

    it('refuses a signature of another signer', async () => {
      const terms = await stream.hello()
      const mallory = createPayer('mallory')
      await stream.bind({ ...mallory, descriptor: alice.descriptor }, terms)
      expect(await code()).toBe('PAYMENT_SIGNATURE_INVALID')
    })

    it('refuses channels to others, of other contracts, unknown, closing and closed ones', async () => {
      const terms = await stream.hello()
      await stream.bind(createPayer('a', { payee: hex20('another node') }), terms)
      expect(await code()).toBe('PAYMENT_PAYEE_MISMATCH')
      await stream.bind(createPayer('b'), terms)
      expect(await code()).toBe('PAYMENT_CHANNEL_UNKNOWN')
      components.escrow.set(alice.channelId, { status: 'closing' })
      await stream.bind(alice, terms)
      expect(await code()).toBe('PAYMENT_CHANNEL_CLOSING')
      components.escrow.set(alice.channelId, { status: 'closed' })
      await stream.bind(alice, terms)
      expect(await code()).toBe('PAYMENT_CHANNEL_CLOSED')
      const elsewhere = createPayer('c', { domain: { ...DOMAIN, chainId: 1 } })
      await stream.bind(elsewhere, terms)
      expect(await code()).toBe('PAYMENT_SIGNATURE_INVALID')
      expect(storage.accounts.size).toBe(0)
    })

    it('serves the channel as soon as it has its confirmations', async () => {
      const terms = await stream.hello()
      const late = createPayer(`late ${names++}`)
      await stream.bind(late, terms)
      expect(await code()).toBe('PAYMENT_CHANNEL_UNKNOWN')
      components.escrow.open(late, 7n)
      await stream.bind(late, terms)
      expect((await stream.next('account')).account.deposit).toBe(7n)
    })
  })

  describe('forged payments', () => {
    const good = { chain: 'c', value: 2n }
    const vouchers: [string, (payer: Payer) => SignedVoucher, string][] = [
      [
        'a voucher of another signer',
        (payer) => ({ ...payer.voucher(200n), signature: createPayer('mallory').voucher(200n).signature }),
        'PAYMENT_SIGNATURE_INVALID',
      ],
      [
        'a signature of other contents',
        (payer) => ({ ...payer.voucher(200n), cumulative: 900n }),
        'PAYMENT_SIGNATURE_INVALID',
      ],
      [
        'a voucher of another chain',
        (payer) => ({
          ...payer.voucher(200n),
          signature: sameKey(payer, { chainId: 1 }).voucher(200n).signature,
        }),
        'PAYMENT_SIGNATURE_INVALID',
      ],
      [
        'a voucher of another contract',
        (payer) => ({
          ...payer.voucher(200n),
          signature: sameKey(payer, { contract: hex20('other') }).voucher(200n).signature,
        }),
        'PAYMENT_SIGNATURE_INVALID',
      ],
      ['a high-s signature', (payer) => highS(payer.voucher(200n)), 'PAYMENT_SIGNATURE_INVALID'],
      ['a voucher of another channel', () => createPayer('bob').voucher(200n), 'PAYMENT_CHANNEL_MISMATCH'],
      ['a smaller total', (payer) => payer.voucher(99n), 'PAYMENT_VOUCHER_NOT_GROWING'],
      ['a total below the ticks', (payer) => payer.voucher(105n), 'PAYMENT_VOUCHER_NOT_GROWING'],
      ['other ticks for the same total', (payer) => payer.voucher(100n), 'PAYMENT_VOUCHER_NOT_GROWING'],
      ['more than the deposit', (payer) => payer.voucher(1_001n), 'PAYMENT_EXCEEDS_DEPOSIT'],
    ]
    const ticks: [string, (payer: Payer) => Tick, string][] = [
      ['an older tick', (payer) => payer.tick('c', 2), 'PAYMENT_TICK_NOT_GROWING'],
      ['a tick of another chain', (payer) => payer.tick('d', 4), 'PAYMENT_TICK_INVALID'],
      ['a wrong preimage', () => ({ index: 4, preimage: new Uint8Array(32) }), 'PAYMENT_TICK_INVALID'],
      [
        'a preimage under another index',
        (payer) => ({ ...payer.tick('c', 5), index: 6 }),
        'PAYMENT_TICK_INVALID',
      ],
      [
        'more ticks than a voucher has',
        (payer) => ({ ...payer.tick('c', MAX_TICKS), index: MAX_TICKS + 1 }),
        'PAYMENT_TICKS_EXHAUSTED',
      ],
      [
        'tick 4294967295',
        (payer) => ({ ...payer.tick('c', 5), index: 2 ** 32 - 1 }),
        'PAYMENT_TICKS_EXHAUSTED',
      ],
    ]
    const forgeries: [string, (payer: Payer) => ClientPaymentFrame, string][] = [
      ...vouchers.map(
        ([name, make, code]) =>
          [
            name,
            (payer: Payer) => ({ type: 'voucher', voucher: make(payer) }),
            code,
          ] as (typeof forgeries)[number],
      ),
      ...ticks.map(
        ([name, make, code]) =>
          [name, (payer: Payer) => ({ type: 'tick', tick: make(payer) }), code] as (typeof forgeries)[number],
      ),
    ]

    it.each(forgeries)('refuses %s and changes nothing', async (_, forge, code) => {
      stream = await bound(alice)
      await stream.send({ type: 'voucher', voucher: alice.voucher(100n, good) })
      await stream.send({ type: 'tick', tick: alice.tick('c', 3) })
      await stream.account(({ ticks: accepted }) => accepted === 3)
      const before = structuredClone(record())
      await stream.send(forge(alice))
      const frame = await stream.next('error')
      expect(frame.code).toBe(code)
      expect(record()).toEqual(before)
      if (code === 'PAYMENT_SIGNATURE_INVALID') return stream.closed()
      await stream.send({ type: 'tick', tick: alice.tick('c', 4) }) // an honest mistake ends nothing
      await stream.account(({ paid }) => paid === 108n)
    })

    it('takes a replayed voucher for what it is: known, and worth nothing more', async () => {
      stream = await bound(alice)
      const voucher = alice.voucher(100n, good)
      await stream.send({ type: 'voucher', voucher })
      await stream.account(({ paid }) => paid === 100n)
      await stream.send({ type: 'voucher', voucher })
      expect((await stream.next('account')).account.paid).toBe(100n)
      await stream.send({ type: 'tick', tick: alice.tick('c', 1) })
      await stream.account(({ paid }) => paid === 102n)
      await stream.send({ type: 'voucher', voucher }) // does not take the tick back
      expect((await stream.next('account')).account).toMatchObject({ paid: 102n, ticks: 1 })
    })

    it('refuses ticks without a chain', async () => {
      stream = await bound(alice)
      await stream.send({ type: 'tick', tick: alice.tick('c', 1) })
      expect((await stream.next('error')).code).toBe('PAYMENT_TICK_UNEXPECTED')
      await stream.send({ type: 'voucher', voucher: alice.voucher(10n) })
      await stream.account(({ paid }) => paid === 10n)
      await stream.send({ type: 'tick', tick: alice.tick('c', 1) })
      expect((await stream.next('error')).code).toBe('PAYMENT_TICK_UNEXPECTED')
    })

    it('loses patience with a client that is always wrong', async () => {
      stream = await bound(alice)
      for (let at = 0; at < MAX_REFUSALS; at++) await stream.send({ type: 'tick', tick: alice.tick('c', 1) })
      await stream.closed()
    })

    function sameKey(payer: Payer, change: Partial<typeof DOMAIN>): Payer {
      const name = [...Array(names).keys()]
        .map((at) => `alice ${at}`)
        .find((one) => createPayer(one).channelId === payer.channelId)
      return createPayer(name ?? '', { domain: { ...DOMAIN, ...change } })
    }

    function highS(voucher: SignedVoucher): SignedVoucher {
      const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
      const s = BigInt(`0x${Buffer.from(voucher.signature.subarray(32, 64)).toString('hex')}`)
      const signature = Uint8Array.from(voucher.signature)
      signature.set(Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'), 32)
      signature[64] = (voucher.signature[64] ?? 0) === 27 ? 28 : 27
      return { ...voucher, signature }
    }
  })

  describe('bad frames', () => {
    it('refuses frames that do not fit the state of the stream', async () => {
      const early: ClientPaymentFrame[] = [
        { type: 'voucher', voucher: alice.voucher(1n) },
        { type: 'tick', tick: alice.tick('c', 1) },
        { type: 'bind', descriptor: alice.descriptor, signature: new Uint8Array(65) },
        { type: 'hello', version: 2 },
      ]
      for (const frame of early) {
        stream = await openStream()
        await stream.send(frame)
        const expected = frame.type === 'hello' ? 'PAYMENT_VERSION_UNSUPPORTED' : 'PAYMENT_FRAME_UNEXPECTED'
        expect((await stream.next('error')).code).toBe(expected)
        await stream.closed()
      }
      stream = await openStream()
      await stream.hello()
      await stream.send({ type: 'hello', version: 1 })
      expect((await stream.next('error')).code).toBe('PAYMENT_FRAME_UNEXPECTED')
    })

    it('survives garbage, cut and oversized frames, each answered by a code', async () => {
      const random = createSeededRandom('payment frames')
      const valid = encodeClientFrame({ type: 'voucher', voucher: alice.voucher(1n) })
      const bad = [
        ...Array.from({ length: 12 }, () => random.bytes(1 + random.int(300))),
        ...Array.from({ length: 6 }, () => valid.subarray(0, 1 + random.int(valid.length - 1))),
        new Uint8Array(),
        new Uint8Array(MAX_PAYMENT_FRAME_BYTES + 1),
      ]
      const codes =
        /^(WIRE_(MALFORMED|TOO_LARGE)|PAYMENT_FRAME_(MALFORMED|UNEXPECTED)|PAYMENT_VERSION_UNSUPPORTED)$/
      for (const frame of bad) {
        stream = await openStream()
        await stream.sendRaw(frame)
        expect((await stream.next('error')).code).toMatch(codes)
        await stream.closed()
      }
      stream = await openStream()
      await stream.sendRaw(new Uint8Array(SESSION_BUFFER_BYTES + 1)).catch(() => undefined)
      await stream.closed()
      await bound(alice)
    })

    it('refuses wrong widths inside well-formed frames', async () => {
      stream = await bound(alice)
      const voucher = alice.voucher(1n)
      const short = { ...voucher, signature: voucher.signature.subarray(1) }
      await stream.sendRaw(encodeClientFrame({ type: 'voucher', voucher: short }))
      expect((await stream.next('error')).code).toBe('PAYMENT_FRAME_MALFORMED')
      await stream.closed()
    })

    it('limits signatures per peer, over all its streams', async () => {
      stream = await bound(alice)
      const known = alice.voucher(1n)
      await stream.send({ type: 'voucher', voucher: known })
      const flood = Promise.all(
        Array.from({ length: 200 }, () =>
          stream.send({ type: 'voucher', voucher: known }).catch(() => undefined),
        ),
      )
      const codes: string[] = []
      for (;;) {
        const frame = await stream.next('error').catch(() => undefined)
        if (frame) codes.push(frame.code)
        if (frame?.code === 'PAYMENT_RATE_LIMITED') break
      }
      await flood
      await stream.closed()
      expect(codes).toEqual(['PAYMENT_RATE_LIMITED'])
    })
  })

  it('stops with streams open, and has everything on disk', async () => {
    stream = await bound(alice)
    await stream.send({ type: 'voucher', voucher: alice.voucher(77n) })
    await stream.account(({ paid }) => paid === 77n)
    await payments.stop()
    await stream.closed()
    expect(record()).toMatchObject({ cumulative: 77n })
    await startNode()
  })
})
