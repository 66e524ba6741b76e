import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'
import { createFrameStream } from '../transport/frames.ts'
import type { FrameStream, Target } from '../transport/types.ts'

/** A libp2p node on loopback ports of the system's choice, for tests that need a real peer. */
export async function startPeer(): Promise<{ libp2p: Libp2p; target: Target; stop(): Promise<void> }> {
  const libp2p = await createLibp2p({
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] },
    services: { identify: identify(), ping: ping() },
  })
  const peerId = libp2p.peerId.toString()
  const addresses = libp2p.getMultiaddrs().map((address) => address.toString().replace(`/p2p/${peerId}`, ''))
  return { libp2p, target: { peerId, addresses }, stop: async () => libp2p.stop() }
}

/** Serves a protocol with a function over frames; the stream breaks when it throws. */
export async function serveFrames(
  libp2p: Libp2p,
  protocol: string,
  serve: (frames: FrameStream, peerId: string) => Promise<void>,
): Promise<void> {
  await libp2p.handle(
    protocol,
    async (stream, connection) => {
      try {
        await serve(createFrameStream(stream, protocol, 4 * 1024 * 1024), connection.remotePeer.toString())
      } catch (error) {
        stream.abort(error as Error)
      }
    },
    { maxInboundStreams: 1000 },
  )
}
