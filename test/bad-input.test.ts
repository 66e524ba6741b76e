import {
  type ClientPaymentFrame,
  decodeNodeFrame,
  encodeClientFrame,
  MAX_PAYMENT_FRAME_BYTES,
  MAX_TICKS,
  type SignedVoucher,
  type Tick,
} from '@postrider/protocol/payment'
import { attachProof, decodeRlnProof } from '@postrider/protocol/rln'
import {
  create,
  createWakuMessage,
  decode,
  encode,
  FilterSubscribeRequestSchema,
  FilterSubscribeResponseSchema,
  LightpushRequestSchema,
  LightpushResponseSchema,
  msToTimestamp,
  PROTOCOL_IDS,
  pubsubTopicForContent,
  StoreQueryRequestSchema,
  StoreQueryResponseSchema,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rerandomize, seededRandom } from '../circuits/testing/corrupt.ts'
import { type ChannelEntry, units, until } from '../devnet/figures.ts'
import type { Operator } from '../devnet/operators.ts'
import { createPerson, createRogueMember, type Person, type RogueMember } from '../devnet/people.ts'
import type { PaymentClient } from '../node/payments/testing/client.ts'
import type { Payer } from '../node/payments/testing/kit.ts'
import { badFrames, badStreams } from './support/bad-frames.ts'
import { badMessages, type Forged, type Good } from './support/bad-messages.ts'
import { type HonestTraffic, startHonestTraffic } from './support/honest.ts'
import { useTestNetwork } from './support/network.ts'
import { bindChannel, type ChannelPayer, openChannelTo, openPayments } from './support/payer.ts'
import { openRawPeer, type RawPeer } from './support/raw-peer.ts'

const TOPIC = '/bad-input/1/room/utf8'
const HONEST_TOPIC = '/bad-input/1/honest/utf8'
const PATIENCE_MS = 20_000
/** One epoch holds the whole test, and every message of it. */
const EPOCH_SECONDS = 3_600
const LIMIT = 200

const net = useTestNetwork({ nodes: 2, change: { epochSeconds: EPOCH_SECONDS, shardCount: 2 } })
/** The node under attack, and an honest one that is connected to it. */
let node: Operator
let neighbour: Operator
let alice: Person
let mallory: RogueMember
let honest: HonestTraffic
let nextId = 0

beforeAll(async () => {
  ;[node, neighbour] = net.operators as [Operator, Operator]
  ;[alice, mallory] = await Promise.all([
    createPerson(net, 'alice', LIMIT),
    createRogueMember(net, 'mallory', LIMIT),
  ])
  honest = startHonestTraffic(alice, HONEST_TOPIC)
})
afterAll(async () => {
  await honest?.stop().catch(() => undefined)
  await alice?.client.close()
  await mallory?.close()
})

type RelayAnswer = {
  verdicts: Record<string, number>
  byCode: { kind: string; code: string; count: number }[]
  topics: { pubsubTopic: string; meshPeers: number }[]
}
const relayOf = (operator: Operator) => operator.get<RelayAnswer>('/v1/relay')
const countOf = async (code: string, kind: string) =>
  (await relayOf(node)).byCode.find((one) => one.code === code && one.kind === kind)?.count ?? 0

/** A message with a valid proof that nobody has seen. */
async function prove(contentTopic = TOPIC): Promise<Good> {
  const id = nextId++
  const message = createWakuMessage({
    contentTopic,
    payload: new TextEncoder().encode(`message ${id}`),
    timestamp: msToTimestamp(Date.now()),
  })
  const proof = await mallory.prove(message, id)
  const pubsubTopic = pubsubTopicForContent(contentTopic, net.devchain.network)
  return { pubsubTopic, message: attachProof(message, proof), proof }
}

const dataOf = ({ pubsubTopic, message }: Good): Forged => ({
  pubsubTopic,
  data: encode(WakuMessageSchema, message),
})

