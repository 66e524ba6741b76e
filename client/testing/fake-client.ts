import type { Clock } from '../core/clock.ts'
import { systemClock } from '../core/clock.ts'
import { createClient } from '../node/index.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import type { Storage } from '../storage/types.ts'
import type { Client, ClientOptions } from '../types.ts'
import { createFakeEngine, type FakeNetwork, testWallet } from './fake-network.ts'

export type FakeClientOptions = Partial<Omit<ClientOptions, 'wallet'>> & {
  /** Number of the wallet; none: a client that does not pay. */
  wallet?: number
  clock?: Clock
  engine?: ReturnType<typeof createFakeEngine>
}

/** A client of a fake network: real sockets, a chain in memory, proofs without proving. */
export function createFakeClient({ chain, network }: FakeNetwork, options: FakeClientOptions = {}) {
  const { wallet: number, clock = systemClock, engine = createFakeEngine(), ...rest } = options
  const wallet = number === undefined ? undefined : testWallet(number)
  const address = wallet?.account.address
  return createClient({
    network,
    storage: createMemoryStorage(),
    confirmations: 0,
    ...(wallet ? { wallet } : {}),
    ...rest,
    platform: {
      prover: engine,
      clock,
      chain: { reader: chain.reader, ...(address ? { writer: chain.writerFor(address) } : {}) },
    },
  })
}

/** A storage that outlives its client, as a file does. */
export function keepOpen(storage: Storage): Storage {
  return { ...storage, close: async () => undefined }
}

/** Resolves when the predicate holds for an event of the client. */
export async function eventOf<Name extends Parameters<Client['on']>[0]>(
  client: Client,
  name: Name,
): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const off = client.on(name, resolve)
  return promise.finally(off)
}
