import { EMPTY_CLAIM, toClaim } from '@postrider/contracts'
import { bytesToHex, type Hex } from '@postrider/protocol/wire'
import { callOf } from '../chain/contracts.ts'
import { readAddress } from '../core/address.ts'
import type { ChannelReport } from '../payments/index.ts'
import { type Check, failed, ok } from './checks.ts'
import type { Plan } from './plan.ts'
import { counted, post } from './text.ts'
import type { ChainPlanContext } from './types.ts'

/** Settles what was paid and ends the channel at once, which only the payee can. */
export function closePlan({ chain }: Pick<ChainPlanContext, 'chain'>, channel: ChannelReport): Plan {
  const { descriptor, deposit, paid, unredeemed } = channel
  const payer = readAddress(descriptor.payer) ?? descriptor.payer
  return {
    action: 'channel close',
    checks: [livingCheck(channel), notClaimedCheck(channel), coveredCheck(channel)],
    steps: [
      {
        label: 'close the channel',
        call: callOf(chain.network, 'paymentChannels', 'closeMany', [[itemOf(channel)]]),
      },
    ],
    effects: [
      unredeemed > 0n
        ? `${post(unredeemed)} are settled, less the share that the contract burns`
        : 'nothing is left to settle',
      `${post(deposit > paid ? deposit - paid : 0n)} become free for the payer ${payer} to withdraw`,
      'the client must open another channel to pay this node again',
      'what it pays before the transaction is mined is not settled',
    ],
    details: {},
  }
}

/** Settles the newest claims of channels in one batch. @param payout where the contract pays them */
export function settlePlan(
  { chain, account }: Pick<ChainPlanContext, 'chain' | 'account'>,
  { action, channels, payout }: { action: string; channels: readonly ChannelReport[]; payout: Hex },
): Plan {
  const total = channels.reduce((sum, { unredeemed }) => sum + unredeemed, 0n)
  return {
    action,
    checks: [ok('claims', `${counted(channels.length, 'channel')} with ${post(total)}`)],
    steps: [
      {
        label: `settle ${counted(channels.length, 'channel')}`,
        call: callOf(chain.network, 'paymentChannels', 'settleMany', [account, channels.map(itemOf)]),
      },
    ],
    effects: [`${post(total)} move to ${payout}, less the share that the contract burns`],
    details: {},
  }
}

function itemOf(channel: ChannelReport) {
  const { payer, signer, salt } = channel.descriptor
  return { payer, signer, salt, claim: claimOf(channel) }
}

/** The newest voucher with its newest tick; a claim of nothing before the first voucher. */
function claimOf(channel: ChannelReport) {
  const { cumulative, tickAnchor, tickValue, signature, ticks, tickPreimage } = channel
  if (!signature) return EMPTY_CLAIM
  const voucher = { cumulative, tickAnchor, tickValue, signature: bytesToHex(signature) }
  return tickPreimage === undefined
    ? toClaim(voucher)
    : toClaim(voucher, { count: ticks, preimage: tickPreimage })
}

function livingCheck({ status }: ChannelReport): Check {
  if (status !== 'closed') return ok('channel', `it is ${status}`)
  return failed('channel', 'it is closed already', 'postrider channel list shows those that are not')
}

function notClaimedCheck({ held }: ChannelReport): Check {
  const name = 'redemption'
  if (held === 'inFlight') {
    return failed(
      name,
      'a settlement of it is on its way',
      'wait until it has ended: postrider rewards queue',
    )
  }
  if (held === 'proposed') {
    return failed(name, 'a proposed one holds it', 'approve or reject it: postrider rewards queue')
  }
  return ok(name, 'none holds it')
}

/** The contract honours a claim above the deposit in no part. */
function coveredCheck({ paid, deposit }: ChannelReport): Check {
  if (paid <= deposit) return ok('deposit', `${post(deposit)} cover ${post(paid)}`)
  return failed('deposit', `${post(deposit)} of ${post(paid)} paid`, 'wait until the client tops it up')
}
