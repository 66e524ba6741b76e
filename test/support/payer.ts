// A payer with a real channel, in the hands of a test: it signs whatever the test wants.
import type { PaymentDomain } from '@postrider/protocol/payment'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { createChainWriter } from '../../client/chain/writer.ts'
import type { Devnet } from '../../devnet/network.ts'
import type { Operator } from '../../devnet/operators.ts'
import { POST } from '../../devnet/treasury.ts'
import { createPayer, type Payer } from '../../node/payments/testing/kit.ts'

export type ChannelPayer = Payer & {
  /** The same keys, signing for another chain, contract or payee. */
  elsewhere(change: Partial<PaymentDomain>): Payer
}

/** Opens a channel to the node. */
export async function openChannelTo(
  { devchain: { network }, treasury }: Devnet,
  node: Operator,
  { name, deposit }: { name: string; deposit: bigint },
): Promise<ChannelPayer> {
  const account = privateKeyToAccount(generatePrivateKey())
  await treasury.grant(account.address, POST)
  const { paymentChannels, token } = network.contracts
  const domain = { chainId: network.chainId, contract: paymentChannels, token }
  const parties = { payee: node.account, payer: account.address }
  const payer = createPayer(name, { domain, ...parties })
  await createChainWriter(network, account).openChannel(payer.descriptor, deposit)
  return {
    ...payer,
    elsewhere: (change) => createPayer(name, { domain: { ...domain, ...change }, ...parties }),
  }
}
