/** Postrider's contracts on an in-process chain, with a helper that sends a call and says what it cost. */
import hre from 'hardhat'
import {
  type Abi,
  type Address,
  createPublicClient,
  createWalletClient,
  custom,
  type EIP1193Provider,
  encodeDeployData,
  type Hex,
} from 'viem'
import { nodeRegistryAbi, paymentChannelsAbi, postTokenAbi, rlnMembershipAbi } from '../../abi/index.ts'
import { DEVNET_PARAMETERS as P } from '../../ignition/parameters.ts'
import { ensureBuilt, readArtifact } from '../artifacts.ts'

const MAX_UINT256 = 2n ** 256n - 1n

/** Enough for everything that is measured, base units. */
const BALANCE = 10n ** 24n

export type Contracts = { token: Address; channels: Address; registry: Address; membership: Address }

export type GasChain = Contracts & {
  readonly chainId: number
  readonly accounts: {
    readonly deployer: Address
    readonly payer: Address
    readonly payee: Address
    readonly other: Address
  }
  /** Sends a call, requires that it succeeds, and returns the gas used by the transaction. */
  send(from: Address, to: Address, abi: Abi, functionName: string, args: readonly unknown[]): Promise<number>
  /** Gas of each deployment. */
  readonly deployments: Readonly<Record<string, number>>
  /** Lets time pass and mines a block. */
  pass(seconds: number): Promise<void>
  /** Lets a contract send transactions. */
  impersonate(account: Address): Promise<void>
  close(): Promise<void>
}

/** Puts library addresses where the compiler left gaps. */
async function linked(
  name: string,
  libraries: Record<string, Address>,
): Promise<{ abi: Abi; bytecode: Hex }> {
  const { abi, bytecode, linkReferences } = await readArtifact(name)
  let code = bytecode
  for (const byName of Object.values(linkReferences)) {
    for (const [library, places] of Object.entries(byName)) {
      for (const { start, length } of places) {
        const from = 2 + 2 * start
        code = `${code.slice(0, from)}${libraries[library]?.slice(2)}${code.slice(from + 2 * length)}`
      }
    }
  }
  return { abi: abi as Abi, bytecode: code as Hex }
}

export async function startGasChain(): Promise<GasChain> {
  await ensureBuilt()
  const connection = await hre.network.create()
  const provider = connection.provider
  const transport = custom(provider as unknown as EIP1193Provider)
  const client = createPublicClient({ transport, pollingInterval: 1 })
  const wallet = createWalletClient({ transport })
  const [deployer, payer, payee, other] = (await wallet.getAddresses()) as [
    Address,
    Address,
    Address,
    Address,
  ]

  const confirmed = async (hash: Hex) => {
    const receipt = await client.waitForTransactionReceipt({ hash })
    if (receipt.status !== 'success') throw new Error(`transaction ${hash} reverted`)
    return { gas: Number(receipt.gasUsed), address: receipt.contractAddress as Address }
  }
  const deployments: Record<string, number> = {}
  const create = async (name: string, args: readonly unknown[], libraries: Record<string, Address> = {}) => {
    const { abi, bytecode } = await linked(name, libraries)
    const data = encodeDeployData({ abi, bytecode, args })
    const { gas, address } = await confirmed(
      await wallet.sendTransaction({ account: deployer, data, chain: null }),
    )
    deployments[name] = gas
    return address
  }
  const send: GasChain['send'] = async (from, to, abi, functionName, args) => {
    const call = { account: from, address: to, abi, functionName, args, chain: null }
    return (await confirmed(await wallet.writeContract(call as never))).gas
  }

  const token = await create('PostToken', [])
  const registry = await create('NodeRegistry', [token, P.minStake, P.unbondingSeconds, P.stakeSlashBurnBps])
  const channels = await create('PaymentChannels', [token, P.thawSeconds, P.settlementBurnBps])
  const PoseidonT2 = await create('PoseidonT2', [])
  const membership = await create(
    'RlnMembership',
    [token, P.pricePerMessage, P.registrationBurnBps, P.membershipSlashBurnBps, P.freezeSeconds],
    { PoseidonT2 },
  )
  // Warm balances and allowances: the steady state, not somebody's first day.
  for (const account of [payer, payee, other, channels, registry, membership]) {
    await send(deployer, token, postTokenAbi as Abi, 'faucet', [account, BALANCE])
  }
  for (const owner of [payer, payee, other]) {
    for (const spender of [channels, registry, membership]) {
      await send(owner, token, postTokenAbi as Abi, 'approve', [spender, MAX_UINT256])
    }
  }
  return {
    token,
    channels,
    registry,
    membership,
    chainId: await client.getChainId(),
    accounts: { deployer, payer, payee, other },
    send,
    deployments,
    pass: async (seconds) => {
      await provider.request({ method: 'evm_increaseTime', params: [seconds] })
      await provider.request({ method: 'hardhat_mine', params: ['0x1'] })
    },
    impersonate: async (account) => {
      await provider.request({ method: 'hardhat_impersonateAccount', params: [account] })
      await provider.request({ method: 'hardhat_setBalance', params: [account, '0xde0b6b3a7640000'] })
    },
    close: () => connection.close(),
  }
}

export const ABIS = {
  token: postTokenAbi as Abi,
  channels: paymentChannelsAbi as Abi,
  registry: nodeRegistryAbi as Abi,
  membership: rlnMembershipAbi as Abi,
}
