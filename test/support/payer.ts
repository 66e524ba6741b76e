// A payer with a real channel, in the hands of a test: it signs whatever the test wants.
import type { PaymentDomain } from '@postrider/protocol/payment'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { createChainWriter } from '../../client/chain/writer.ts'
import { until } from '../../devnet/figures.ts'
import type { Devnet } from '../../devnet/network.ts'
import type { Operator } from '../../devnet/operators.ts'
import { POST } from '../../devnet/treasury.ts'
import { openPaymentStream, type PaymentClient } from '../../node/payments/testing/client.ts'
import { createPayer, type Payer } from '../../node/payments/testing/kit.ts'
import type { RawPeer } from './raw-peer.ts'

/** A node sees a channel after its confirmations, a block a second. */
const BIND_TIMEOUT_MS = 20_000

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

/** A payment stream on which nothing was said. */
export function openPayments({ host, connection }: RawPeer): Promise<PaymentClient> {
  return openPaymentStream(host, { libp2p: { peerId: connection.remotePeer } }, connection)
}

/** A payment stream with the channel bound, as soon as the node sees it. */
export async function bindChannel(peer: RawPeer, payer: Payer): Promise<PaymentClient> {
  let bound: PaymentClient | undefined
  await until('the node sees the channel', BIND_TIMEOUT_MS, async () => {
    const tried = await openPayments(peer)
    await tried.bind(payer, await tried.hello())
    if (await tried.next('account').catch(() => undefined)) bound = tried
    else await tried.close()
    return bound !== undefined
  })
  return bound as PaymentClient
}