async function lightpush(
  peer: RawPeer,
  { pubsubTopic, data }: Forged,
): Promise<{ status: number; desc: string }> {
  const message = decode(WakuMessageSchema, data)
  const request = create(LightpushRequestSchema, { requestId: crypto.randomUUID(), pubsubTopic, message })
  const answer = await peer.ask(PROTOCOL_IDS.lightpush, encode(LightpushRequestSchema, request))
  const { statusCode, statusDesc = '' } = decode(LightpushResponseSchema, answer ?? new Uint8Array())
  return { status: statusCode, desc: statusDesc }
}

/** Every protocol that the node says it speaks. */
async function spokenProtocols(): Promise<string[]> {
  await using peer = await openPeer()
  const { peerStore } = peer.host.libp2p
  let protocols: string[] = []
  await until('the node has told its protocols', PATIENCE_MS, async () => {
    protocols = (await peerStore.get(peer.connection.remotePeer)).protocols
    return protocols.length > 0
  })
  return protocols
}

/** Publishes over gossip; resolves when it is on its way to the node. */
async function gossip({ host }: RawPeer, to: Operator, { pubsubTopic, data }: Forged): Promise<void> {
  await until('the node is known to relay the topic', PATIENCE_MS, async () =>
    host.gossip.getSubscribers(pubsubTopic).some((peer) => peer.toString() === to.peerId),
  )
  const { recipients } = await host.gossip.publish(pubsubTopic, data)
  expect(recipients.map(String)).toContain(to.peerId)
}

const openPeer = (to: Operator = node) => openRawPeer(net.devchain.network, to)

describe('bytes that are no request', () => {
  const requestId = 'a-request'
  const contentTopics = [TOPIC]
  const status =
    (
      schema:
        | typeof LightpushResponseSchema
        | typeof FilterSubscribeResponseSchema
        | typeof StoreQueryResponseSchema,
    ) =>
    (answer: Uint8Array | undefined) =>
      decode(schema, answer ?? new Uint8Array()).statusCode
  /** Protocols that answer each request with a status, with a request that is fine. */
  const served: [name: keyof typeof PROTOCOL_IDS, valid: Uint8Array, read: ReturnType<typeof status>][] = [
    [
      'lightpush',
      encode(
        LightpushRequestSchema,
        create(LightpushRequestSchema, {
          requestId,
          message: createWakuMessage({ contentTopic: TOPIC, payload: new Uint8Array(99), timestamp: 1n }),
        }),
      ),
      status(LightpushResponseSchema),
    ],
    [
      'filterSubscribe',
      encode(
        FilterSubscribeRequestSchema,
        create(FilterSubscribeRequestSchema, { requestId, contentTopics, pubsubTopic: 'x' }),
      ),
      status(FilterSubscribeResponseSchema),
    ],
    [
      'storeQuery',
      encode(StoreQueryRequestSchema, create(StoreQueryRequestSchema, { requestId, contentTopics })),
      status(StoreQueryResponseSchema),
    ],
  ]

  it.each(served)('as a request, %s answers 400', async (name, valid, read) => {
    await using peer = await openPeer()
    // What is left of a filter request may be a ping, and who is not subscribed gets 404 for it.
    const refusals = name === 'filterSubscribe' ? [400, 404] : [400]
    for (const frame of badFrames(name, valid))
      expect(refusals).toContain(read(await peer.ask(PROTOCOL_IDS[name], frame)))
  })

  it('on the payment stream, are answered with a code', async () => {
    await using peer = await openPeer()
    const valid = encodeClientFrame({ type: 'tick', tick: { index: 1, preimage: new Uint8Array(32) } })
    for (const frame of [...badFrames('payment', valid), new Uint8Array(MAX_PAYMENT_FRAME_BYTES + 1)]) {
      const answer = await peer.ask(PROTOCOL_IDS.payment, frame)
      const decoded = decodeNodeFrame(answer ?? new Uint8Array())
      expect(decoded).toMatchObject({
        type: 'error',
        code: expect.stringMatching(
          /^(WIRE_(MALFORMED|TOO_LARGE)|PAYMENT_FRAME_(MALFORMED|UNEXPECTED)|PAYMENT_VERSION_UNSUPPORTED)$/,
        ),
      })
    }
  })

  it('end their stream and nothing else, on every protocol that the node speaks', async () => {
    const protocols = await spokenProtocols()
    expect(protocols).toEqual(
      expect.arrayContaining(Object.values(PROTOCOL_IDS).filter((id) => id !== PROTOCOL_IDS.filterPush)),
    )
    for (const protocol of protocols) {
      await using peer = await openPeer()
      for (const { bytes } of badStreams(protocol)) {
        if (peer.connection.status !== 'open') break // a protocol may well hang up on this
        await peer.askRaw(protocol, bytes).catch(() => undefined)
      }
    }
    await using peer = await openPeer()
    expect((await lightpush(peer, dataOf(await prove()))).status).toBe(200)
  })
})

