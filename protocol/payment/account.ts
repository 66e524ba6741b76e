import type { ErrorCode } from '../errors/index.ts'
import { equalBytes, type Hex, hexToBytes } from '../wire/index.ts'
import {
  MAX_REPEATS,
  MAX_REQUEST_ID_CHARS,
  MAX_TICKS,
  REQUEST_WINDOW,
  VOUCHER_DUE_FRACTION,
} from './constants.ts'
import { NO_TICKS, verifyTick } from './ticks.ts'
import type { SignedVoucher, Tick, Voucher } from './types.ts'

/** What the operator risks and gives away. */
export type AccountRules = {
  /** Base units served before payment; 0 for prepaid only. */
  readonly unpaidLimit: bigint
  /** Requests per epoch that cost nothing. */
  readonly freeRequests: number
}

/** A request that was charged; a retry of it is answered for the same charge. */
export type ChargedRequest = {
  readonly id: string
  readonly charged: bigint
  readonly free: boolean
  readonly repeats: number
}

export type AccountChannel = {
  readonly id: Hex
  /** Base units, confirmed on chain. */
  readonly deposit: bigint
  readonly status: 'open' | 'closing' | 'closed'
}

/**
 * One payer at one node: by channel, or by peer as long as no channel is bound. Amounts are base units since
 * the channel was opened. `voucher`, `tick` and `spent` must be on disk before an effect is carried out;
 * `requests` and `free` may be lost in a crash (a retry is then charged again).
 */
export type AccountState = {
  readonly channel: AccountChannel | undefined
  /** The newest voucher; its signature was checked. */
  readonly voucher: SignedVoucher | undefined
  /** The newest tick under it; index 0 is the anchor. */
  readonly tick: Tick
  /** Charged so far. */
  readonly spent: bigint
  /** The newest charged requests, oldest first. */
  readonly requests: readonly ChargedRequest[]
  readonly free: { readonly epoch: bigint; readonly used: number }
}

export type AccountEvent =
  /** A channel was bound to the account, or changed on chain. */
  | { readonly type: 'channel'; readonly channel: AccountChannel }
  /** A voucher with a good signature. */
  | { readonly type: 'voucher'; readonly voucher: SignedVoucher }
  | { readonly type: 'tick'; readonly tick: Tick }
  /** A request; `requestId` is a `requestKey`, so that it stands for the request's content too. */
  | { readonly type: 'charge'; readonly requestId: string; readonly price: bigint; readonly epoch: bigint }

export type AccountEffect =
  /** Tell the payer the account: it changed, or the payer asked with something known. */
  | { readonly type: 'account' }
  /** Serve the request. */
  | {
      readonly type: 'charged'
      readonly requestId: string
      readonly charged: bigint
      readonly free: boolean
      readonly repeated: boolean
    }
  /** Do not serve the request; it would be served when `paid` reached `total` (and the code's cause is gone). */
  | {
      readonly type: 'paymentRequired'
      readonly requestId: string
      readonly total: bigint
      readonly code: ErrorCode
    }
  /** The event changed nothing. */
  | { readonly type: 'refused'; readonly code: ErrorCode }
  /** Ask for payment up to `total` before service stops. */
  | { readonly type: 'voucherDue'; readonly total: bigint }

export type AccountStep = { readonly state: AccountState; readonly effects: readonly AccountEffect[] }

/** An account of a payer who was never seen. */
export const NEW_ACCOUNT: AccountState = {
  channel: undefined,
  voucher: undefined,
  tick: { index: 0, preimage: hexToBytes(NO_TICKS) },
  spent: 0n,
  requests: [],
  free: { epoch: 0n, used: 0 },
}

/** What the payer has paid: the newest voucher and its ticks. Never falls. */
export function paidTotal({ voucher, tick }: AccountState): bigint {
  return voucher === undefined ? 0n : voucher.cumulative + BigInt(tick.index) * voucher.tickValue
}

