/**
 * The client in a browser: everything of the library, with WebSocket, proofs in a Web Worker and storage in IndexedDB.
 * Secure pages only: https, or http on loopback.
 *
 * - `createClient({ network, wallet, storage })` → `start`, `publish`, `subscribe`, `query`, `close`
 * - `openIndexedDbStorage(name)`
 *
 * @module
 */
import { webSockets } from '@libp2p/websockets'
import { createClient as createBareClient } from '../client.ts'
import type { TransportFactories } from '../transport/libp2p.ts'
import type { Client, ClientOptions, Platform } from '../types.ts'
import type { KeySource } from './keys.ts'
import { createWorkerProver } from './prover.ts'

export * from '../index.ts'
export type { KeySource } from './keys.ts'
export { createWorkerProver } from './prover.ts'
export { openIndexedDbStorage } from './storage.ts'

/** What a browser dials. */
export const browserTransports: TransportFactories = [webSockets()]

export type BrowserClientOptions = ClientOptions & {
  /** Where the proving keys are; by default those of this package. */
  artifacts?: KeySource
  /** Replaces parts of the platform. */
  platform?: Partial<Platform>
}

/**
 * Creates a client. Nothing is opened, dialled or sent before `start`.
 *
 * @throws PostriderError `CLIENT_OPTION_INVALID`
 */
export function createClient({ artifacts, platform = {}, ...options }: BrowserClientOptions): Client {
  const { prover = createWorkerProver(artifacts), transports = browserTransports } = platform
  return createBareClient({ ...options, platform: { ...platform, prover, transports } })
}
