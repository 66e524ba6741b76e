/**
 * The libp2p host of a node: TCP and WebSocket, Noise, yamux (and mplex for old clients), identify, ping,
 * gossipsub under Waku's rules, limits on everything that a peer can open, and a keeper of connections.
 *
 * @module
 */

import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { mplex } from '@libp2p/mplex'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { PostriderError } from '@postrider/protocol/errors'
import { coalesceFrames, rememberProtocols, silentLogger } from '@postrider/protocol/p2p'
import { createLibp2p } from 'libp2p'
import type { Clock, Timer } from './clock.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { type AddressWatch, createAddressWatch } from './p2p/addresses.ts'
import {
  DEFAULT_LISTEN,
  DIAL_TIMEOUT_MS,
  INBOUND_CONNECTIONS_PER_SECOND,
  MAX_CONNECTIONS,
  MAX_DIAL_QUEUE,
  MAX_IDENTIFY_BYTES,
  MAX_PARALLEL_DIALS,
  MAX_PENDING_INBOUND,
  MAX_STREAM_BUFFER_BYTES,
  MAX_STREAMS_PER_CONNECTION,
  MPLEX_STREAMS_PER_SECOND,
  PEER_TICK_MS,
  PENALTY_PARDON_POINTS,
} from './p2p/constants.ts'
import { createGossipService, type Gossip, type GossipNetwork } from './p2p/gossip.ts'
import { createMuteWatch } from './p2p/mute.ts'
import { createNoiseCrypto } from './p2p/noise-crypto.ts'
import { createPeerKeeper, type PeerKeeper } from './p2p/peers.ts'
import { createPenaltyBook, type PenaltyBook } from './p2p/penalties.ts'
import { boundedWebSockets } from './p2p/websocket.ts'
import type { Random } from './random.ts'

export type HostComponents = {
  clock: Clock
  random: Random
  logger: Logger
  metrics: Metrics
}

export type HostOptions = {
  /** The node's identity; see `p2p/identity.ts`. */
  privateKey: PrivateKey
  network: GossipNetwork
  /** Multiaddrs to listen on; loopback with free ports if absent. Empty: do not listen. */
  listen?: readonly string[]
  /** Multiaddrs told to others instead of the ones listened on, for a node behind a forwarded port. */
  announce?: readonly string[]
  /** IP addresses of proxies that end TLS before the WebSocket listener, and whose X-Forwarded-For is believed. */
  proxies?: readonly string[]
}

export type HostServices = { identify: Identify; ping: Ping; gossip: Gossip }