/** The largest total that a request of this price may bring `spent` to is `paid + unpaidLimit`, within the deposit. */
export function chargeFault(state: AccountState, price: bigint, rules: AccountRules): ErrorCode | undefined {
  const { channel, spent } = state
  if (channel === undefined) return 'PAYMENT_NO_CHANNEL'
  if (channel.status === 'closed') return 'PAYMENT_CHANNEL_CLOSED'
  if (channel.status === 'closing') return 'PAYMENT_CHANNEL_CLOSING'
  if (spent + price > channel.deposit) return 'PAYMENT_EXCEEDS_DEPOSIT'
  return spent + price > paidTotal(state) + rules.unpaidLimit ? 'PAYMENT_REQUIRED' : undefined
}

/**
 * Why a voucher would be refused, before its signature is worth checking; undefined for a good one and for the
 * newest one sent again.
 */
export function voucherFault(state: AccountState, voucher: Voucher): ErrorCode | undefined {
  const { channel } = state
  if (channel === undefined) return 'PAYMENT_NO_CHANNEL'
  if (voucher.channelId !== channel.id) return 'PAYMENT_CHANNEL_MISMATCH'
  if (channel.status === 'closed') return 'PAYMENT_CHANNEL_CLOSED'
  if (isNewest(state, voucher)) return undefined
  if (voucher.cumulative < paidTotal(state)) return 'PAYMENT_VOUCHER_NOT_GROWING'
  // A new tick chain under the old total would cost the node a verification for nothing.
  if (state.voucher !== undefined && voucher.cumulative === state.voucher.cumulative)
    return 'PAYMENT_VOUCHER_NOT_GROWING'
  return voucher.cumulative > channel.deposit ? 'PAYMENT_EXCEEDS_DEPOSIT' : undefined
}

/** True for the voucher that the account has already; its signature need not be checked again if equal too. */
export function isNewest({ voucher: newest }: AccountState, voucher: Voucher): boolean {
  return (
    newest !== undefined &&
    newest.cumulative === voucher.cumulative &&
    newest.tickAnchor === voucher.tickAnchor &&
    newest.tickValue === voucher.tickValue
  )
}

/**
 * The payment account's rule. Holds always: paid never falls and never exceeds the deposit; spent never exceeds
 * paid + unpaidLimit nor the deposit; one request id is charged once. A state that is the same object as before
 * needs no writing.
 */
export function accountReducer(state: AccountState, event: AccountEvent, rules: AccountRules): AccountStep {
  switch (event.type) {
    case 'channel':
      return channelChanged(state, event.channel)
    case 'voucher':
      return voucherCame(state, event.voucher)
    case 'tick':
      return tickCame(state, event.tick)
    case 'charge':
      return charge(state, event.requestId, event.price, event.epoch, rules)
  }
}

function refuse(state: AccountState, code: ErrorCode): AccountStep {
  return { state, effects: [{ type: 'refused', code }] }
}

function channelChanged(state: AccountState, channel: AccountChannel): AccountStep {
  if (state.channel !== undefined && state.channel.id !== channel.id)
    return refuse(state, 'PAYMENT_CHANNEL_MISMATCH')
  return { state: { ...state, channel }, effects: [{ type: 'account' }] }
}

function voucherCame(state: AccountState, voucher: SignedVoucher): AccountStep {
  const fault = voucherFault(state, voucher)
  if (fault !== undefined) return refuse(state, fault)
  if (isNewest(state, voucher)) return { state, effects: [{ type: 'account' }] }
  const tick = { index: 0, preimage: hexToBytes(voucher.tickAnchor, 32) }
  return { state: { ...state, voucher, tick }, effects: [{ type: 'account' }] }
}

