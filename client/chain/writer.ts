import { paymentChannelsAbi, postTokenAbi, rlnMembershipAbi } from '@postrider/contracts'
import type { Network } from '@postrider/protocol/network'
import type { Address } from '@postrider/protocol/wire'
import {
  type Abi,
  type Account,
  type ContractFunctionName,
  type ContractFunctionParameters,
  createPublicClient,
  createWalletClient,
  defineChain,
  type PublicClient,
  type SimulateContractParameters,
  type WalletClient,
  type WriteContractParameters,
} from 'viem'
import { createMutex } from '../core/mutex.ts'
import { POLL_INTERVAL_MS, TRANSACTION_TIMEOUT_MS } from './constants.ts'
import { failed, toChainError } from './errors.ts'
import { type Permit, signPermit } from './permit.ts'
import { createRpcTransport } from './reader.ts'
import type { ChainWriter } from './types.ts'

type Clients = { rpc: PublicClient; wallet: WalletClient; account: Account }

/** Sends the transactions of one account. `account` is a viem account that signs locally. */
export function createChainWriter(network: Network, account: Account): ChainWriter {
  const clients = createClients(network, account)
  const channels = { address: network.contracts.paymentChannels, abi: paymentChannelsAbi } as const
  const group = { address: network.contracts.rlnMembership, abi: rlnMembershipAbi } as const
  const owner = account.address
  const turn = createMutex()
  const send = createSender(clients)
  // One transaction at a time, mined before the next: a permit is bound to the nonce after the last one.
  const alone = (task: () => Promise<void>) => turn.run(task)
  const funded = (spender: Address, value: bigint, task: (permit?: Permit) => Promise<void>) =>
    turn.run(async () => task(await permitIfNeeded(clients, network, spender, value)))

  return {
    address: owner,
    openChannel: ({ payee, signer, salt }, amount) =>
      funded(channels.address, amount, (permit) =>
        permit
          ? send({ ...channels, functionName: 'openWithPermit', args: [payee, signer, salt, amount, permit] })
          : send({ ...channels, functionName: 'open', args: [payee, signer, salt, amount] }),
      ),
    topUpChannel: (channelId, amount) =>
      funded(channels.address, amount, (permit) =>
        permit
          ? send({ ...channels, functionName: 'topUpWithPermit', args: [channelId, amount, permit] })
          : send({ ...channels, functionName: 'topUp', args: [channelId, amount] }),
      ),
    requestClose: (descriptor) =>
      alone(() => send({ ...channels, functionName: 'requestClose', args: [descriptor] })),
    withdrawChannel: (descriptor) =>
      alone(() => send({ ...channels, functionName: 'withdraw', args: [descriptor] })),
    withdrawRefund: () => alone(() => send({ ...channels, functionName: 'withdrawRefund', args: [owner] })),
    registerMember: (commitment, limit, cost) =>
      funded(group.address, cost, (permit) =>
        permit
          ? send({ ...group, functionName: 'registerWithPermit', args: [commitment, limit, owner, permit] })
          : send({ ...group, functionName: 'register', args: [commitment, limit, owner] }),
      ),
    leaveGroup: (commitment) =>
      alone(() => send({ ...group, functionName: 'leaveGroup', args: [commitment] })),
    withdrawMember: (commitment) =>
      alone(() => send({ ...group, functionName: 'withdraw', args: [commitment] })),
  }
}

function createClients(network: Network, account: Account): Clients {
  const chain = defineChain({
    id: network.chainId,
    name: network.name,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: network.rpcUrls } },
  })
  const shared = { chain, transport: createRpcTransport(network), pollingInterval: POLL_INTERVAL_MS }
  return {
    rpc: createPublicClient({ ...shared, cacheTime: 0 }),
    wallet: createWalletClient({ ...shared, account }),
    account,
  }
}

/** Simulates first, so that a refusal names the contract's error and costs no gas; then sends and waits. */
function createSender({ rpc, wallet, account }: Clients) {
  return async <const abi extends Abi, name extends ContractFunctionName<abi, 'nonpayable'>>(
    call: ContractFunctionParameters<abi, 'nonpayable', name>,
  ): Promise<void> => {
    const name: string = call.functionName
    try {
      const parameters = { ...call, account, chain: wallet.chain } as unknown
      await rpc.simulateContract(parameters as SimulateContractParameters)
      const hash = await wallet.writeContract(parameters as WriteContractParameters)
      const receipt = await rpc.waitForTransactionReceipt({ hash, timeout: TRANSACTION_TIMEOUT_MS })
      if (receipt.status !== 'success') throw failed(name, 'reverted after it was sent', [hash])
    } catch (cause) {
      throw toChainError(cause, name)
    }
  }
}

async function permitIfNeeded(
  clients: Clients,
  { contracts: { token } }: Network,
  spender: Address,
  value: bigint,
): Promise<Permit | undefined> {
  const { rpc, account } = clients
  const contract = { address: token, abi: postTokenAbi } as const
  try {
    const args = [account.address, spender] as const
    const allowance = await rpc.readContract({ ...contract, functionName: 'allowance', args })
    if (allowance >= value) return undefined
    // The chain's clock, not ours: it decides when the permit is void.
    const { timestamp } = await rpc.getBlock()
    const permit = await signPermit(clients, { token, spender, value, nowSeconds: timestamp })
    if (!permit) {
      await createSender(clients)({ ...contract, functionName: 'approve', args: [spender, value] })
    }
    return permit
  } catch (cause) {
    throw toChainError(cause, 'allowance')
  }
}
