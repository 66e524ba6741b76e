import { nodeRegistryAbi, paymentChannelsAbi, postTokenAbi, rlnMembershipAbi } from '@postrider/contracts'
import type { Network } from '@postrider/protocol/network'
import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  encodeFunctionData,
  type TransactionReceipt,
} from 'viem'
import { type ChainClient, rpcErrors } from './client.ts'
import { toSendError } from './revert.ts'
import type { Sender } from './sender.ts'
import type { TransactionIntent } from './transaction-runner.ts'

const abis = {
  token: postTokenAbi,
  nodeRegistry: nodeRegistryAbi,
  paymentChannels: paymentChannelsAbi,
  rlnMembership: rlnMembershipAbi,
} as const

type Abis = typeof abis
export type ContractKey = keyof Abis & keyof Network['contracts']

type Writes<K extends ContractKey> = ContractFunctionName<Abis[K], 'nonpayable' | 'payable'>
type Reads<K extends ContractKey> = ContractFunctionName<Abis[K], 'view' | 'pure'>
type WriteArgs<K extends ContractKey, F extends Writes<K>> = ContractFunctionArgs<
  Abis[K],
  'nonpayable' | 'payable',
  F
>
type ReadArgs<K extends ContractKey, F extends Reads<K>> = ContractFunctionArgs<Abis[K], 'view' | 'pure', F>
type ReadResult<K extends ContractKey, F extends Reads<K>> = ContractFunctionReturnType<
  Abis[K],
  'view' | 'pure',
  F,
  ReadArgs<K, F>
>

const NOBODY = `0x${'00'.repeat(20)}` as const

/** A call of a contract before it has the key of one sending. */
export type ContractCall = Omit<TransactionIntent, 'key'>

/**
 * A call of a contract: `callOf(network, 'nodeRegistry', 'announceExit', [operator])`. Names, arguments and their
 * types are those of the ABI.
 */
export function callOf<K extends ContractKey, F extends Writes<K>>(
  network: Network,
  contract: K,
  functionName: F,
  args: WriteArgs<K, F>,
): ContractCall {
  const data = encodeFunctionData({
    abi: abis[contract] as Abi,
    functionName: functionName as string,
    args: args as readonly unknown[],
  })
  return { kind: functionName, to: network.contracts[contract], data }
}

/**
 * Calls a view: `readContract(client, 'token', 'balanceOf', [owner])`.
 *
 * @param block at the end of this block; the newest if absent
 * @throws PostriderError `CHAIN_REVERTED`, `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`
 */
export async function readContract<K extends ContractKey, F extends Reads<K>>(
  client: ChainClient,
  contract: K,
  functionName: F,
  args: ReadArgs<K, F>,
  block?: number,
): Promise<ReadResult<K, F>> {
  try {
    const result = await client.rpc.readContract({
      address: client.network.contracts[contract],
      abi: abis[contract] as Abi,
      functionName,
      args: args as readonly unknown[],
      ...(block !== undefined && { blockNumber: BigInt(block) }),
    })
    return result as ReadResult<K, F>
  } catch (error) {
    throw toSendError(error, NOBODY)
  }
}

/** Sends a call and waits for it; throws as `Sender.submit` does. */
export function submitCall<K extends ContractKey, F extends Writes<K>>(
  { client, sender }: { client: ChainClient; sender: Sender },
  contract: K,
  functionName: F,
  args: WriteArgs<K, F>,
  key: string,
): Promise<TransactionReceipt> {
  return sender.submit({ ...callOf(client.network, contract, functionName, args), key })
}

/** Whether a contract was there at a block: the first blocks of a young chain are older than the contracts. */
export async function isDeployed(
  client: ChainClient,
  contract: keyof typeof abis,
  block: number,
): Promise<boolean> {
  const address = client.network.contracts[contract]
  const code = await rpcErrors(client.rpc.getCode({ address, blockNumber: BigInt(block) }))
  return code !== undefined
}
