import { createHash } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { createWakuMessage, encode, pubsubTopicForContent, WakuMessageSchema } from '@postrider/protocol/wire'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from './clock.ts'
import {
  MAX_CONNECTIONS,
  MAX_WEBSOCKET_MESSAGE_BYTES,
  OFFENDERS_PER_ADDRESS,
  PENALTY_BAN_POINTS,
  PENALTY_PARDON_POINTS,
} from './p2p/constants.ts'
import { createIdentityKey } from './p2p/identity.ts'
import { createFrameStream, decodeLength, requestFrame, serveRequests } from './p2p/streams.ts'
import { createTestHost, TEST_NETWORK, tcpAddress, wsAddress } from './p2p/testing/hosts.ts'
import type { Host } from './p2p.ts'
import { eventually } from './testing/eventually.ts'

const hosts: Host[] = []
async function startHost(options: Parameters<typeof createTestHost>[0] = {}): Promise<Host> {
  const host = await createTestHost(options)
  hosts.push(host)
  await host.start()
  return host
}
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()))
})

const PROTOCOL = '/test/echo/1.0.0'
const LIMITS = { maxRequestBytes: 1_000, deadlineMs: 300, maxStreamsPerConnection: 4, maxStreams: 6 }

async function startEcho(limits = LIMITS) {
  const failures: unknown[] = []
  const server = await startHost()
  const requests = await serveRequests(
    { libp2p: server.libp2p, clock: systemClock },
    { protocol: PROTOCOL, limits, onFailure: (error) => failures.push(error) },
    async (request) => request,
  )
  const client = await startHost({ listen: [] })
  const connection = await client.libp2p.dial(
    (await import('@multiformats/multiaddr')).multiaddr(tcpAddress(server)),
  )
  const ask = (bytes: Uint8Array) =>
    requestFrame({ clock: systemClock }, connection, bytes, {
      protocol: PROTOCOL,
      maxResponseBytes: 2_000,
      deadlineMs: 5_000,
    })
  return { server, client, connection, requests, failures, ask }
}

