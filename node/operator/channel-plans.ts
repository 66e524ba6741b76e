import { EMPTY_CLAIM, toClaim } from '@postrider/contracts'
import { bytesToHex, type Hex } from '@postrider/protocol/wire'
import { callOf } from '../chain/contracts.ts'
import { readAddress } from '../core/address.ts'
import type { ChannelReport } from '../payments/index.ts'
import { anyFailed, type Check, failed, ok, warning } from './checks.ts'
import type { Plan, Step } from './plan.ts'
import { counted, post } from './text.ts'
import type { ChainPlanContext } from './types.ts'

/**
 * Settles what was paid and ends the channel at once, which only the payee can.
 *
 * @param isTaken whether the payment engine would take it into a transaction now
 */
export function closePlan(
  { chain }: Pick<ChainPlanContext, 'chain'>,
  channel: ChannelReport,
  isTaken: boolean,
): Plan {
  const payer = readAddress(channel.descriptor.payer) ?? channel.descriptor.payer
  const checks = [livingCheck(channel), notClaimedCheck(channel), coveredCheck(channel)]
  return {
    action: 'channel close',
    checks: isTaken || anyFailed(checks) ? checks : [...checks, PAUSED],
    steps: [closeStep(chain, [channel])],
    effects: [
      settledBy([channel]),
      `${post(unspentOf(channel))} become free for the payer ${payer} to withdraw`,
      'the client must open another channel to pay this node again',
    ],
    details: {},
  }
}

/** Settles and ends channels that the payment engine chose. @param left how many living ones it did not choose */
export function closeAllPlan(
  { chain }: Pick<ChainPlanContext, 'chain'>,
  channels: readonly ChannelReport[],
  left: number,
): Plan {
  const action = 'channel close --all'
  const others = left > 0 ? [leftCheck(left)] : []
  if (channels.length === 0) return { action, checks: others, steps: [], effects: [], details: {} }
  const unspent = channels.reduce((sum, channel) => sum + unspentOf(channel), 0n)
  return {
    action,
    checks: [
      ok('channels', `${counted(channels.length, 'channel')} with ${post(owedBy(channels))}`),
      ...others,
    ],
    steps: [closeStep(chain, channels)],
    effects: [
      settledBy(channels),
      `${post(unspent)} become free for the payers to withdraw`,
      'the clients must open other channels to pay this node again',
    ],
    details: {},
  }
}

/** Settles the newest claims of channels in one batch. @param payout where the contract pays them */
export function settlePlan(
  { chain, account }: Pick<ChainPlanContext, 'chain' | 'account'>,
  { action, channels, payout }: { action: string; channels: readonly ChannelReport[]; payout: Hex },
): Plan {
  const total = owedBy(channels)
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

const closeStep = (chain: ChainPlanContext['chain'], channels: readonly ChannelReport[]): Step => ({
  label: channels.length === 1 ? 'close the channel' : `close ${counted(channels.length, 'channel')}`,
  call: callOf(chain.network, 'paymentChannels', 'closeMany', [channels.map(itemOf)]),
})

function settledBy(channels: readonly ChannelReport[]): string {
  const total = owedBy(channels)
  if (total === 0n) return 'nothing is left to settle'
  return `${post(total)} are settled, less the share that the contract burns`
}

const owedBy = (channels: readonly ChannelReport[]): bigint =>
  channels.reduce((sum, { unredeemed }) => sum + unredeemed, 0n)

const unspentOf = ({ deposit, paid }: ChannelReport): bigint => (deposit > paid ? deposit - paid : 0n)

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

/** The engine leaves a channel alone for a while whose last claim was not honoured. */
const PAUSED = failed(
  'last claim',
  'it was not honoured or not approved a short time ago',
  'postrider rewards queue says why; try again later',
)

const leftCheck = (left: number): Check =>
  warning(
    'left out',
    `${counted(left, 'channel')}: what does not fit, is on its way, proposed, uncovered, or failed a short time ago`,
    'postrider channel list; close the rest when this has ended',
  )

/** The contract honours a claim above the deposit in no part. */
function coveredCheck({ paid, deposit }: ChannelReport): Check {
  if (paid <= deposit) return ok('deposit', `${post(deposit)} cover ${post(paid)}`)
  return failed('deposit', `${post(deposit)} of ${post(paid)} paid`, 'wait until the client tops it up')
}