describe('messages that are not what was proven', () => {
  it.each(badMessages)('$name: $kind, $code', async (bad) => {
    await using peer = await openPeer()
    const good = await prove()
    const forged = bad.forge(good)
    const before = await countOf(bad.code, bad.kind)
    const byLightpush = async () => {
      if (bad.status === undefined) return
      const answer = await lightpush(peer, forged)
      expect([answer.desc.split(':')[0], answer.status]).toEqual([bad.code, bad.status])
    }
    const byGossip = async () => {
      if (bad.gossip === false) return
      await gossip(peer, node, forged)
      await until(
        `the node counts ${bad.code}`,
        PATIENCE_MS,
        async () => (await countOf(bad.code, bad.kind)) > before,
      )
    }
    await Promise.all([byLightpush(), byGossip()])
    // No bad copy stands in the way of the good one.
    expect(await lightpush(peer, dataOf(good))).toMatchObject({ status: 200, desc: 'OK' })
  })

  it('a proof of another epoch under the name of this one: reject, RLN_PROOF_INVALID', async () => {
    await using peer = await openPeer()
    const { pubsubTopic, message, proof } = await prove()
    const other = await mallory.prove(message, nextId++, proof.epoch - 1n)
    const relabelled = attachProof(message, { ...other, epoch: proof.epoch })
    const answer = await lightpush(peer, dataOf({ pubsubTopic, message: relabelled, proof }))
    expect(answer).toMatchObject({ status: 420, desc: expect.stringContaining('RLN_PROOF_INVALID') })
  })

  it('a re-randomised proof: valid, and no second message', async () => {
    await using peer = await openPeer()
    const good = await prove()
    const { proof } = decodeRlnProof(good.message.rateLimitProof ?? new Uint8Array())
    const again = { ...good.proof, proof: rerandomize(proof, seededRandom(1)) }
    const copy = { ...good, message: attachProof(good.message, again) }
    expect(dataOf(copy).data).not.toEqual(dataOf(good).data)
    expect((await lightpush(peer, dataOf(good))).status).toBe(200)

    const duplicates = await countOf('RLN_DUPLICATE', 'ignore')
    const answer = await lightpush(peer, dataOf(copy))
    expect(answer).toMatchObject({ status: 200, desc: expect.stringContaining('RLN_DUPLICATE') })
    const third = { ...good.proof, proof: rerandomize(proof, seededRandom(2)) }
    await gossip(peer, node, dataOf({ ...good, message: attachProof(good.message, third) }))
    await until(
      'the node counts it',
      PATIENCE_MS,
      async () => (await countOf('RLN_DUPLICATE', 'ignore')) >= duplicates + 2,
    )
  })
})

