import type { ErrorCode } from '../errors/index.ts'

/**
 * A channel's life as one of its parties sees it: none → open → (closing →) closed. Amounts are base units since
 * it was opened.
 */
export type ChannelLife = {
  readonly status: 'none' | 'open' | 'closing' | 'closed'
  readonly deposit: bigint
  /** Claimed on chain, the burnt share included. */
  readonly settled: bigint
  /** When the payer may withdraw, Unix seconds; 0 unless closing. */
  readonly closeAt: bigint
  /** The largest total that the payee holds a voucher for. */
  readonly earned: bigint
  /** The largest total that was asked to be redeemed at once. */
  readonly urged: bigint
}

export type ChannelEvent =
  | { readonly type: 'opened'; readonly deposit: bigint }
  /** `deposit` is the new total. */
  | { readonly type: 'toppedUp'; readonly deposit: bigint }
  /** `settled` is the new total. */
  | { readonly type: 'settled'; readonly settled: bigint }
  | { readonly type: 'closeRequested'; readonly closeAt: bigint }
  /** The payee closed, or the payer withdrew. */
  | { readonly type: 'closed' }
  /** The payer promised this total by voucher and ticks. */
  | { readonly type: 'earned'; readonly total: bigint }
  | { readonly type: 'time'; readonly now: bigint }
  /** The contract's state, read again: after a reorganisation, a restart or a missed event. */
  | {
      readonly type: 'read'
      readonly channel: Pick<ChannelLife, 'status' | 'deposit' | 'settled' | 'closeAt'>
    }

export type ChannelEffect =
  /** For the payee: redeem this total now, the payer is leaving. */
  | { readonly type: 'redeem'; readonly total: bigint }
  /** For the payer: the thaw is over. */
  | { readonly type: 'withdraw' }
  /** The channel closed with this much earned and not settled. */
  | { readonly type: 'lost'; readonly amount: bigint }
  /** The event does not fit: read the channel again. */
  | { readonly type: 'refused'; readonly code: ErrorCode }

export type ChannelStep = { readonly state: ChannelLife; readonly effects: readonly ChannelEffect[] }

/** A channel of which nothing is known. */
export const NO_CHANNEL: ChannelLife = {
  status: 'none',
  deposit: 0n,
  settled: 0n,
  closeAt: 0n,
  earned: 0n,
  urged: 0n,
}

/**
 * The rule of one channel. Holds between two `read`s: deposit, settled and earned never fall, settled and earned
 * stay within the deposit, closed is final.
 */
export function channelReducer(state: ChannelLife, event: ChannelEvent): ChannelStep {
  switch (event.type) {
    case 'opened':
      return when(state.status === 'none' && event.deposit > 0n, state, {
        status: 'open',
        deposit: event.deposit,
      })
    case 'toppedUp':
      return when(state.status === 'open' && event.deposit > state.deposit, state, { deposit: event.deposit })
    case 'settled':
      return settled(state, event.settled)
    case 'closeRequested':
      return when(state.status === 'open', state, { status: 'closing', closeAt: event.closeAt })
    case 'closed':
      return closed(state)
    case 'earned':
      return when(isLive(state) && event.total <= state.deposit && event.total >= state.earned, state, {
        earned: event.total,
      })
    case 'time':
      return time(state, event.now)
    case 'read':
      return urge({ ...state, ...event.channel, urged: 0n })
  }
}

function isLive({ status }: ChannelLife): boolean {
  return status === 'open' || status === 'closing'
}

function refuse(state: ChannelLife): ChannelStep {
  return { state, effects: [{ type: 'refused', code: 'PAYMENT_EVENT_UNEXPECTED' }] }
}

function when(fits: boolean, state: ChannelLife, change: Partial<ChannelLife>): ChannelStep {
  return fits ? urge({ ...state, ...change }) : refuse(state)
}

function settled(state: ChannelLife, total: bigint): ChannelStep {
  const fits = isLive(state) && total > state.settled && total <= state.deposit
  // Somebody else may hold a newer voucher than this process: what was settled was earned.
  const earned = total > state.earned ? total : state.earned
  return when(fits, state, { settled: total, earned })
}

function closed(state: ChannelLife): ChannelStep {
  if (!isLive(state)) return refuse(state)
  const amount = state.earned - state.settled
  return {
    state: { ...state, status: 'closed', closeAt: 0n },
    effects: amount > 0n ? [{ type: 'lost', amount }] : [],
  }
}

function time(state: ChannelLife, now: bigint): ChannelStep {
  const over = state.status === 'closing' && now >= state.closeAt
  return { state, effects: over ? [{ type: 'withdraw' }] : [] }
}

/** Asks once for each total that a closing channel owes. */
function urge(state: ChannelLife): ChannelStep {
  const owed = state.status === 'closing' && state.earned > state.settled && state.earned > state.urged
  if (!owed) return { state, effects: [] }
  return { state: { ...state, urged: state.earned }, effects: [{ type: 'redeem', total: state.earned }] }
}
