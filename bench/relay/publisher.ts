// A peer that publishes what it is given: as fast as it comes back, at a pace, or as far as it is allowed to.
import { systemClock } from '../../node/core/clock.ts'
import type { Host } from '../../node/core/p2p.ts'
import { joinNode, joinUnwelcome, type Moment, machineMs } from './host.ts'
import { TOPIC } from './network.ts'
import { serveRole, tell } from './roles.ts'

export type Load =
  /** So many messages under way. */
  | { window: number }
  | { perSecond: number }
  /** As many as `allow` says. Under a new peer id after so many messages and whenever the node hangs up; under one
   * peer id for good if absent. */
  | { messagesPerPeer?: number }

export type PublishOrder = { messages: readonly Uint8Array[]; load: Load }

const TICK_MS = 2
/** How often the parent hears how many were sent. */
const TELL_MS = 4

let host: Host | undefined
let address = ''
let arrived = 0
let allowed = 0
let sent = 0
let ended = false

/** How many messages may have been sent by now. */
function due(load: Load, startMs: number): number {
  if ('window' in load) return arrived + load.window
  if ('perSecond' in load) return Math.floor(((machineMs() - startMs) * load.perSecond) / 1000)
  return allowed
}

async function publishAll({ messages, load }: PublishOrder): Promise<Moment[]> {
  const departures: Moment[] = []
  const startMs = machineMs()
  for (const [index, data] of messages.entries()) {
    while (!ended && due(load, startMs) <= index) await systemClock.sleep(TICK_MS)
    if ('messagesPerPeer' in load && load.messagesPerPeer) await renew(index, load.messagesPerPeer)
    if (ended) break
    departures.push([index, machineMs()])
    await host?.gossip.publish(TOPIC, data)
    sent = index + 1
  }
  return departures
}

async function renew(index: number, messagesPerPeer: number): Promise<void> {
  const isConnected = (host?.peers().length ?? 0) > 0
  if (isConnected && (index === 0 || index % messagesPerPeer !== 0)) return
  await host?.stop()
  host = await joinUnwelcome(address, () => ended)
}

setInterval(() => tell('sent', sent), TELL_MS)

serveRole({
  async connect(node: { address: string }) {
    address = node.address
    host = await joinNode(address)
  },
  arrived: (count: number) => {
    arrived = count
  },
  allow: (count: number) => {
    allowed = count
  },
  /** Stops publishing, wherever it is. */
  end: () => {
    ended = true
  },
  publish: publishAll,
})