describe('forged payments', () => {
  const TICKS = { chain: 'c', value: 2n }
  const DEPOSIT = 10_000n
  let payer: ChannelPayer
  let other: ChannelPayer
  let stream: PaymentClient
  let peer: RawPeer

  beforeAll(async () => {
    payer = await openChannelTo(net, node, { name: 'payer', deposit: DEPOSIT })
    other = await openChannelTo(net, node, { name: 'other', deposit: DEPOSIT })
    peer = await openPeer()
    stream = await bindChannel(peer, payer)
    await stream.send({ type: 'voucher', voucher: payer.voucher(1_000n, TICKS) })
    await stream.send({ type: 'tick', tick: payer.tick('c', 3) })
    await stream.account(({ paid }) => paid === 1_006n)
  })
  afterAll(() => peer?.[Symbol.asyncDispose]())

  const channelOf = async ({ channelId }: Payer) => {
    const { paid, spent, ticks, deposit, state } = await node.get<ChannelEntry & { state: string }>(
      `/v1/channels/${channelId}`,
    )
    return { paid, spent, ticks, deposit, state }
  }

  const forgeries: [name: string, forge: () => ClientPaymentFrame, code: string][] = [
    [
      'a voucher of another signer',
      () => signedBy(other.voucher(2_000n), payer.voucher(2_000n)),
      'PAYMENT_SIGNATURE_INVALID',
    ],
    [
      'a signature of a smaller amount',
      () => signedBy(payer.voucher(2_000n), payer.voucher(9_000n)),
      'PAYMENT_SIGNATURE_INVALID',
    ],
    [
      'a voucher of another chain',
      () => signedBy(payer.elsewhere({ chainId: 1 }).voucher(2_000n), payer.voucher(2_000n)),
      'PAYMENT_SIGNATURE_INVALID',
    ],
    [
      'a voucher of another contract',
      () => signedBy(payer.elsewhere({ contract: node.account }).voucher(2_000n), payer.voucher(2_000n)),
      'PAYMENT_SIGNATURE_INVALID',
    ],
    ['a voucher of another channel', () => voucher(other.voucher(2_000n)), 'PAYMENT_CHANNEL_MISMATCH'],
    ['a smaller total', () => voucher(payer.voucher(999n)), 'PAYMENT_VOUCHER_NOT_GROWING'],
    ['a total below the ticks', () => voucher(payer.voucher(1_005n)), 'PAYMENT_VOUCHER_NOT_GROWING'],
    ['the same total with other ticks', () => voucher(payer.voucher(1_000n)), 'PAYMENT_VOUCHER_NOT_GROWING'],
    ['more than the deposit', () => voucher(payer.voucher(DEPOSIT + 1n)), 'PAYMENT_EXCEEDS_DEPOSIT'],
    ['an older tick', () => tick(payer.tick('c', 2)), 'PAYMENT_TICK_NOT_GROWING'],
    ['a tick of another chain', () => tick(payer.tick('d', 4)), 'PAYMENT_TICK_INVALID'],
    ['a tick under another index', () => tick({ ...payer.tick('c', 5), index: 6 }), 'PAYMENT_TICK_INVALID'],
    [
      'more ticks than a voucher has',
      () => tick({ ...payer.tick('c', MAX_TICKS), index: MAX_TICKS + 1 }),
      'PAYMENT_TICKS_EXHAUSTED',
    ],
  ]
  const voucher = (signed: SignedVoucher): ClientPaymentFrame => ({ type: 'voucher', voucher: signed })
  const tick = (next: Tick): ClientPaymentFrame => ({ type: 'tick', tick: next })
  const signedBy = ({ signature }: SignedVoucher, contents: SignedVoucher) =>
    voucher({ ...contents, signature })

  it.each(forgeries)('%s: refused, and nothing is changed', async (_, forge, code) => {
    const before = await channelOf(payer)
    await stream.send(forge())
    expect((await stream.next('error')).code).toBe(code)
    if (code === 'PAYMENT_SIGNATURE_INVALID') {
      await stream.closed()
      stream = await bindChannel(peer, payer)
    }
    expect(await channelOf(payer)).toEqual(before)
  })

  it('a replay of vouchers and ticks is worth nothing more', async () => {
    const before = await channelOf(payer)
    await stream.send(voucher(payer.voucher(1_000n, TICKS)))
    await stream.send(tick(payer.tick('c', 3)))
    expect((await stream.next('account')).account.paid).toBe(1_006n)
    expect(await channelOf(payer)).toEqual(before)
  })

  it('a Bind that was overheard binds nothing on another connection', async () => {
    await using thief = await openPeer()
    const ours = await openPayments(peer)
    const { nonce } = await ours.hello()
    const theirs = await openPayments(thief)
    await theirs.hello()
    const clientPeerId = peer.host.libp2p.peerId.toMultihash().bytes
    const nodePeerId = peer.connection.remotePeer.toMultihash().bytes
    await theirs.send({
      type: 'bind',
      descriptor: payer.descriptor,
      signature: payer.bind({ nonce, clientPeerId, nodePeerId }),
    })
    expect((await theirs.next('error')).code).toBe('PAYMENT_SIGNATURE_INVALID')
    await theirs.closed()
    await ours.close()
  })

  it('leaves the channel as good as it was', async () => {
    await stream.send(tick(payer.tick('c', 4)))
    await stream.account(({ paid }) => paid === 1_008n)
    await stream.send(voucher(payer.voucher(1_500n)))
    await stream.account(({ paid }) => paid === 1_500n)
    await node.command(['rewards', 'claim-all', '--force'])
    await until('the claim is confirmed', PATIENCE_MS, async () => {
      const { settled } = await node.get<ChannelEntry>(`/v1/channels/${payer.channelId}`)
      return units(settled) === 1_500n
    })
  })
})

