import { callOf } from '../../chain/contracts.ts'
import { failed, ok } from '../../operator/checks.ts'
import type { Plan } from '../../operator/plan.ts'
import { parseAddress } from '../chain.ts'
import type { Cli, Outcome } from '../cli.ts'
import type { SendOptions } from '../command.ts'
import { type ChainContext, withChain } from '../context.ts'
import { carryOut } from '../plan.ts'
import { fields } from '../render.ts'

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** Shows where settlements are paid, or sets it once. */
export function payout(cli: Cli, address: string | undefined, options: SendOptions): Promise<Outcome> {
  return withChain(cli, async (context) => {
    if (address === undefined) return showPayout(cli, context)
    return carryOut(
      cli,
      context,
      await payoutPlan(context, parseAddress(address, 'the payout address')),
      options,
    )
  })
}

async function showPayout({ style }: Cli, { chain, account }: ChainContext): Promise<Outcome> {
  const address = await chain.payoutOf(account)
  const cold = !isSame(address, account)
  const note = cold ? '' : style.yellow(' (the hot account: name a cold one)')
  return {
    data: { account, payout: address, cold },
    text: fields(style, [['earnings go to', `${address}${note}`]]),
  }
}

async function payoutPlan({ chain, account }: ChainContext, address: `0x${string}`): Promise<Plan> {
  const present = await chain.payoutOf(account)
  const done = isSame(present, address)
  return {
    action: 'rewards payout',
    checks: [
      done || isSame(present, account)
        ? ok('present payout', present)
        : failed(
            'present payout',
            `${present}: only its own key can change it now`,
            'send the change from that account',
          ),
      isSame(address, account)
        ? failed('new payout', 'it is the hot account itself', 'name a cold address')
        : ok('new payout', 'another account than the hot one'),
    ],
    steps: done
      ? []
      : [
          {
            label: `set the payout address to ${address}`,
            call: callOf(chain.network, 'paymentChannels', 'setPayoutAddress', [account, address]),
          },
        ],
    effects: [`settlements are paid to ${address}`, 'from then on only that address can change it'],
    details: { payout: address },
  }
}
