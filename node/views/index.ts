/**
 * What the API shows, taken from the parts of the node: adapters without state of their own. Nothing here asks the
 * chain on the way to an answer for longer than `READ_WAIT_MS`, and an outage makes an answer unknown, never an error.
 *
 * @module
 */
import type { Views } from '../api/types.ts'
import { createActions } from './actions.ts'
import { createChainView } from './chain.ts'
import { createChainReadings } from './chain-readings.ts'
import { createChannelsView } from './channels.ts'
import { createEventsView } from './events.ts'
import { createHealthView } from './health.ts'
import { createNodeView } from './node.ts'
import { createPaymentsView } from './payments.ts'
import { createPeersView } from './peers.ts'
import { createRedemptions } from './redemptions.ts'
import { createRelayView } from './relay.ts'
import { createRewardsView } from './rewards.ts'
import { createRlnView } from './rln.ts'
import { createSlashingView } from './slashing.ts'
import { createStakeView } from './stake.ts'
import { createStoreView } from './store.ts'
import type { NodeParts } from './types.ts'

export type { NodeParts } from './types.ts'

/** The views of a node. They may be asked before the parts have started and after they have stopped. */
export function createViews(parts: NodeParts): Views {
  const readings = createChainReadings(parts)
  const redemptions = createRedemptions(parts, readings)
  const actions = createActions(parts, redemptions)
  return {
    node: createNodeView(parts, readings),
    peers: createPeersView(parts),
    relay: createRelayView(parts),
    store: createStoreView(parts),
    payments: createPaymentsView(parts, readings, redemptions),
    channels: createChannelsView(parts),
    rewards: createRewardsView(parts, readings, redemptions),
    rln: createRlnView(parts, readings),
    slashing: createSlashingView(parts),
    chain: createChainView(parts, readings),
    stake: createStakeView(parts, readings),
    health: createHealthView(parts, readings),
    events: createEventsView(parts, { redemptions, actions }),
    actions,
  }
}