/** What the attacks must not have done; these tests look at the whole file. */
describe('in the end', () => {
  const peerOf = async (operator: Operator, of: Operator) => {
    const { items } = await operator.get<{
      items: { peerId: string; score: number | null; meshTopics: string[] }[]
    }>('/v1/peers')
    return items.find(({ peerId }) => peerId === of.peerId)
  }
  const expectFriends = async () => {
    for (const [one, two] of [
      [node, neighbour],
      [neighbour, node],
    ] as const) {
      const seen = await peerOf(one, two)
      expect(seen?.score).toBeGreaterThanOrEqual(0)
      expect(seen?.meshTopics).toHaveLength(2)
    }
  }

  it('two honest neighbours that heard different halves of a breach, or copies of one message, stay friends', async () => {
    await using left = await openPeer(node)
    await using right = await openPeer(neighbour)
    const good = await prove()
    const again = { ...good.proof, proof: rerandomize(good.proof.proof, seededRandom(3)) }
    const copy = dataOf({ ...good, message: attachProof(good.message, again) })
    await Promise.all([gossip(left, node, dataOf(good)), gossip(right, neighbour, copy)])

    const id = nextId++
    const halves = (await Promise.all(
      ['one', 'two'].map(async (text) => {
        const message = createWakuMessage({
          contentTopic: TOPIC,
          payload: new TextEncoder().encode(text),
          timestamp: msToTimestamp(Date.now()),
        })
        return { ...good, message: attachProof(message, await mallory.prove(message, id)) }
      }),
    )) as [Good, Good]
    await Promise.all([gossip(left, node, dataOf(halves[0])), gossip(right, neighbour, dataOf(halves[1]))])
    for (const operator of [node, neighbour]) {
      await until(
        'each finds the breach',
        PATIENCE_MS,
        async () => (await relayOf(operator)).verdicts.breach === 1,
      )
    }
    await expectFriends()
  })

  it('the neighbour was not punished for anything, and rejected nothing', async () => {
    await expectFriends()
    expect((await relayOf(neighbour)).verdicts.reject).toBe(0)
  })

  it('the honest client was served by both nodes all the time', async () => {
    const receipts = await honest.stop()
    expect(receipts.flatMap(({ attempts }) => attempts)).toEqual([])
    expect(new Set(receipts.map(({ node: served }) => served.peerId))).toEqual(
      new Set([node.peerId, neighbour.peerId]),
    )
    const found: string[] = []
    for await (const { payload } of alice.client.query({ contentTopics: [HONEST_TOPIC] }))
      found.push(new TextDecoder().decode(payload))
    expect(found).toEqual(receipts.map((_, index) => `honest message ${index}`))
  })

  it('the node is alive and ready', async () => {
    expect(await node.get('/livez')).toEqual({ alive: true })
    expect(await node.get('/readyz')).toMatchObject({ ready: true })
  })
})
