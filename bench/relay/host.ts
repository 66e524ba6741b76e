// The libp2p host that all roles share, and the machine's clock.
import { systemClock } from '../../node/core/clock.ts'
import { silentLogger } from '../../node/core/logger.ts'
import { createMetrics } from '../../node/core/metrics.ts'
import { createIdentityKey } from '../../node/core/p2p/identity.ts'
import { createHost, type Host } from '../../node/core/p2p.ts'
import { systemRandom } from '../../node/core/random.ts'
import { NETWORK, TOPIC } from './network.ts'

/** Index of a message and when it was sent or received, ms of a clock that all processes of this machine share. */
export type Moment = [index: number, atMs: number]

export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

const LISTEN = ['/ip4/127.0.0.1/tcp/0']
/** How often a connecting peer looks whether gossip has come up. */
const POLL_MS = 20

export const base = {
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  metrics: createMetrics(),
}

export async function startHost(options: { listens: boolean }): Promise<Host> {
  const host = await createHost(
    { ...base, metrics: createMetrics() },
    { privateKey: await createIdentityKey(), network: NETWORK, listen: options.listens ? LISTEN : [] },
  )
  await host.start()
  return host
}

/** A host that is connected to the node and subscribed, with gossip running both ways. */
export async function joinNode(address: string): Promise<Host> {
  const host = await startHost({ listens: false })
  host.gossip.subscribe(TOPIC)
  await host.dial(address)
  while (host.gossip.getMeshPeers(TOPIC).length === 0) await systemClock.sleep(POLL_MS)
  return host
}
