import { decodeNodeFrame, encodeClientFrame, MAX_PAYMENT_FRAME_BYTES } from '@postrider/protocol/payment'
import {
  create,
  createWakuMessage,
  decode,
  encode,
  FilterSubscribeRequestSchema,
  FilterSubscribeResponseSchema,
  LightpushRequestSchema,
  LightpushResponseSchema,
  MembershipRequestSchema,
  MembershipResponseSchema,
  PROTOCOL_IDS,
  StoreQueryRequestSchema,
  StoreQueryResponseSchema,
} from '@postrider/protocol/wire'
import { describe, expect, it } from 'vitest'
import { until } from '../../devnet/figures.ts'
import { badFrames, badStreams } from './frames.ts'
import { dataOf, lightpush, openPeer, PATIENCE_MS, prove, type Scene, TOPIC } from './scene.ts'

const requestId = 'a-request'
const contentTopics = [TOPIC]
const message = createWakuMessage({ contentTopic: TOPIC, payload: new Uint8Array(99), timestamp: 1n })

type Served = {
  protocol: string
  /** A request that is fine, to be cut. */
  valid: Uint8Array
  statusOf(answer: Uint8Array): number | undefined
  refusals: readonly number[]
}

/** Protocols that answer each request with a status. */
const served: Served[] = [
  {
    protocol: PROTOCOL_IDS.lightpush,
    valid: encode(LightpushRequestSchema, create(LightpushRequestSchema, { requestId, message })),
    statusOf: (answer) => decode(LightpushResponseSchema, answer).statusCode,
    refusals: [400],
  },
  {
    protocol: PROTOCOL_IDS.filterSubscribe,
    valid: encode(
      FilterSubscribeRequestSchema,
      create(FilterSubscribeRequestSchema, { requestId, contentTopics, pubsubTopic: 'x' }),
    ),
    statusOf: (answer) => decode(FilterSubscribeResponseSchema, answer).statusCode,
    // What is left of a request may be a ping, and who is not subscribed gets 404 for it.
    refusals: [400, 404],
  },
  {
    protocol: PROTOCOL_IDS.storeQuery,
    valid: encode(StoreQueryRequestSchema, create(StoreQueryRequestSchema, { requestId, contentTopics })),
    statusOf: (answer) => decode(StoreQueryResponseSchema, answer).statusCode,
    refusals: [400],
  },
  {
    protocol: PROTOCOL_IDS.membership,
    valid: encode(MembershipRequestSchema, create(MembershipRequestSchema, { requestId, from: 1n << 60n })),
    statusOf: (answer) => decode(MembershipResponseSchema, answer).statusCode,
    // What is left of a request may be one for the first page.
    refusals: [400, 200],
  },
]

const ours = Object.values(PROTOCOL_IDS).filter((id) => id !== PROTOCOL_IDS.filterPush)

/** Every protocol that the node says it speaks: all of ours, and libp2p's own. */
async function spokenProtocols(scene: Scene): Promise<string[]> {
  await using peer = await openPeer(scene)
  const { peerStore } = peer.host.libp2p
  let protocols: string[] = []
  await until('the node has told all its protocols', PATIENCE_MS, async () => {
    protocols = (await peerStore.get(peer.connection.remotePeer)).protocols
    return ours.every((protocol) => protocols.includes(protocol))
  })
  return protocols
}

/** Bytes that are no request, on every protocol. */
export function describeFrames(scene: Scene): void {
  describe('bytes that are no request', () => {
    it.each(served)(
      'are answered with a status by $protocol',
      async ({ protocol, valid, statusOf, refusals }) => {
        await using peer = await openPeer(scene)
        for (const frame of badFrames(protocol, valid)) {
          const answer = await peer.ask(protocol, frame)
          expect(refusals).toContain(statusOf(answer ?? new Uint8Array()))
        }
      },
    )

    it('are answered with a code on the payment stream', async () => {
      await using peer = await openPeer(scene)
      const valid = encodeClientFrame({ type: 'tick', tick: { index: 1, preimage: new Uint8Array(32) } })
      const tooLarge = new Uint8Array(MAX_PAYMENT_FRAME_BYTES + 1)
      for (const frame of [...badFrames('payment', valid), tooLarge]) {
        const answer = await peer.ask(PROTOCOL_IDS.payment, frame)
        const code = expect.stringMatching(
          /^(WIRE_(MALFORMED|TOO_LARGE)|PAYMENT_(FRAME_(MALFORMED|UNEXPECTED)|VERSION_UNSUPPORTED))$/,
        )
        expect(decodeNodeFrame(answer ?? new Uint8Array())).toMatchObject({ type: 'error', code })
      }
    })

    it('end their stream and nothing else, on every protocol that the node speaks', async () => {
      for (const protocol of await spokenProtocols(scene)) {
        for (const { bytes } of badStreams(protocol)) {
          // A connection of its own: a protocol may well hang up on this.
          await using peer = await openPeer(scene)
          await peer.askRaw(protocol, bytes)
        }
      }
      await using peer = await openPeer(scene)
      expect((await lightpush(peer, dataOf(await prove(scene)))).status).toBe(200)
    })
  })
}
