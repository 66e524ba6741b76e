import type { Hex } from '@postrider/protocol/wire'
import { decodeCursor, encodeCursor } from '../api/index.ts'
import type { Channel, ChannelsView, Page } from '../api/types.ts'
import type { ChannelReport } from '../payments/index.ts'
import { asOfChain } from './chain-readings.ts'
import { CHANNEL_SCAN, MAX_CHANNELS_SCANNED } from './constants.ts'
import { heldReason, type Reason, reasonOf } from './reasons.ts'
import type { NodeParts } from './types.ts'

type ChannelsParts = {
  chain: Pick<NodeParts['chain'], 'follower'>
  payments: Pick<NodeParts['payments'], 'channel' | 'channels' | 'claimThreshold'>
}

export function createChannelsView({ chain, payments }: ChannelsParts): ChannelsView {
  const show = (report: ChannelReport, threshold: bigint): Channel => ({
    ...toChannel(report, threshold),
    asOf: asOfChain(chain),
  })

  const pageOf = (reports: readonly ChannelReport[], next: Hex | undefined): Page<Channel> => {
    const threshold = payments.claimThreshold()
    return {
      items: reports.map((report) => show(report, threshold)),
      nextCursor: next ? encodeCursor(next) : null,
    }
  }

  return {
    async list({ state, cursor, limit }) {
      const after = cursor === undefined ? undefined : (decodeCursor(cursor) as Hex)
      const found: ChannelReport[] = []
      let scanned = 0
      for await (const report of reportsAfter(payments, after, state ? CHANNEL_SCAN : limit + 1)) {
        const wanted = state === undefined || report.status === state
        if (wanted && found.length === limit) return pageOf(found, found.at(-1)?.channelId)
        if (wanted) found.push(report)
        if (++scanned === MAX_CHANNELS_SCANNED) return pageOf(found, report.channelId)
      }
      return pageOf(found, undefined)
    },
    async get(id) {
      const report = await payments.channel(id.toLowerCase() as Hex)
      return report && show(report, payments.claimThreshold())
    },
  }
}

/** The channels after one, in the order of their ids, read so many at once. */
async function* reportsAfter(
  payments: ChannelsParts['payments'],
  start: Hex | undefined,
  size: number,
): AsyncGenerator<ChannelReport> {
  let after = start
  let page: ChannelReport[]
  do {
    page = await payments.channels({ ...(after && { after }), limit: size })
    yield* page
    after = page.at(-1)?.channelId
  } while (page.length === size)
}

/** A channel as the API shows it, without the block. @param threshold what a claim must be worth, base units */
export function toChannel(report: ChannelReport, threshold: bigint): Omit<Channel, 'asOf'> {
  const { channelId, descriptor, status, deposit, settled, paid, spent, unredeemed, ticks } = report
  const { closeAt, paidMs } = report
  const held = whyHeld(report, threshold)
  return {
    id: channelId,
    state: status,
    ...descriptor,
    deposit,
    settled,
    paid,
    spent,
    unredeemed,
    available: deposit > paid ? deposit - paid : 0n,
    ticks,
    redeemable: unredeemed > 0n && held === null,
    held,
    withdrawableAt: status === 'closing' ? closeAt * 1000 : null,
    lastPaidAt: paidMs ?? null,
  }
}

function whyHeld({ status, unredeemed, held }: ChannelReport, threshold: bigint): Reason | null {
  if (unredeemed === 0n) return null
  return status === 'closed' ? reasonOf('PAYMENT_CHANNEL_CLOSED') : heldReason(held, threshold)
}
