import type { Hex } from '@postrider/protocol/wire'
import type { Positions } from './positions.ts'
import type { Sender } from './sender.ts'

/**
 * Why a channel with something to claim is not claimed now. inFlight: it is on its way, or the view of the chain does
 * not show it yet; manual: it is worth its gas and the node sends nothing by itself.
 */
export type HeldReason = 'inFlight' | 'proposed' | 'retryLater' | 'manual' | 'belowThreshold'

/** A part of the pending figure: base units, and of how many channels. */
export type PendingPart = { amount: bigint; channels: number }

/** The pending figure by what becomes of it; ready: the next look claims it. */
export type PendingParts = Readonly<Record<HeldReason | 'ready', PendingPart>>

/** What an operator is told about money that is not on chain yet. */
export type Holdings = {
  /** Undefined when there is nothing to claim, or it will be claimed at the next look. */
  held(channelId: Hex): HeldReason | undefined
  /** At the price of the last look; the parts add up to the pending figure. */
  pendingParts(): PendingParts
  /** The part of the pending figure that is worth its gas. */
  redeemable(): bigint
  /** What a claim had to be worth at the last look, base units. */
  threshold(): bigint
}

export type HoldingsSources = {
  positions: Positions
  sender: Pick<Sender, 'claiming'>
  /** True when nothing is sent unless the operator says so. */
  manual: boolean
  /** What a claim had to be worth at the last look, base units. */
  threshold(): bigint
}

export function createHoldings({ positions, sender, manual, threshold }: HoldingsSources): Holdings {
  const held = (channelId: Hex): HeldReason | undefined => {
    const redemption = sender.claiming(channelId)
    if (redemption) return redemption.state === 'proposed' ? 'proposed' : 'inFlight'
    const owed = positions.owed(channelId)
    if (owed === 0n) return positions.isAhead(channelId) ? 'inFlight' : undefined
    if (positions.isPaused(channelId)) return 'retryLater'
    if (owed < threshold() && !positions.isUrgent(channelId)) return 'belowThreshold'
    return manual ? 'manual' : undefined
  }

  const pendingParts = (): PendingParts => {
    const parts = noParts()
    for (const { channelId, owed, claimed } of positions.pending()) {
      addTo(parts.inFlight, claimed)
      addTo(parts[held(channelId) ?? 'ready'], owed)
    }
    return parts
  }

  return {
    held,
    pendingParts,
    threshold,
    redeemable() {
      const { ready, manual: byHand } = pendingParts()
      return ready.amount + byHand.amount
    },
  }
}

function noParts(): Record<HeldReason | 'ready', PendingPart> {
  const none = () => ({ amount: 0n, channels: 0 })
  return {
    ready: none(),
    inFlight: none(),
    proposed: none(),
    retryLater: none(),
    manual: none(),
    belowThreshold: none(),
  }
}

function addTo(part: PendingPart, amount: bigint): void {
  if (amount === 0n) return
  part.amount += amount
  part.channels++
}