export type Host = {
  readonly libp2p: Libp2p<HostServices>
  readonly gossip: Gossip
  /** The node's own peer id. */
  readonly peerId: string
  readonly keeper: PeerKeeper
  /** Multiaddrs under which the node can be reached, each with its peer id. */
  addresses(): string[]
  /** Connected peers. */
  peers(): string[]
  /**
   * Connects, or keeps an existing connection.
   *
   * @throws PostriderError `RELAY_DIAL_FAILED` (data: address)
   */
  dial(address: string): Promise<void>
  /** Adds penalty points (1 = one invalid message). At the ban its connections are closed and refused. */
  penalise(peer: string, points: number): void
  /** Penalty points that are not yet forgiven. */
  penaltyPoints(peer: string): number
  /** @throws PostriderError `RELAY_LISTEN_FAILED` */
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Creates a host; nothing listens or dials before `start`.
 *
 * @throws PostriderError `RELAY_GOSSIP_INCOMPATIBLE`
 */
export async function createHost(components: HostComponents, options: HostOptions): Promise<Host> {
  const { clock, random, logger, metrics } = components
  const penalties = createPenaltyBook(clock)
  const addresses = createAddressWatch(clock)
  const libp2p = await createLibp2p(libp2pOptions(options, penalties, addresses))
  rememberProtocols(libp2p.peerStore, clock.nowMs)
  const { gossip } = libp2p.services
  const peerId = libp2p.peerId.toString()
  const muteWatch = createMuteWatch({ libp2p, gossip, logger })
  const bans = metrics.counter('p2p_bans_total', { help: 'Peers disconnected for repeated offences' })
  metrics.gauge('p2p_peers', {
    help: 'Connected peers',
    collect: (gauge) => gauge.set(libp2p.getPeers().length),
  })

  const dial = async (address: string): Promise<void> => {
    try {
      await libp2p.dial(multiaddr(address))
    } catch (cause) {
      throw new PostriderError('RELAY_DIAL_FAILED', { detail: address, data: { address }, cause })
    }
  }

  const connected = (address: string): boolean => {
    const id = address.split('/p2p/').at(-1)
    if (id === peerId) return true // itself: nothing to dial
    return libp2p
      .getConnections()
      .some(({ remotePeer, remoteAddr }) => remotePeer.toString() === id || remoteAddr.toString() === address)
  }

  libp2p.addEventListener('connection:open', ({ detail: { direction, remotePeer, remoteAddr } }) => {
    if (direction === 'inbound') addresses.connected(remotePeer.toString(), remoteAddr.toString())
  })

  const keeper = createPeerKeeper({ dial, connected, clock, random, logger })
  let muteTimer: Timer | undefined

  return {
    libp2p,
    gossip,
    peerId,
    keeper,
    addresses: () => libp2p.getMultiaddrs().map((address) => address.toString()),
    peers: () => libp2p.getPeers().map((peer) => peer.toString()),
    dial,
    penalise(peer, points) {
      const before = penalties.points(peer)
      const starts = penalties.add(peer, points)
      // Once for each peer that did something grave, or much.
      if (before < PENALTY_PARDON_POINTS && penalties.points(peer) >= PENALTY_PARDON_POINTS)
        addresses.offended(peer)
      if (!starts) return
      bans.inc()
      logger.warn({ peer, points: penalties.points(peer) }, 'peer banned')
      void libp2p
        .hangUp(peerIdFromString(peer))
        .catch((err) => logger.debug({ err, peer }, 'hang-up of a banned peer failed'))
    },
    penaltyPoints: penalties.points,
    async start() {
      try {
        await libp2p.start()
      } catch (cause) {
        const { listen = DEFAULT_LISTEN } = options
        throw new PostriderError('RELAY_LISTEN_FAILED', {
          detail: listen.join(', '),
          data: { listen },
          cause,
        })
      }
      keeper.start()
      muteTimer = clock.every(PEER_TICK_MS, () => muteWatch.tick())
      logger.info({ peerId, addresses: libp2p.getMultiaddrs().map(String) }, 'listening')
    },
    async stop() {
      muteTimer?.stop()
      keeper.stop()
      await libp2p.stop()
    },
  }
}

function libp2pOptions(options: HostOptions, penalties: PenaltyBook, addresses: AddressWatch) {
  const { privateKey, network, listen = DEFAULT_LISTEN, announce = [], proxies } = options
  const streamOptions = { maxReadBufferLength: MAX_STREAM_BUFFER_BYTES }
  const createYamux = yamux({
    maxInboundStreams: MAX_STREAMS_PER_CONNECTION,
    // Who opens all its streams at once after dialling is not cut off for it.
    maxEarlyStreams: MAX_STREAMS_PER_CONNECTION,
    streamOptions,
  })
  return {
    privateKey,
    start: false,
    // Whoever asks for libp2p's own log has it at its price.
    ...(process.env.DEBUG ? {} : { logger: silentLogger }),
    nodeInfo: { name: 'postrider', userAgent: 'postrider' },
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [tcp({ maxConnections: MAX_CONNECTIONS }), boundedWebSockets(proxies)],
    connectionEncrypters: [noise({ crypto: createNoiseCrypto() })],
    streamMuxers: [
      () => coalesceFrames(createYamux(), setImmediate),
      // Stock light clients of the libp2p 2 generation speak only mplex.
      mplex({ disconnectThreshold: MPLEX_STREAMS_PER_SECOND }),
    ],
    connectionGater: {
      denyInboundConnection: ({ remoteAddr }: { remoteAddr: { toString(): string } }) =>
        !addresses.admits(remoteAddr.toString()),
      denyDialPeer: (peer: { toString(): string }) => penalties.banned(peer.toString()),
      denyInboundEncryptedConnection: (peer: { toString(): string }) => penalties.banned(peer.toString()),
    },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      maxIncomingPendingConnections: MAX_PENDING_INBOUND,
      inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND,
      maxParallelDials: MAX_PARALLEL_DIALS,
      maxDialQueueLength: MAX_DIAL_QUEUE,
      dialTimeout: DIAL_TIMEOUT_MS,
    },
    services: {
      identify: identify({ maxMessageSize: MAX_IDENTIFY_BYTES }),
      ping: ping(),
      gossip: createGossipService({ network, peerScore: penalties.score }),
    },
  }
}
