import { paymentChannelsAbi, postTokenAbi, rlnMembershipAbi } from '@postrider/contracts'
import type { Network } from '@postrider/protocol/network'
import type { Address } from '@postrider/protocol/wire'
import {
  type Chain,
  createPublicClient,
  createWalletClient,
  defineChain,
  type LocalAccount,
  type PublicClient,
  type WalletClient,
} from 'viem'
import { type Clock, systemClock } from '../core/clock.ts'
import { createMutex } from '../core/mutex.ts'
import { DEFAULT_MAX_FEE_PER_GAS, POLL_INTERVAL_MS } from './constants.ts'
import { guard, tokensMissing } from './errors.ts'
import { type Permit, signPermit } from './permit.ts'
import { createRpcTransport } from './reader.ts'
import { createSender } from './sender.ts'
import type { ChainWriter } from './types.ts'

export type ChainWriterOptions = {
  /** Most wei paid for one unit of gas; `DEFAULT_MAX_FEE_PER_GAS` when absent. */
  maxFeePerGas?: bigint
  clock?: Clock
}

export type Clients = Required<ChainWriterOptions> & {
  rpc: PublicClient
  wallet: WalletClient
  account: LocalAccount
  chain: Chain
  /** Aborts when nobody waits for transactions any more. */
  closing: AbortSignal
}

/** Sends the transactions of one account. `account` is a viem account that signs locally. */
export function createChainWriter(
  network: Network,
  account: LocalAccount,
  options: ChainWriterOptions = {},
): ChainWriter {
  const closing = new AbortController()
  const clients = { ...createClients(network, account, options), closing: closing.signal }
  const channels = { address: network.contracts.paymentChannels, abi: paymentChannelsAbi } as const
  const group = { address: network.contracts.rlnMembership, abi: rlnMembershipAbi } as const
  const owner = account.address
  const turn = createMutex()
  const { send, conclude } = createSender(clients)
  // One transaction at a time, mined before the next: a permit is bound to the nonce after the last one.
  const alone = (task: () => Promise<void>) => turn.run(task)
  const funded = (spender: Address, value: bigint, task: (permit?: Permit) => Promise<void>) =>
    turn.run(async () => task(await permitIfNeeded(clients, network, spender, value)))

  return {
    address: owner,
    openChannel: ({ payee, signer, salt }, amount, keep) =>
      funded(channels.address, amount, (permit) =>
        permit
          ? send(
              { ...channels, functionName: 'openWithPermit', args: [payee, signer, salt, amount, permit] },
              keep,
            )
          : send({ ...channels, functionName: 'open', args: [payee, signer, salt, amount] }, keep),
      ),
    topUpChannel: (channelId, amount, keep) =>
      funded(channels.address, amount, (permit) =>
        permit
          ? send({ ...channels, functionName: 'topUpWithPermit', args: [channelId, amount, permit] }, keep)
          : send({ ...channels, functionName: 'topUp', args: [channelId, amount] }, keep),
      ),
    requestClose: (descriptor) =>
      alone(() => send({ ...channels, functionName: 'requestClose', args: [descriptor] })),
    withdrawChannel: (descriptor) =>
      alone(() => send({ ...channels, functionName: 'withdraw', args: [descriptor] })),
    withdrawRefund: () => alone(() => send({ ...channels, functionName: 'withdrawRefund', args: [owner] })),
    registerMember: (commitment, limit, cost, keep) =>
      funded(group.address, cost, (permit) =>
        permit
          ? send(
              { ...group, functionName: 'registerWithPermit', args: [commitment, limit, owner, permit] },
              keep,
            )
          : send({ ...group, functionName: 'register', args: [commitment, limit, owner] }, keep),
      ),
    leaveGroup: (commitment) =>
      alone(() => send({ ...group, functionName: 'leaveGroup', args: [commitment] })),
    withdrawMember: (commitment) =>
      alone(() => send({ ...group, functionName: 'withdraw', args: [commitment] })),
    conclude: (transaction, keep) => turn.run(() => conclude(transaction, keep)),
    close: () => closing.abort(),
  }
}

function createClients(
  network: Network,
  account: LocalAccount,
  { maxFeePerGas = DEFAULT_MAX_FEE_PER_GAS, clock = systemClock }: ChainWriterOptions,
): Omit<Clients, 'closing'> {
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
    chain,
    maxFeePerGas,
    clock,
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
  return guard('allowance', async () => {
    const [balance, allowance] = await Promise.all([
      rpc.readContract({ ...contract, functionName: 'balanceOf', args: [account.address] }),
      rpc.readContract({ ...contract, functionName: 'allowance', args: [account.address, spender] }),
    ])
    if (balance < value) throw tokensMissing(account.address, token, balance, value)
    if (allowance >= value) return undefined
    // The chain's clock, not ours: it decides when the permit is void.
    const { timestamp } = await rpc.getBlock()
    const permit = await signPermit(clients, { token, spender, value, nowSeconds: timestamp })
    if (!permit) {
      await createSender(clients).send({ ...contract, functionName: 'approve', args: [spender, value] })
    }
    return permit
  })
}
