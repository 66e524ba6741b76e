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
/** How often a peer that was turned away tries again. */
const KNOCK_MS = 50

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
  await gossipRuns(host)
  return host
}

/** As `joinNode` for a peer that the node may turn away: it knocks until it is let in, or `ended`. */
export async function joinUnwelcome(address: string, ended: () => boolean): Promise<Host> {
  const host = await startHost({ listens: false })
  host.gossip.subscribe(TOPIC)
  while (!ended() && !(await isLetIn(host, address))) await systemClock.sleep(KNOCK_MS)
  await gossipRuns(host, ended)
  return host
}

function isLetIn(host: Host, address: string): Promise<boolean> {
  return host.dial(address).then(
    () => true,
    () => false,
  )
}

async function gossipRuns(host: Host, ended = () => false): Promise<void> {
  while (!ended() && host.gossip.getMeshPeers(TOPIC).length === 0) await systemClock.sleep(POLL_MS)
}
