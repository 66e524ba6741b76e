import { type Abi, BaseError, ContractFunctionRevertedError, type Hex, keccak256, toHex } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EMPTY_CLAIM, nodeRegistryAbi, paymentChannelsAbi, postTokenAbi, rlnMembershipAbi } from '../index.ts'
import { type LocalChain, startLocalChain } from './support/local-chain.ts'

const SALT = keccak256(toHex('salt'))
const FAUCET_MAXIMUM = 10n ** 24n

let chain: LocalChain
beforeAll(async () => {
  chain = await startLocalChain()
})
afterAll(() => chain.stop())

/** Name and arguments of the error with which a call reverts, as a person at the CLI would be shown them. */
async function refusal(address: Hex, abi: Abi, functionName: string, args: readonly unknown[]) {
  const account = chain.accounts[1] as Hex
  try {
    await chain.client.simulateContract({ account, address, abi, functionName, args })
  } catch (error) {
    const reverted =
      error instanceof BaseError && error.walk((e) => e instanceof ContractFunctionRevertedError)
    if (reverted instanceof ContractFunctionRevertedError && reverted.data !== undefined) {
      return { name: reverted.data.errorName, args: reverted.data.args ?? [] }
    }
    throw error
  }
  throw new Error('the call did not revert')
}

describe('custom errors reach a caller with name and arguments', () => {
  test('of the token', async () => {
    const { token } = chain.network.contracts
    const { name, args } = await refusal(token, postTokenAbi as Abi, 'faucet', [token, FAUCET_MAXIMUM + 1n])
    expect(name).toBe('PostToken_FaucetLimit')
    expect(args).toEqual([FAUCET_MAXIMUM + 1n, FAUCET_MAXIMUM])
  })

  test('of the channels', async () => {
    const { paymentChannels } = chain.network.contracts
    const [, payer, payee] = chain.accounts as [Hex, Hex, Hex]
    const descriptor = { payer, payee, signer: payer, salt: SALT }
    const abi = paymentChannelsAbi as Abi
    const { name, args } = await refusal(paymentChannels, abi, 'settle', [descriptor, EMPTY_CLAIM])
    expect(name).toBe('PaymentChannels_WrongStatus')
    expect(args[1]).toBe(0)
  })

  test('of the token, through the channels', async () => {
    const { paymentChannels } = chain.network.contracts
    const [, payer, payee] = chain.accounts as [Hex, Hex, Hex]
    const abi = paymentChannelsAbi as Abi
    const { name, args } = await refusal(paymentChannels, abi, 'open', [payee, payer, SALT, 5n])
    expect(name).toBe('ERC20InsufficientAllowance')
    expect(args).toEqual([paymentChannels, 0n, 5n])
  })

  test('of the registry', async () => {
    const { nodeRegistry } = chain.network.contracts
    const account = chain.accounts[1] as Hex
    const { name, args } = await refusal(nodeRegistry, nodeRegistryAbi as Abi, 'withdrawStake', [account])
    expect(name).toBe('NodeRegistry_NotRegistered')
    expect(args).toEqual([account])
  })

  test('of the membership', async () => {
    const { rlnMembership } = chain.network.contracts
    const account = chain.accounts[1] as Hex
    const { name, args } = await refusal(rlnMembership, rlnMembershipAbi as Abi, 'register', [
      1n,
      65_536,
      account,
    ])
    expect(name).toBe('RlnMembership_InvalidLimit')
    expect(args).toEqual([65_536n, 65_535n])
  })
})
