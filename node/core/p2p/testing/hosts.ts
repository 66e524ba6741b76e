import { systemClock } from '../../clock.ts'
import { type Logger, silentLogger } from '../../logger.ts'
import { createMetrics } from '../../metrics.ts'
import { createHost, type Host, type HostOptions } from '../../p2p.ts'
import { systemRandom } from '../../random.ts'
import { createIdentityKey } from '../identity.ts'

/** The network of the tests: one cluster with eight shards. */
export const TEST_NETWORK = { clusterId: 66, shardCount: 8 } as const

/** A host on loopback with a fresh key; not started. */
export async function createTestHost(
  options: Partial<HostOptions> & { logger?: Logger } = {},
): Promise<Host> {
  const { logger = silentLogger, ...rest } = options
  return createHost(
    { clock: systemClock, random: systemRandom, logger, metrics: createMetrics() },
    { privateKey: await createIdentityKey(), network: TEST_NETWORK, ...rest },
  )
}

/** The first TCP (not WebSocket) address. */
export function tcpAddress(host: Host): string {
  return pick(host, (address) => !address.includes('/ws'))
}

/** The first WebSocket address. */
export function wsAddress(host: Host): string {
  return pick(host, (address) => address.includes('/ws'))
}

function pick(host: Host, matches: (address: string) => boolean): string {
  const address = host.addresses().find(matches)
  if (!address) throw new RangeError('the host does not listen')
  return address
}
