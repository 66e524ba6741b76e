/**
 * The client in Node: everything of `@postrider/client`, with TCP and WebSocket, proofs in a worker thread and
 * storage in one SQLite file.
 *
 * - `createClient({ network, wallet, storage })` → `start`, `publish`, `subscribe`, `query`, `close`
 * - `createSqliteStorage(path)`
 *
 * @module
 */
import type { ArtifactSource } from '@postrider/circuits'
import { createClient as createBareClient } from '../client.ts'
import type { Client, ClientOptions, Platform } from '../types.ts'
import { createWorkerProver } from './prover.ts'
import { nodeTransports } from './transports.ts'

export * from '../index.ts'
export { createWorkerProver } from './prover.ts'
export { createSqliteStorage } from './sqlite-storage.ts'
export { nodeTransports } from './transports.ts'

export type NodeClientOptions = ClientOptions & {
  /** Where the proving keys are; by default those of this package. */
  artifacts?: ArtifactSource
  /** Replaces parts of the platform, as tests do. */
  platform?: Partial<Platform>
}

/**
 * Creates a client. Nothing is opened, dialled or sent before `start`.
 *
 * @throws PostriderError `CLIENT_OPTION_INVALID`
 */
export function createClient({ artifacts, platform = {}, ...options }: NodeClientOptions): Client {
  const { prover = createWorkerProver(artifacts), transports = nodeTransports } = platform
  return createBareClient({ ...options, platform: { ...platform, prover, transports } })
}
