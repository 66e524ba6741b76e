import type { Network } from '@postrider/protocol/network'
import { larger } from '../core/bigint.ts'
import type { Clock } from '../core/clock.ts'
import type { NodePool } from '../nodes/pool.ts'
import type { Service } from '../nodes/types.ts'
import type { Member } from '../rln/member.ts'
import type { PaidService, Payments } from '../wallet/payments.ts'
import { CONFIRMATION_PAUSES_MS } from './constants.ts'
import { checkSize, placeOf } from './outgoing.ts'
import type { Estimate, OutgoingMessage } from './types.ts'

export type EstimatorComponents = {
  network: Network
  pool: Pick<NodePool, 'list'>
  payments: Pick<Payments, 'prices'>
  member: Pick<Member, 'budget'>
  clock: Clock
}

/** Says what a publish would cost, from what is known here: it asks nobody. */
export function createEstimator({ network, pool, payments, member, clock }: EstimatorComponents): {
  /** @throws PostriderError `WIRE_CONTENT_TOPIC_INVALID`, `WIRE_META_TOO_LARGE`, `WIRE_TOO_LARGE` */
  estimate(message: OutgoingMessage, confirmations: number): Promise<Estimate>
} {
  const dearest = (service: Service, price: PaidService): bigint => {
    const offering = pool.list().filter(({ services }) => services.includes(service))
    const connected = offering.filter((node) => node.connected)
    const prices = (connected.length > 0 ? connected : offering).map((node) => payments.prices(node)[price])
    return prices.reduce(larger, 0n)
  }
  return {
    async estimate(message, confirmations) {
      const { pubsubTopic } = placeOf(message.contentTopic, network)
      const bytes = checkSize(message, clock.nowMs())
      const budget = await member.budget(pubsubTopic)
      const looks = message.ephemeral || confirmations === 0 ? 0 : CONFIRMATION_PAUSES_MS.length
      const publish = dearest('lightpush', 'publish')
      const confirming = dearest('store', 'query') * BigInt(looks)
      return {
        publish,
        confirmations: confirming,
        total: publish + confirming,
        bytes,
        proof: budget ? 'own' : 'node',
        ...(budget ? { rlnRemaining: budget.remaining, epochEndsAtMs: budget.epochEndsAtMs } : {}),
      }
    },
  }
}