/** A proxy before a WebSocket listener, as far as it matters here: it adds a header to each request. */
async function startProxy(port: number, forwardedFor: string): Promise<number> {
  const proxy = net.createServer((inner) => {
    const outer = net.connect(port, '127.0.0.1')
    inner.once('data', (request) => {
      outer.write(
        request.toString('latin1').replace('\r\n', `\r\nX-Forwarded-For: ${forwardedFor}\r\n`),
        'latin1',
      )
      inner.pipe(outer)
    })
    outer.pipe(inner)
    for (const socket of [inner, outer]) socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  return (proxy.address() as net.AddressInfo).port
}

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('host', () => {
  it('listens on loopback by TCP and WebSocket and can be dialled by both', async () => {
    const server = await startHost()
    const client = await startHost({ listen: [] })
    expect(server.addresses().every((address) => address.startsWith('/ip4/127.0.0.1/'))).toBe(true)
    await client.dial(tcpAddress(server))
    expect(client.peers()).toEqual([server.peerId])
    await client.libp2p.hangUp(server.libp2p.peerId)
    await client.dial(wsAddress(server))
    expect(client.peers()).toEqual([server.peerId])
  })

  it('names the address when a peer cannot be reached', async () => {
    const client = await startHost({ listen: [] })
    await expect(client.dial('/ip4/127.0.0.1/tcp/1')).rejects.toMatchObject({ code: 'RELAY_DIAL_FAILED' })
    await expect(client.dial('nonsense')).rejects.toMatchObject({ code: 'RELAY_DIAL_FAILED' })
  })

  it('names the addresses when it cannot listen', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as net.AddressInfo
    const address = `/ip4/127.0.0.1/tcp/${port}`
    const host = await createTestHost({ listen: [address] })
    await expect(host.start()).rejects.toMatchObject({
      code: 'RELAY_LISTEN_FAILED',
      message: expect.stringContaining(address),
    })
    await host.stop()
    taken.close()
  })

  it('gossips under the newest name both sides know, and under the Waku name with a node that knows only that', async () => {
    const a = await startHost()
    const b = await startHost()
    const waku = await createTestHost()
    hosts.push(waku)
    waku.gossip.protocols = ['/vac/waku/relay/2.0.0']
    await waku.start()
    await b.dial(tcpAddress(a))
    await waku.dial(tcpAddress(a))
    const protocolTo = (peer: Host) =>
      a.libp2p
        .getConnections(peer.libp2p.peerId)
        .flatMap(({ streams }) => streams)
        .find(({ direction, protocol }) => direction === 'outbound' && /meshsub|relay/.test(protocol))
        ?.protocol
    await eventually(() => {
      expect(protocolTo(b)).toBe('/meshsub/1.2.0')
      expect(protocolTo(waku)).toBe('/vac/waku/relay/2.0.0')
    })
  })

  it('holds a gossiped message back until its validation is reported', async () => {
    const [a, b, c] = [await startHost(), await startHost(), await startHost()]
    const contentTopic = '/chat/1/room/proto'
    const topic = pubsubTopicForContent(contentTopic, TEST_NETWORK)
    const received: string[] = []
    for (const host of [a, b, c]) host.gossip.subscribe(topic)
    c.gossip.addEventListener('gossipsub:message', () => received.push('c'))
    const arrived = Promise.withResolvers<{ msgId: string; source: string }>()
    b.gossip.addEventListener('gossipsub:message', ({ detail }) =>
      arrived.resolve({ msgId: detail.msgId, source: detail.propagationSource.toString() }),
    )
    await b.dial(tcpAddress(a))
    await c.dial(tcpAddress(b))
    await eventually(() => {
      expect(a.gossip.getSubscribers(topic)).toHaveLength(1)
      expect(b.gossip.getMeshPeers(topic)).toHaveLength(2)
    })
    const message = createWakuMessage({ payload: new Uint8Array([1]), contentTopic, timestamp: 1n })
    await a.gossip.publish(topic, encode(WakuMessageSchema, message))
    const { msgId, source } = await arrived.promise
    expect(source).toBe(a.peerId)
    expect(received).toEqual([])
    b.gossip.reportMessageValidationResult(msgId, source, TopicValidatorResult.Accept)
    await eventually(() => expect(received).toEqual(['c']))
  })

  describe('gossip under load', () => {
    const contentTopic = '/chat/1/room/proto'
    const topic = pubsubTopicForContent(contentTopic, TEST_NETWORK)
    const numbered = (number: number, bytes = 1) =>
      encode(
        WakuMessageSchema,
        createWakuMessage({ payload: new Uint8Array(bytes), contentTopic, timestamp: BigInt(number) }),
      )
    /** What gossipsub sends by itself in situations that take long to bring about. */
    type Sender = { sendRpc(peer: string, rpc: object): boolean }
    const control = { ihave: [], iwant: [], graft: [], prune: [], idontwant: [] }

    async function startPair() {
      const [a, b] = [await startHost(), await startHost()]
      const received: Uint8Array[] = []
      b.gossip.addEventListener('gossipsub:message', ({ detail: { msg } }) => received.push(msg.data))
      a.gossip.subscribe(topic)
      b.gossip.subscribe(topic)
      await b.dial(tcpAddress(a))
      await eventually(() => expect(b.gossip.getMeshPeers(topic)).toEqual([a.peerId]))
      await eventually(() => expect(a.gossip.getMeshPeers(topic)).toEqual([b.peerId]))
      const from = (host: Host) => host.gossip as unknown as Sender
      return { a, b, received, from }
    }

    it('gives whoever missed many messages all of them, in RPCs that are taken', async () => {
      const { a, b, received, from } = await startPair()
      b.gossip.unsubscribe(topic)
      await eventually(() => expect(a.gossip.getSubscribers(topic)).toEqual([]))
      const messages = Array.from({ length: 300 }, (_, number) => numbered(number, 6_000))
      for (const data of messages) await a.gossip.publish(topic, data)
      b.gossip.subscribe(topic)
      const ids = messages.map((data) => createHash('sha256').update(data).digest())
      from(b).sendRpc(a.peerId, { messages: [], control: { ...control, iwant: [{ messageIDs: ids }] } })
      await eventually(() => expect(received).toHaveLength(messages.length))
    })

    it('takes an announcement of what an honest peer can have heard in three seconds', async () => {
      const { b, a, received, from } = await startPair()
      const messageIDs = Array.from({ length: 3_000 }, () => crypto.getRandomValues(new Uint8Array(32)))
      from(a).sendRpc(b.peerId, {
        messages: [{ topic, data: numbered(1) }],
        control: { ...control, ihave: [{ topicID: topic, messageIDs }] },
      })
      await eventually(() => expect(received).toHaveLength(1))
    })

    it('keeps nothing of an RPC but its messages', async () => {
      const { b, a, received, from } = await startPair()
      const filler = Array.from({ length: 20 }, () => ({ topicID: 'x'.repeat(20_000), messageIDs: [] }))
      from(a).sendRpc(b.peerId, {
        messages: [{ topic, data: numbered(1) }],
        control: { ...control, ihave: filler },
      })
      await eventually(() => expect(received).toHaveLength(1))
      expect(received[0]?.buffer.byteLength).toBeLessThan(1_000)
    })
  })

  it('disconnects a peer at the ban and refuses it from then on', async () => {
    const server = await startHost()
    const client = await startHost({ listen: [] })
    await client.dial(tcpAddress(server))
    await eventually(() => expect(server.peers()).toEqual([client.peerId]))
    server.penalise(client.peerId, PENALTY_BAN_POINTS - 1)
    expect(server.peers()).toEqual([client.peerId])
    server.penalise(client.peerId, 2)
    await eventually(() => expect([server.peers(), client.peers()]).toEqual([[], []]))
    await client.dial(tcpAddress(server)).catch(() => undefined) // refused during or just after the handshake
    await eventually(() => expect(client.peers()).toEqual([]))
    expect(server.peers()).toEqual([])
  })

  it('lets in one peer at a time from where many offenders came, and keeps who is there', async () => {
    const server = await startHost()
    const neighbour = await startHost({ listen: [] })
    await neighbour.dial(tcpAddress(server))
    for (let i = 0; i < OFFENDERS_PER_ADDRESS; i++) {
      const offender = await startHost({ listen: [] })
      await offender.dial(tcpAddress(server))
      await eventually(() => expect(server.peers()).toContain(offender.peerId))
      // Gone before its offence is known.
      await offender.libp2p.hangUp(server.libp2p.peerId)
      server.penalise(offender.peerId, PENALTY_PARDON_POINTS)
    }
    const [first, second] = [await startHost({ listen: [] }), await startHost({ listen: [] })]
    await first.dial(tcpAddress(server))
    await expect(second.dial(tcpAddress(server))).rejects.toThrow(code('RELAY_DIAL_FAILED'))
    await eventually(() => expect(server.peers().sort()).toEqual([neighbour.peerId, first.peerId].sort()))
  })

  it('keeps a connection to its bootstrap node across a restart of that node', async () => {
    const privateKey = await createIdentityKey()
    const first = await startHost({ privateKey })
    const address = tcpAddress(first)
    const client = await startHost({ listen: [] })
    client.keeper.setTargets('bootstrap', [address])
    await eventually(() => expect(client.peers()).toEqual([first.peerId]))
    hosts.splice(hosts.indexOf(first), 1)
    await first.stop()
    await eventually(() => expect(client.peers()).toEqual([]))
    const again = await startHost({ privateKey, listen: [address.split('/p2p/')[0] ?? ''] })
    await eventually(() => expect(client.peers()).toEqual([again.peerId]))
  })
})

describe('WebSocket listener', () => {
  const portOf = (host: Host) => Number(wsAddress(host).split('/')[4])

  it('ends the socket of a connection that it aborts', async () => {
    const server = await startHost()
    const client = await startHost({ listen: [] })
    await client.dial(wsAddress(server))
    await eventually(() => expect(server.peers()).toHaveLength(1))
    for (const connection of server.libp2p.getConnections()) connection.abort(new TypeError('test'))
    await eventually(() => expect(client.peers()).toEqual([]))
  })

  it('closes on a message above the limit', async () => {
    const server = await startHost()
    const socket = new WebSocket(`ws://127.0.0.1:${portOf(server)}`)
    await once(socket, 'open')
    const closed = once(socket, 'close')
    socket.send(new Uint8Array(MAX_WEBSOCKET_MESSAGE_BYTES + 1))
    const [event] = await closed
    expect([1006, 1009]).toContain(event.code) // 1009: message too big; 1006: the socket was gone before it was read
  })

  it('survives frames that break the WebSocket protocol', async () => {
    const server = await startHost()
    const raw = net.connect(portOf(server), '127.0.0.1')
    raw.write(
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
    await once(raw, 'data')
    raw.write(new Uint8Array([0xff, 0xff, 0xff, 0xff]))
    await once(raw, 'close')
    const client = await startHost({ listen: [] })
    await client.dial(wsAddress(server))
  })

  it('knows clients behind a proxy by the address that the proxy names last, and only behind one that it trusts', async () => {
    const origins: string[] = []
    for (const proxies of [['127.0.0.1'], []]) {
      const server = await startHost({ proxies })
      const port = await startProxy(portOf(server), '198.51.100.1, 203.0.113.7')
      const client = await startHost({ listen: [] })
      await client.dial(`/ip4/127.0.0.1/tcp/${port}/ws`)
      await eventually(() => expect(server.peers()).toEqual([client.peerId]))
      origins.push(...server.libp2p.getConnections().map(({ remoteAddr }) => remoteAddr.toString()))
    }
    expect(origins).toEqual([
      expect.stringMatching(/^\/ip4\/203\.0\.113\.7\//),
      expect.stringMatching(/^\/ip4\/127\.0\.0\.1\//),
    ])
  })

  it('takes a bounded number of connections', async () => {
    const server = await startHost()
    const sockets = Array.from({ length: MAX_CONNECTIONS + 5 }, () =>
      net.connect(portOf(server), '127.0.0.1'),
    )
    const dropped = await Promise.race(sockets.map((socket) => once(socket, 'close').then(() => true)))
    expect(dropped).toBe(true)
    for (const socket of sockets) socket.destroy()
    const client = await startHost({ listen: [] })
    await eventually(() => client.dial(wsAddress(server)))
  })
})

describe('garbage below the protocols', () => {
  const multistream = Buffer.from('\x13/multistream/1.0.0\n')
  const noise = Buffer.from('\x07/noise\n')

  it.each<[string, Buffer]>([
    ['random bytes', Buffer.from(crypto.getRandomValues(new Uint8Array(300)))],
    ['an endless varint', Buffer.alloc(64, 0xff)],
    ['multistream, then garbage', Buffer.concat([multistream, Buffer.alloc(200, 0x55)])],
    ['noise, then garbage', Buffer.concat([multistream, noise, Buffer.alloc(500, 0x55)])],
    ['noise, then an empty frame', Buffer.concat([multistream, noise, Buffer.alloc(2)])],
  ])('is survived: %s', async (_, bytes) => {
    const server = await startHost()
    for (const address of [tcpAddress(server), wsAddress(server)]) {
      const raw = net.connect(Number(address.split('/')[4]), '127.0.0.1')
      raw.on('error', () => undefined) // the node may reset it
      raw.write(bytes)
      const client = await startHost({ listen: [] })
      await client.dial(address)
      raw.destroy()
    }
  })
})

describe('request server', () => {
  it('answers one frame per stream', async () => {
    const { ask } = await startEcho()
    expect(await ask(new Uint8Array([1, 2, 3]))).toEqual(new Uint8Array([1, 2, 3]))
    expect(await ask(new Uint8Array())).toEqual(new Uint8Array())
    expect(await ask(new Uint8Array(1_000).fill(7))).toHaveLength(1_000)
  })

  it.each([
    ['a frame above the limit', [new Uint8Array([0xe9, 0x07]), new Uint8Array(1_001)], 'WIRE_TOO_LARGE'],
    ['a prefix that never ends', [new Uint8Array(64).fill(0x80)], 'WIRE_TOO_LARGE'],
    ['more bytes than one frame', [new Uint8Array([5]), new Uint8Array(5_000)], undefined],
  ])('resets the stream on %s and answers the next client', async (_, chunks, expected) => {
    const { connection, failures, ask } = await startEcho()
    const stream = await connection.newStream(PROTOCOL)
    for (const chunk of chunks) stream.send(chunk)
    if (expected) await eventually(() => expect(failures).toContainEqual(code(expected)))
    expect(await ask(new Uint8Array([9]))).toEqual(new Uint8Array([9]))
    stream.abort(new TypeError('done'))
  })

  it('resets the stream on a truncated frame and answers the next client', async () => {
    const { connection, failures, ask } = await startEcho()
    const stream = await connection.newStream(PROTOCOL)
    stream.send(new Uint8Array([100, 1, 2, 3]))
    await stream.close()
    await eventually(() => expect(failures).toContainEqual(code('WIRE_MALFORMED')))
    expect(await ask(new Uint8Array([9]))).toEqual(new Uint8Array([9]))
  })

  it('resets a stream that dribbles past the deadline', async () => {
    const { connection, failures, ask } = await startEcho()
    const stream = await connection.newStream(PROTOCOL)
    stream.send(new Uint8Array([100, 1]))
    await eventually(() => expect(failures).toContainEqual(code('CORE_DEADLINE_EXCEEDED')))
    await eventually(() => expect(stream.status).not.toBe('open'))
    expect(await ask(new Uint8Array([9]))).toEqual(new Uint8Array([9]))
  })

  it('serves at most its limit of streams at once', async () => {
    const { connection, failures, client, server, requests, ask } = await startEcho({
      ...LIMITS,
      deadlineMs: 60_000,
      maxStreams: 3,
    })
    const idle = await Promise.all([1, 2, 3].map(() => connection.newStream(PROTOCOL)))
    for (const stream of idle) stream.send(new Uint8Array([10]))
    await eventually(() => expect(requests.active()).toBe(3))
    await expect(ask(new Uint8Array([9]))).rejects.toThrow()
    expect(failures).toContainEqual(code('RELAY_STREAMS_EXHAUSTED'))
    for (const stream of idle) stream.abort(new TypeError('done'))
    await eventually(() => expect(requests.active()).toBe(0))
    expect(await ask(new Uint8Array([9]))).toEqual(new Uint8Array([9]))
    expect([client.peers(), server.peers()]).toEqual([[server.peerId], [client.peerId]])
  })

  it('resets the stream when the handler throws', async () => {
    const server = await startHost()
    await serveRequests(
      { libp2p: server.libp2p, clock: systemClock },
      { protocol: PROTOCOL, limits: LIMITS },
      async () => {
        throw new TypeError('handler')
      },
    )
    const client = await startHost({ listen: [] })
    await client.dial(tcpAddress(server))
    const [connection] = client.libp2p.getConnections()
    if (!connection) throw new TypeError('not connected')
    const options = { protocol: PROTOCOL, maxResponseBytes: 100, deadlineMs: 5_000 }
    await expect(
      requestFrame({ clock: systemClock }, connection, new Uint8Array([1]), options),
    ).rejects.toMatchObject({ code: 'WIRE_MALFORMED' })
  })
})

describe('frame stream', () => {
  it('carries several frames on one stream', async () => {
    const server = await startHost()
    const frames: number[] = []
    await server.libp2p.handle(PROTOCOL, async (stream) => {
      const reader = createFrameStream(stream, 100, 3)
      for (let i = 0; i < 3; i++) frames.push((await reader.read()).length)
    })
    const client = await startHost({ listen: [] })
    await client.dial(tcpAddress(server))
    const stream = await client.libp2p.getConnections()[0]?.newStream(PROTOCOL)
    if (!stream) throw new TypeError('not connected')
    const writer = createFrameStream(stream, 100)
    for (const length of [1, 50, 100]) await writer.write(new Uint8Array(length))
    await eventually(() => expect(frames).toEqual([1, 50, 100]))
  })

  it('carries what was written just before the connection closes', async () => {
    const { server, connection } = await startEcho()
    const received = Promise.withResolvers<Uint8Array>()
    await server.libp2p.handle('/test/last/1.0.0', (stream) => {
      void createFrameStream(stream, 100).read().then(received.resolve, received.reject)
    })
    const stream = await connection.newStream('/test/last/1.0.0')
    void createFrameStream(stream, 100).write(new Uint8Array(100))
    await connection.close()
    expect((await received.promise).length).toBe(100)
  })

  it('decodes prefixes of up to four bytes and refuses longer ones', () => {
    const decode = (...bytes: number[]) =>
      decodeLength({ byteLength: bytes.length, get: (index) => bytes[index] ?? 0 })
    expect(decode(0)).toBe(0)
    expect(decode(0xac, 0x02)).toBe(300)
    expect(decode(0xff, 0xff, 0xff, 0x7f)).toBe(2 ** 28 - 1)
    expect(() => decode(0x80)).toThrow(RangeError)
    expect(() => decode(0x80, 0x80, 0x80, 0x80)).toThrow(expect.objectContaining({ code: 'WIRE_TOO_LARGE' }))
  })
})
