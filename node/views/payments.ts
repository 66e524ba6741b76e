import type { PaymentsSummary, PaymentsView } from '../api/types.ts'
import type { RedemptionState } from '../payments/index.ts'
import { asOfChain, type ChainReadings, isConnected, isGasLow } from './chain-readings.ts'
import { MAX_OPEN_REDEMPTIONS } from './constants.ts'
import { createLedgerList } from './ledger.ts'
import type { Redemptions } from './redemptions.ts'
import type { NodeParts } from './types.ts'

type PaymentsParts = Pick<NodeParts, 'config'> & {
  chain: Pick<NodeParts['chain'], 'follower' | 'settlements' | 'slashings' | 'sender'>
  payments: Pick<NodeParts['payments'], 'figures' | 'redemptions'>
}

export function createPaymentsView(
  parts: PaymentsParts,
  readings: Pick<ChainReadings, 'operator'>,
  redemptions: Pick<Redemptions, 'get' | 'list'>,
): PaymentsView {
  const { chain, payments, config } = parts
  return {
    async summary() {
      const gas = await gasOf(parts, readings)
      const queue = await queueOf(payments)
      const { earned, spent, unpaid, redeemed, pending, lost, redeemable, channels, requests } =
        payments.figures()
      const { paid, free, refused } = requests
      return {
        mode: config.redeem.mode,
        asOf: asOfChain(chain),
        earned,
        spent,
        redeemed,
        burnt: chain.settlements.all().reduce((sum, { burnt }) => sum + burnt, 0n),
        pending,
        lost,
        redeemable,
        unpaid,
        unpaidLimit: config.unpaidLimit,
        queue,
        channels,
        requests: { paid, free, refused },
        gas,
      }
    },
    ledger: createLedgerList(parts),
    redemptions: redemptions.list,
    redemption: redemptions.get,
  }
}

async function gasOf(
  { chain }: Pick<PaymentsParts, 'chain'>,
  { operator }: Pick<ChainReadings, 'operator'>,
): Promise<PaymentsSummary['gas']> {
  const state = isConnected(chain) ? await operator.get() : undefined
  return state ? { balance: state.ether, price: state.gasPrice, low: isGasLow(state) } : null
}

/** Redemptions that have not ended; their number is bounded by the channels, each of which is in one at most. */
async function queueOf({ redemptions }: PaymentsParts['payments']): Promise<PaymentsSummary['queue']> {
  const sumOf = async (state: RedemptionState) => {
    const found = await redemptions({ limit: MAX_OPEN_REDEMPTIONS, states: [state] })
    const items = found.flatMap((redemption) => redemption.items)
    return { count: found.length, amount: items.reduce((sum, { amount }) => sum + amount, 0n) }
  }
  return { proposed: await sumOf('proposed'), sending: await sumOf('approved') }
}
