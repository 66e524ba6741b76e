import {
  type AccountEffect,
  type AccountState,
  accountReducer,
  NEW_ACCOUNT,
} from '@postrider/protocol/payment'
import type { ChargeEvent } from './book.ts'
import { MAX_FREE_PEERS } from './constants.ts'

/** Accounts of peers without a channel: a few requests per epoch, in memory only. */
export type FreeAllowance = {
  charge(peer: string, event: ChargeEvent): readonly AccountEffect[]
  /** Peers served for nothing in this epoch. */
  size(): number
}

/**
 * One table per epoch, so that nothing has to be cleaned. A full table refuses peers that are not in it: what
 * the node gives away in an epoch is at most `maxPeers` allowances, however many peer ids somebody makes.
 */
export function createFreeAllowance(freeRequests: number, maxPeers: number = MAX_FREE_PEERS): FreeAllowance {
  const rules = { unpaidLimit: 0n, freeRequests }
  const peers = new Map<string, AccountState>()
  let newest = 0n

  return {
    charge(peer, event) {
      if (event.epoch > newest) {
        newest = event.epoch
        peers.clear()
      }
      const known = peers.get(peer)
      const full = !known && peers.size >= maxPeers
      const before = known ?? NEW_ACCOUNT
      const { state, effects } = accountReducer(before, event, full ? { ...rules, freeRequests: 0 } : rules)
      if (state !== before && !full) peers.set(peer, state)
      return effects
    },
    size: () => peers.size,
  }
}
