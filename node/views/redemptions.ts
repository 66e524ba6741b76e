import { decodeCursor, encodeCursor } from '../api/index.ts'
import type { PaymentsView, Redemption } from '../api/types.ts'
import { BATCH_GAS, CLAIM_GAS } from '../chain/constants.ts'
import type { StoredTransaction } from '../chain/transaction-store.ts'
import { counted } from '../operator/text.ts'
import type { RedemptionRecord, RedemptionState } from '../payments/index.ts'
import { type ChainReadings, isConnected } from './chain-readings.ts'
import { type Reason, reasonOf } from './reasons.ts'
import type { NodeParts } from './types.ts'

export type RedemptionsParts = {
  chain: { follower: Pick<NodeParts['chain']['follower'], 'status'>; transactions: TransactionReader }
  payments: Pick<NodeParts['payments'], 'redemptions' | 'findRedemption'>
}

type TransactionReader = Pick<NodeParts['chain']['transactions'], 'get'>

/** Redemptions as the API shows them: the ledger's record with its transaction. */
export type Redemptions = {
  show(record: RedemptionRecord): Promise<Redemption>
  get: PaymentsView['redemption']
  list: PaymentsView['redemptions']
  /** What claiming so many channels would cost now, wei; null while the chain is away. */
  estimate(claims: number): Promise<bigint | null>
}

export function createRedemptions(
  { chain, payments }: RedemptionsParts,
  { operator }: Pick<ChainReadings, 'operator'>,
): Redemptions {
  const estimate = async (claims: number): Promise<bigint | null> => {
    const state = isConnected(chain) ? await operator.get() : undefined
    return state ? claimGas(claims) * state.gasPrice : null
  }

  const show = async (record: RedemptionRecord): Promise<Redemption> => {
    const transaction = await chain.transactions.get(record.id)
    const open = record.state === 'proposed' || record.state === 'approved'
    const fee = feeOf(transaction) ?? (open ? await estimate(record.items.length) : noFee(transaction))
    return toRedemption(record, transaction, fee)
  }

  return {
    show,
    estimate,
    async get(id) {
      const record = await payments.findRedemption(id)
      return record && show(record)
    },
    async list({ state, cursor, limit }) {
      const states = state === undefined ? undefined : RECORD_STATES[state]
      const before = cursor === undefined ? {} : { before: decodeCursor(cursor) }
      const found = await payments.redemptions({ ...before, limit: limit + 1, ...(states && { states }) })
      const shown = found.slice(0, limit)
      const items = await Promise.all(shown.map(show))
      const last = shown.at(-1)
      return {
        items: items.filter((item) => state === undefined || item.state === state),
        nextCursor: last && found.length > limit ? encodeCursor(last.id) : null,
      }
    },
  }
}

/** Which records may be shown in a state; whether an approved one was sent is seen from its transaction. */
const RECORD_STATES: Readonly<Record<Redemption['state'], readonly RedemptionState[]>> = {
  proposed: ['proposed'],
  approved: ['approved'],
  sent: ['approved'],
  confirmed: ['done'],
  failed: ['failed'],
  rejected: ['rejected'],
}

/** A redemption of the ledger with its transaction, if it was sent. */
export function toRedemption(
  record: RedemptionRecord,
  transaction: StoredTransaction | undefined,
  fee: bigint | null,
): Redemption {
  const { id, createdMs, items, txHash } = record
  return {
    id,
    state: stateOf(record, transaction),
    createdAt: createdMs,
    channels: items.map(({ channelId, amount }) => ({ id: channelId, amount })),
    amount: items.reduce((sum, { amount }) => sum + amount, 0n),
    closes: record.closes === true,
    fee,
    transaction: txHash ?? transaction?.txHash ?? transaction?.attempts.at(-1)?.hash ?? null,
    block: transaction?.blockNumber === undefined ? null : BigInt(transaction.blockNumber),
    reason: whyOf(record),
  }
}

/** Gas of a batch with so many claims. */
function claimGas(claims: number): bigint {
  return claims === 0 ? 0n : BATCH_GAS + BigInt(claims) * CLAIM_GAS
}

function stateOf(
  { state }: RedemptionRecord,
  transaction: StoredTransaction | undefined,
): Redemption['state'] {
  if (state === 'done') return 'confirmed'
  return state === 'approved' && transaction ? 'sent' : state
}

/** What was paid for a mined transaction, wei. */
function feeOf(transaction: StoredTransaction | undefined): bigint | undefined {
  const { gasUsed, gasPrice } = transaction ?? {}
  return gasUsed === undefined || gasPrice === undefined ? undefined : gasUsed * gasPrice
}

/** Of an ended redemption: what was never sent cost nothing. */
function noFee(transaction: StoredTransaction | undefined): bigint | null {
  return transaction ? null : 0n
}

function whyOf({ state, reason, items }: RedemptionRecord): Reason | null {
  if (state === 'failed') return reasonOf('CHAIN_REVERTED', reason)
  if (state === 'rejected') return reasonOf('PAYMENT_REDEMPTION_REJECTED', reason)
  if (state !== 'done') return null
  const refused = items.filter(({ status }) => status !== 'settled')
  if (refused.length === 0) return null
  const names = [...new Set(refused.map((item) => item.reason ?? 'unknown'))].join(', ')
  return reasonOf(
    'CHAIN_REVERTED',
    `${refused.length} of ${counted(items.length, 'claim')} not honoured: ${names}`,
  )
}
