/** An EIP-1193 provider over HTTP for Ignition, which signs itself when it is given a key. */
import type { EIP1193Provider } from '@nomicfoundation/ignition-core'
import {
  createPublicClient,
  createWalletClient,
  type Hex,
  http,
  numberToHex,
  type TransactionRequest,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

/** How often viem looks for a receipt or a block, milliseconds: development chains mine at once. */
const POLLING_INTERVAL_MS = 100

type Quantity = Hex | undefined
type RpcTransaction = {
  to?: Hex
  data?: Hex
  value?: Quantity
  gas?: Quantity
  nonce?: Quantity
  gasPrice?: Quantity
  maxFeePerGas?: Quantity
  maxPriorityFeePerGas?: Quantity
}

const big = (quantity: Quantity): bigint | undefined =>
  quantity === undefined ? undefined : BigInt(quantity)

/** What a wallet client takes, of what `eth_sendTransaction` takes. */
function toRequest(tx: RpcTransaction): TransactionRequest {
  const fees =
    tx.gasPrice === undefined
      ? { maxFeePerGas: big(tx.maxFeePerGas), maxPriorityFeePerGas: big(tx.maxPriorityFeePerGas) }
      : { gasPrice: big(tx.gasPrice) }
  return {
    to: tx.to,
    data: tx.data,
    value: big(tx.value),
    gas: big(tx.gas),
    nonce: tx.nonce === undefined ? undefined : Number(tx.nonce),
    ...fees,
  } as TransactionRequest
}

/**
 * @param rpcUrl HTTP endpoint.
 * @param privateKey Signs every transaction; without it the endpoint's own first account does.
 */
export function createProvider(rpcUrl: string, privateKey?: Hex): EIP1193Provider {
  const transport = http(rpcUrl)
  const client = createPublicClient({ transport, pollingInterval: POLLING_INTERVAL_MS })
  const forward: EIP1193Provider = { request: (args) => client.request(args as never) }
  if (privateKey === undefined) return forward

  const account = privateKeyToAccount(privateKey)
  const wallet = createWalletClient({ account, transport })
  return {
    request: async (args) => {
      if (args.method === 'eth_accounts') return [account.address]
      if (args.method !== 'eth_sendTransaction') return forward.request(args)
      const [tx] = args.params as [RpcTransaction]
      const chainId = numberToHex(await client.getChainId())
      const request = await wallet.prepareTransactionRequest({
        ...toRequest(tx),
        chain: null,
        chainId: Number(chainId),
      } as never)
      const serialized = await account.signTransaction(request as never)
      return forward.request({ method: 'eth_sendRawTransaction', params: [serialized] })
    },
  }
}
