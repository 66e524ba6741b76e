import type { PaymentsSummary, PaymentsView } from '../api/types.ts'
import { asOfChain, type ChainReadings, isConnected, isGasLow } from './chain-readings.ts'
import { createLedgerList } from './ledger.ts'
import type { Redemptions } from './redemptions.ts'
import type { NodeParts } from './types.ts'

type PaymentsParts = Pick<NodeParts, 'config'> & {
  chain: Pick<NodeParts['chain'], 'follower' | 'settlements' | 'slashings' | 'sender'>
  payments: Pick<NodeParts['payments'], 'figures'>
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
      const { earned, spent, redeemed, pending, lost, redeemable, channels, requests } = payments.figures()
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
        unpaidLimit: config.unpaidLimit,
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
