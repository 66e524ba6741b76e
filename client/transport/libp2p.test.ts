import {
  create,
  createWakuMessage,
  decode,
  encode,
  LightpushRequestSchema,
  LightpushResponseSchema,
  MessagePushSchema,
  MetadataRequestSchema,
  MetadataResponseSchema,
  PROTOCOL_IDS,
} from '@postrider/protocol/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { nodeTransports } from '../node/transports.ts'
import { serveFrames, startPeer } from '../testing/fake-libp2p.ts'
import { handlePushes, type Pushed } from './filter.ts'
import { createFrameStream } from './frames.ts'
import { createLibp2pTransport } from './libp2p.ts'
import { push } from './lightpush.ts'
import { checkCluster, handleMetadata } from './metadata.ts'

const cluster = { clusterId: 66, shardCount: 2 }
const message = createWakuMessage({ payload: Uint8Array.of(1), contentTopic: '/a/1/b/c', timestamp: 1n })
const request = { requestId: 'r1', pubsubTopic: '/waku/2/rs/66/0', message }

describe('transport over real sockets', () => {
  let peer: Awaited<ReturnType<typeof startPeer>>
  const transport = createLibp2pTransport({ clock: systemClock, transports: nodeTransports })
  const pushed: Pushed[] = []
  let onPushed: () => unknown = () => {}

  beforeAll(async () => {
    peer = await startPeer()
    handleMetadata(transport, cluster)
    handlePushes(transport, (one) => {
      pushed.push(one)
      onPushed()
    })
    await transport.start()
  })
  afterAll(async () => {
    await transport.stop()
    await peer.stop()
  })

  it.each([0, 1])('connects by endpoint %i (tcp, websocket)', async (which) => {
    const addresses = peer.target.addresses.slice(which, which + 1)
    await transport.connect({ ...peer.target, addresses })
    expect(transport.isConnected(peer.target.peerId)).toBe(true)
    const gone = Promise.withResolvers<string>()
    const off = transport.onDisconnect(gone.resolve)
    await transport.disconnect(peer.target.peerId)
    expect(await gone.promise).toBe(peer.target.peerId)
    off()
  })

  it('refuses an address where nobody listens, and a peer that is another one', async () => {
    const closed = { ...peer.target, addresses: ['/ip4/127.0.0.1/tcp/1'] }
    await expect(transport.connect(closed)).rejects.toMatchObject({ code: 'CLIENT_CONNECT_FAILED' })
    const other = await startPeer()
    const wrong = { peerId: other.target.peerId, addresses: peer.target.addresses }
    await expect(transport.connect(wrong)).rejects.toMatchObject({ code: 'CLIENT_CONNECT_FAILED' })
    await other.stop()
  })

  describe('when connected', () => {
    // A muxer aborts the connection at ten streams before it is set up: the first request goes alone, as in the pool.
    beforeAll(async () => {
      await transport.connect(peer.target)
      await expect(checkCluster(transport, peer.target.peerId, cluster)).rejects.toMatchObject({
        code: 'CLIENT_STREAM_FAILED',
      })
    })

    it('exchanges one frame for one frame, many at once', async () => {
      await serveFrames(peer.libp2p, PROTOCOL_IDS.lightpush, async (frames) => {
        const { requestId } = decode(LightpushRequestSchema, await frames.read())
        const answer = create(LightpushResponseSchema, { requestId, statusCode: 200, statusDesc: 'ok' })
        await frames.write(encode(LightpushResponseSchema, answer))
        await frames.close()
      })
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, at) =>
          push(transport, peer.target.peerId, { ...request, requestId: `r${at}` }),
        ),
      )
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([200]))
      await peer.libp2p.unhandle(PROTOCOL_IDS.lightpush)
    })

    it.each([
      [
        'another request id',
        encode(LightpushResponseSchema, create(LightpushResponseSchema, { requestId: 'x' })),
      ],
      ['rubbish', Uint8Array.of(0xff, 0xff)],
    ])('reports an answer with %s', async (_, bytes) => {
      await serveFrames(peer.libp2p, PROTOCOL_IDS.lightpush, async (frames) => {
        await frames.read()
        await frames.write(bytes)
        await frames.close()
      })
      const answer = push(transport, peer.target.peerId, request)
      await expect(answer).rejects.toMatchObject({ code: 'CLIENT_BAD_RESPONSE' })
      await peer.libp2p.unhandle(PROTOCOL_IDS.lightpush)
    })

    it.each([
      ['is longer than its limit', Uint8Array.from({ length: 20_000 })],
      ['never comes', undefined],
    ])('breaks the stream when an answer %s', async (_, bytes) => {
      await serveFrames(peer.libp2p, PROTOCOL_IDS.lightpush, async (frames) => {
        await frames.read()
        if (bytes) await frames.write(bytes)
        await frames.close()
      })
      const answer = push(transport, peer.target.peerId, request)
      await expect(answer).rejects.toMatchObject({ code: 'CLIENT_STREAM_FAILED' })
      await peer.libp2p.unhandle(PROTOCOL_IDS.lightpush)
    })

    it('reports a protocol that the node does not speak', async () => {
      const answer = push(transport, peer.target.peerId, request)
      await expect(answer).rejects.toMatchObject({ code: 'CLIENT_STREAM_FAILED' })
    })

    it('gives up when the caller does', async () => {
      await serveFrames(peer.libp2p, PROTOCOL_IDS.lightpush, async (frames) => void (await frames.read()))
      const stop = new AbortController()
      const answer = push(transport, peer.target.peerId, request, stop.signal)
      stop.abort()
      await expect(answer).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
      await peer.libp2p.unhandle(PROTOCOL_IDS.lightpush)
    })

    it('compares clusters in both directions', async () => {
      let theirs = 66
      await serveFrames(peer.libp2p, PROTOCOL_IDS.metadata, async (frames) => {
        const asked = decode(MetadataRequestSchema, await frames.read())
        expect(asked).toMatchObject({ clusterId: 66, shards: [0, 1] })
        const answer = create(MetadataResponseSchema, { clusterId: theirs, shards: [1] })
        await frames.write(encode(MetadataResponseSchema, answer))
        await frames.close()
      })
      expect(await checkCluster(transport, peer.target.peerId, cluster)).toEqual([1])
      theirs = 1
      const other = checkCluster(transport, peer.target.peerId, cluster)
      await expect(other).rejects.toMatchObject({ code: 'CLIENT_WRONG_CLUSTER' })
      await peer.libp2p.unhandle(PROTOCOL_IDS.metadata)
    })

    it('takes pushed messages, several on one stream, and drops malformed ones', async () => {
      const connection = peer.libp2p.getConnections()[0]!
      const send = async (...all: Uint8Array[]) => {
        const stream = await connection.newStream(PROTOCOL_IDS.filterPush)
        const frames = createFrameStream(stream, 'push', 100)
        for (const bytes of all) await frames.write(bytes)
        await frames.close()
      }
      const arrived = new Promise<void>((resolve) => {
        onPushed = () => pushed.length === 2 && resolve()
      })
      await send(Uint8Array.of(0xff))
      const good = encode(
        MessagePushSchema,
        create(MessagePushSchema, { wakuMessage: message, pubsubTopic: 'topic' }),
      )
      await send(good, good)
      await arrived
      expect(pushed).toHaveLength(2)
      expect(pushed[0]).toMatchObject({ pubsubTopic: 'topic', message: { contentTopic: '/a/1/b/c' } })
    })
  })
})