function tickCame(state: AccountState, tick: Tick): AccountStep {
  const { channel, voucher, tick: known } = state
  if (channel === undefined) return refuse(state, 'PAYMENT_NO_CHANNEL')
  if (channel.status === 'closed') return refuse(state, 'PAYMENT_CHANNEL_CLOSED')
  if (voucher === undefined || voucher.tickAnchor === NO_TICKS || voucher.tickValue === 0n) {
    return refuse(state, 'PAYMENT_TICK_UNEXPECTED')
  }
  if (tick.index > MAX_TICKS) return refuse(state, 'PAYMENT_TICKS_EXHAUSTED')
  if (tick.index === known.index && equalBytes(tick.preimage, known.preimage)) {
    return { state, effects: [{ type: 'account' }] }
  }
  if (tick.index <= known.index) return refuse(state, 'PAYMENT_TICK_NOT_GROWING')
  if (voucher.cumulative + BigInt(tick.index) * voucher.tickValue > channel.deposit) {
    return refuse(state, 'PAYMENT_EXCEEDS_DEPOSIT')
  }
  if (!verifyTick(known, tick)) return refuse(state, 'PAYMENT_TICK_INVALID')
  return { state: { ...state, tick }, effects: [{ type: 'account' }] }
}

function charge(
  state: AccountState,
  requestId: string,
  price: bigint,
  epoch: bigint,
  rules: AccountRules,
): AccountStep {
  if (requestId.length === 0 || requestId.length > MAX_REQUEST_ID_CHARS) {
    return refuse(state, 'PAYMENT_REQUEST_ID_INVALID')
  }
  const known = state.requests.find(({ id }) => id === requestId)
  if (known !== undefined) return repeat(state, known)
  const freeUsed = epoch > state.free.epoch ? 0 : state.free.used
  if (price === 0n || freeUsed < rules.freeRequests)
    return serveFree(state, requestId, price, epoch, freeUsed)
  const fault = chargeFault(state, price, rules)
  const total = state.spent + price
  if (fault !== undefined) {
    return { state, effects: [{ type: 'paymentRequired', requestId, total, code: fault }] }
  }
  const next = remember(
    { ...state, spent: total },
    { id: requestId, charged: price, free: false, repeats: 0 },
  )
  const charged: AccountEffect = { type: 'charged', requestId, charged: price, free: false, repeated: false }
  const due: AccountEffect[] = becomesDue(state, next, rules) ? [{ type: 'voucherDue', total }] : []
  return { state: next, effects: [charged, ...due] }
}

function repeat(state: AccountState, known: ChargedRequest): AccountStep {
  if (known.repeats >= MAX_REPEATS) return refuse(state, 'PAYMENT_REQUEST_REPEATED')
  const requests = state.requests.map((other) =>
    other === known ? { ...known, repeats: known.repeats + 1 } : other,
  )
  const { id: requestId, charged, free } = known
  return {
    state: { ...state, requests },
    effects: [{ type: 'charged', requestId, charged, free, repeated: true }],
  }
}

function serveFree(
  state: AccountState,
  id: string,
  price: bigint,
  epoch: bigint,
  freeUsed: number,
): AccountStep {
  const newest = epoch > state.free.epoch ? epoch : state.free.epoch
  const free = price === 0n ? state.free : { epoch: newest, used: freeUsed + 1 }
  return {
    state: remember({ ...state, free }, { id, charged: 0n, free: true, repeats: 0 }),
    effects: [{ type: 'charged', requestId: id, charged: 0n, free: true, repeated: false }],
  }
}

function remember(state: AccountState, request: ChargedRequest): AccountState {
  return { ...state, requests: [...state.requests.slice(1 - REQUEST_WINDOW), request] }
}

/** True when this charge takes the debt over the mark at which a voucher is asked for. */
function becomesDue(before: AccountState, after: AccountState, { unpaidLimit }: AccountRules): boolean {
  const mark = unpaidLimit / VOUCHER_DUE_FRACTION
  const debt = (state: AccountState) => state.spent - paidTotal(state)
  return debt(after) > 0n && debt(after) >= mark && (debt(before) < mark || debt(before) <= 0n)
}
