import { identify } from '@libp2p/identify'
import type { Connection, ConnectionGater, PeerId, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { coalesceFrames, rememberProtocols, silentLogger } from '@postrider/protocol/p2p'
import { LOCAL_CHAIN_IDS } from '@postrider/protocol/rln'
import { createLibp2p, type Libp2p, type Libp2pOptions } from 'libp2p'
import { withDeadline } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { MAX_TIMER_MS } from '../core/constants.ts'
import { createSemaphore, type Semaphore } from '../core/semaphore.ts'
import { atEndOfTurn } from '../core/turn.ts'
import {
  DIAL_TIMEOUT_MS,
  INBOUND_IDLE_MS,
  MAX_INBOUND_STREAMS,
  MAX_OUTBOUND_STREAMS,
  REQUEST_TIMEOUT_MS,
} from './constants.ts'
import { createFrameStream, toStreamError } from './frames.ts'
import type { FrameHandler, FrameStream, RequestOptions, Target, Transport } from './types.ts'

/** libp2p transports that this platform has; browser: websockets. */
export type TransportFactories = NonNullable<Libp2pOptions['transports']>

type Handler = { protocol: string; maxBytes: number; handler: FrameHandler }

/** A light node on libp2p: Noise, Yamux, no listening address, a fresh key at every start. */
export function createLibp2pTransport(components: {
  clock: Clock
  transports: TransportFactories
  /** Absent: the platform's own rules say what is dialled. */
  network?: Pick<Network, 'chainId'>
}): Transport {
  const { clock, transports, network } = components
  const handlers: Handler[] = []
  const gates = new Map<string, Semaphore>()
  const listeners = new Set<(peerId: string) => void>()
  let libp2p: Libp2p | undefined

  const running = (): Libp2p => {
    if (!libp2p) throw new PostriderError('CLIENT_NOT_STARTED')
    return libp2p
  }
  const gateOf = (key: string): Semaphore => {
    const gate = gates.get(key) ?? createSemaphore(MAX_OUTBOUND_STREAMS)
    gates.set(key, gate)
    return gate
  }
  const forget = (peerId: string) => {
    for (const key of gates.keys()) if (key.startsWith(peerId)) gates.delete(key)
    for (const listener of [...listeners]) listener(peerId)
  }

  return {
    peerId: () => running().peerId.toString(),
    async start() {
      const node = await createLibp2p({
        start: false,
        transports,
        connectionEncrypters: [noise()],
        // A node that starts pushing before our handlers are attached must not lose the connection for it.
        streamMuxers: [() => coalesceFrames(yamux({ maxEarlyStreams: MAX_INBOUND_STREAMS })(), atEndOfTurn)],
        addresses: { listen: [] },
        connectionGater: dialRules(network),
        services: { identify: identify(), ping: ping() },
        logger: silentLogger,
      })
      rememberProtocols(node.peerStore, clock.nowMs)
      for (const entry of handlers) await serve(node, clock, entry)
      node.addEventListener('peer:disconnect', ({ detail }) => forget(detail.toString()))
      await node.start()
      libp2p = node
    },
    async stop() {
      await libp2p?.stop()
      libp2p = undefined
    },
    connect: (target, signal) => connect(running(), clock, target, signal),
    async disconnect(peerId) {
      await running().hangUp(peerIdFromString(peerId))
    },
    isConnected: (peerId) => connectionTo(running(), peerId) !== undefined,
    onDisconnect(handler) {
      listeners.add(handler)
      return () => listeners.delete(handler)
    },
    request(peerId, protocol, frame, options) {
      const exchange = () => requestOnce(running(), clock, { peerId, protocol, frame, options })
      return gateOf(`${peerId} ${protocol}`).run(exchange, options.signal)
    },
    async open(peerId, protocol, { maxBytes, signal }) {
      const limits = { what: `opening ${protocol}`, ms: REQUEST_TIMEOUT_MS, signal }
      const stream = await withDeadline(clock, limits, (within) =>
        newStream(running(), peerId, protocol, within),
      )
      // Long-lived: silence is no fault, and libp2p's own pings find a dead connection.
      stream.inactivityTimeout = MAX_TIMER_MS
      return createFrameStream(stream, protocol, maxBytes)
    },
    handle(protocol, maxBytes, handler) {
      handlers.push({ protocol, maxBytes, handler })
    },
  }
}

/**
 * In a browser libp2p dials no private address and nothing without TLS, so that a registered endpoint cannot make a page
 * reach into its user's network. On a local chain that is where the nodes are.
 */
function dialRules(network?: Pick<Network, 'chainId'>): ConnectionGater {
  return network && LOCAL_CHAIN_IDS.has(network.chainId) ? { denyDialMultiaddr: () => false } : {}
}

async function connect(node: Libp2p, clock: Clock, target: Target, signal?: AbortSignal): Promise<void> {
  if (connectionTo(node, target.peerId)) return
  const what = `dialling ${target.peerId}`
  await withDeadline(clock, { what, ms: DIAL_TIMEOUT_MS, signal }, async (within) => {
    try {
      const addresses = target.addresses.map((address) => multiaddr(`${address}/p2p/${target.peerId}`))
      await node.dial(addresses, { signal: within })
    } catch (cause) {
      // A browser says of a WebSocket that failed nothing but that it did, by an event.
      const detail = cause instanceof Error ? cause.message : 'no connection could be opened'
      const data = { peerId: target.peerId, addresses: target.addresses }
      throw new PostriderError('CLIENT_CONNECT_FAILED', { detail, data, cause })
    }
  })
}

function connectionTo(node: Libp2p, peerId: string): Connection | undefined {
  // Compared as text: parsing an id costs more than looking at a few connections, and every request comes here.
  return node
    .getConnections()
    .find(({ status, remotePeer }) => status === 'open' && remotePeer.toString() === peerId)
}

async function newStream(
  node: Libp2p,
  peerId: string,
  protocol: string,
  signal: AbortSignal,
): Promise<Stream> {
  const connection = connectionTo(node, peerId)
  if (!connection)
    throw new PostriderError('CLIENT_STREAM_FAILED', { detail: 'not connected', data: { peerId } })
  try {
    return await connection.newStream(protocol, { signal, maxOutboundStreams: MAX_OUTBOUND_STREAMS })
  } catch (cause) {
    throw toStreamError(cause, protocol, signal)
  }
}

type Exchange = { peerId: string; protocol: string; frame: Uint8Array; options: RequestOptions }

function requestOnce(node: Libp2p, clock: Clock, exchange: Exchange): Promise<Uint8Array> {
  const { peerId, protocol, frame, options } = exchange
  const { timeoutMs: ms = REQUEST_TIMEOUT_MS, signal } = options
  const limits = { what: `a request on ${protocol}`, ms, signal }
  return withDeadline(clock, limits, async (within) => {
    const stream = await newStream(node, peerId, protocol, within)
    const frames = createFrameStream(stream, protocol, options.maxBytes)
    try {
      await frames.write(frame)
      const answer = await frames.read(within)
      void frames.close()
      return answer
    } catch (error) {
      stream.abort(error as Error)
      throw error
    }
  })
}

async function serve(node: Libp2p, clock: Clock, { protocol, maxBytes, handler }: Handler): Promise<void> {
  const read = (frames: FrameStream) =>
    withDeadline(clock, { what: `a frame of ${protocol}`, ms: INBOUND_IDLE_MS }, (signal) =>
      frames.read(signal),
    )
  const answerAll = async (stream: Stream, remote: PeerId) => {
    const frames = createFrameStream(stream, protocol, maxBytes)
    for (let frame = await read(frames); ; frame = await read(frames)) {
      const reply = handler(frame, remote.toString())
      if (reply) await frames.write(reply)
    }
  }
  await node.handle(
    protocol,
    async (stream, { remotePeer }) => {
      try {
        await answerAll(stream, remotePeer)
      } catch (error) {
        // At its end every stream comes here: a closed one is left alone, a broken or idle one is dropped.
        if (stream.remoteWriteStatus === 'closed') await stream.close().catch(() => undefined)
        else stream.abort(error as Error)
      }
    },
    { maxInboundStreams: MAX_INBOUND_STREAMS },
  )
}
