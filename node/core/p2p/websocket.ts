import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { isIP, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { webSockets } from '@libp2p/websockets'
import { PostriderError } from '@postrider/protocol/errors'
import { MAX_CONNECTIONS, MAX_WEBSOCKET_MESSAGE_BYTES, WEBSOCKET_HANDSHAKE_MS } from './constants.ts'

/** The parts of libp2p's WebSocket listener that have no option. */
type Listener = {
  readonly server: Server
  readonly wsServer: { readonly options: { maxPayload: number }; handleUpgrade: HandleUpgrade }
}

type HandleUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  done: (socket: ServerSocket, request: IncomingMessage) => void,
) => void

type ServerSocket = EventEmitter & { close(code?: number, reason?: string): void; terminate(): void }

/**
 * libp2p's WebSocket transport with the limits that it lacks on the listening side: bytes of one message (100 MiB
 * otherwise), connections, and how long a socket may stay silent before its handshake. It also survives malformed
 * frames, and ends sockets that libp2p aborts: libp2p asks `ws` for close code 1006, which `ws` refuses, and the
 * socket would stay open.
 *
 * @param proxies IP addresses that end TLS for browsers: a connection from one counts as its client's
 * @throws PostriderError `RELAY_WEBSOCKET_INCOMPATIBLE` at start when the installed version is built otherwise
 */
export function boundedWebSockets(proxies: readonly string[] = []): ReturnType<typeof webSockets> {
  const factory = webSockets()
  return (components) => {
    const transport = factory(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => {
      const listener = createListener(options)
      limit(checkListener(listener), proxies)
      return listener
    }
    return transport
  }
}

function limit({ server, wsServer }: Listener, proxies: readonly string[]): void {
  wsServer.options.maxPayload = MAX_WEBSOCKET_MESSAGE_BYTES
  server.maxConnections = MAX_CONNECTIONS
  // `ws` takes the timeout off when the handshake is done.
  server.on('connection', (socket: Socket) => {
    socket.setTimeout(WEBSOCKET_HANDSHAKE_MS)
    socket.once('timeout', () => socket.destroy())
  })
  const handleUpgrade = wsServer.handleUpgrade.bind(wsServer)
  wsServer.handleUpgrade = (request, duplex, head, done) =>
    handleUpgrade(request, duplex, head, (socket, upgraded) => {
      harden(socket)
      nameClient(upgraded, proxies)
      done(socket, upgraded)
    })
}

/** IPv4 addresses look so on a listener that takes both families. */
const MAPPED_IP4 = /^::ffff:(?=\d+\.)/i

/**
 * Gives a connection from a proxy the address of its client, so that all who come through the proxy do not answer for
 * each other. Of the addresses in the header only the last is the proxy's own word.
 */
function nameClient({ socket, headers }: IncomingMessage, proxies: readonly string[]): void {
  const sender = socket.remoteAddress?.replace(MAPPED_IP4, '')
  if (sender === undefined || !proxies.includes(sender)) return
  const client = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .at(-1)
    ?.trim()
  if (client && isIP(client) !== 0) Object.defineProperty(socket, 'remoteAddress', { value: client })
}

/** The code that libp2p passes when it aborts; `ws` reserves it for connections that ended without a code. */
const ABNORMAL_CLOSURE = 1006

function harden(socket: ServerSocket): void {
  // Nobody else listens: without this, one malformed frame from anyone would end the process. `ws` then closes.
  socket.on('error', () => undefined)
  const close = socket.close.bind(socket)
  socket.close = (code, reason) => (code === ABNORMAL_CLOSURE ? socket.terminate() : close(code, reason))
}

function checkListener(listener: object): Listener {
  const { server, wsServer } = listener as Partial<Listener>
  if (!server || typeof wsServer?.options?.maxPayload !== 'number' || !wsServer.handleUpgrade) {
    throw new PostriderError('RELAY_WEBSOCKET_INCOMPATIBLE')
  }
  return { server, wsServer }
}
