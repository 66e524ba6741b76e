import {
  type AccountState,
  type AccountView,
  type ChannelDescriptor,
  type ChargedRequest,
  NEW_ACCOUNT,
  NO_TICKS,
  paidTotal,
} from '@postrider/protocol/payment'
import { bytesToHex, type Hex, hexToBytes } from '@postrider/protocol/wire'
import type { AccountRecord, ChannelView, ChargeRecord } from './types.ts'

/** An account without payments or charges, for a channel that is bound for the first time. */
export function newAccount(channelId: Hex, descriptor: ChannelDescriptor, nowMs: number): AccountRecord {
  return {
    channelId,
    descriptor,
    status: 'open',
    deposit: 0n,
    settled: 0n,
    closeAt: 0,
    cumulative: 0n,
    tickAnchor: NO_TICKS,
    tickValue: 0n,
    signature: undefined,
    ticks: 0,
    tickPreimage: undefined,
    spent: 0n,
    paidMs: undefined,
    updatedMs: nowMs,
  }
}

/** The reducer's state from what is on disk: the account and its newest charges, oldest of them first. */
export function toState(record: AccountRecord, charges: readonly ChargeRecord[]): AccountState {
  const { channelId, cumulative, tickAnchor, tickValue, signature, ticks } = record
  const { deposit, status, spent } = record
  return {
    ...NEW_ACCOUNT,
    channel: { id: channelId, deposit, status },
    voucher: signature && { channelId, cumulative, tickAnchor, tickValue, signature },
    tick: { index: ticks, preimage: hexToBytes(record.tickPreimage ?? tickAnchor, 32) },
    spent,
    requests: charges.map(toChargedRequest),
  }
}

function toChargedRequest({ requestId, price }: ChargeRecord): ChargedRequest {
  return { id: requestId, charged: price, free: false, repeats: 0 }
}

/** The record after the reducer moved the state on. */
export function toRecord(before: AccountRecord, state: AccountState, nowMs: number): AccountRecord {
  const { voucher, tick, channel, spent } = state
  const paidBefore = recordPaid(before)
  return {
    ...before,
    ...(channel ? { deposit: channel.deposit, status: channel.status } : {}),
    cumulative: voucher?.cumulative ?? 0n,
    tickAnchor: voucher?.tickAnchor ?? NO_TICKS,
    tickValue: voucher?.tickValue ?? 0n,
    signature: voucher?.signature,
    ticks: tick.index,
    tickPreimage: tick.index === 0 ? undefined : bytesToHex(tick.preimage),
    spent,
    paidMs: paidTotal(state) > paidBefore ? nowMs : before.paidMs,
    updatedMs: nowMs,
  }
}

/** The record with what the chain says of the channel; a channel that is gone has no deposit. */
export function withChannel(record: AccountRecord, view: ChannelView | undefined): AccountRecord {
  if (!view) return { ...record, deposit: 0n, settled: 0n }
  const { status, deposit, settled, closeAt } = view
  return { ...record, status, deposit, settled, closeAt }
}

/** What the payer has paid by the newest voucher and its ticks: the total of a claim. */
export function recordPaid({ cumulative, ticks, tickValue }: AccountRecord): bigint {
  return cumulative + BigInt(ticks) * tickValue
}

/** The account as the client is told it. */
export function toView(record: AccountRecord): AccountView {
  const { channelId, deposit, spent, cumulative, tickAnchor, tickValue, ticks } = record
  const newest = { cumulative, tickAnchor, tickValue, ticks, tickPreimage: record.tickPreimage ?? tickAnchor }
  return { channelId, deposit, paid: recordPaid(record), spent, ...newest }
}
