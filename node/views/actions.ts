import { isPostriderError } from '@postrider/protocol/errors'
import type { Hex } from '@postrider/protocol/wire'
import type { Actions, RedeemRequest, Redemption } from '../api/types.ts'
import type { PaymentFigures, RedeemRequest as PaymentsRequest } from '../payments/index.ts'
import { HELD_REASONS, heldReason } from './reasons.ts'
import type { Redemptions } from './redemptions.ts'
import type { NodeParts } from './types.ts'

type ActionsParts = {
  base: Pick<NodeParts['base'], 'clock'>
  payments: Pick<NodeParts['payments'], 'redemption' | 'figures'>
}

export function createActions(
  { base, payments }: ActionsParts,
  redemptions: Pick<Redemptions, 'show' | 'simulate'>,
): Actions {
  const { redemption, figures } = payments
  const nothing = () => nothingToDo(base.clock.nowMs(), figures())

  return {
    async redeem({ dryRun, ...request }) {
      const wanted = toPaymentsRequest(request)
      if (dryRun) {
        const draft = await redemption.preview(wanted)
        return draft ? redemptions.simulate(draft) : nothing()
      }
      const sent = await redemption.redeem(wanted)
      return sent ? redemptions.show(sent) : nothing()
    },
    approve: (id) => ifKnown(async () => redemptions.show(await redemption.approve(id))),
    reject: (id, reason) => ifKnown(async () => redemptions.show(await redemption.reject(id, reason))),
  }
}

function toPaymentsRequest({ channels, force }: Omit<RedeemRequest, 'dryRun'>): PaymentsRequest {
  return { force, ...(channels && { channels: channels.map((id) => id as Hex) }) }
}

async function ifKnown(act: () => Promise<Redemption>): Promise<Redemption | undefined> {
  try {
    return await act()
  } catch (error) {
    if (isPostriderError(error) && error.code === 'PAYMENT_REDEMPTION_UNKNOWN') return undefined
    throw error
  }
}

/** The answer when no claim is made, with what holds back most of what is pending. */
function nothingToDo(nowMs: number, { pendingParts }: PaymentFigures): Redemption {
  const [most] = HELD_REASONS.filter((name) => pendingParts[name].amount > 0n).sort((a, b) =>
    pendingParts[a].amount < pendingParts[b].amount ? 1 : -1,
  )
  return {
    id: '',
    state: 'nothing-to-do',
    createdAt: nowMs,
    channels: [],
    amount: 0n,
    fee: 0n,
    transaction: null,
    block: null,
    reason: heldReason(most),
  }
}
