import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import type { TransportFactories } from '../transport/libp2p.ts'

/** TCP and WebSocket, what Node dials. */
export const nodeTransports: TransportFactories = [tcp(), webSockets()]
