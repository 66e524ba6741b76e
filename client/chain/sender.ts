import {
  type Abi,
  type ContractFunctionName,
  type ContractFunctionParameters,
  type EncodeFunctionDataParameters,
  type EstimateContractGasParameters,
  encodeFunctionData,
  type SimulateContractParameters,
} from 'viem'
import { GAS_MARGIN } from './constants.ts'
import { failed, gasMissing, guard } from './errors.ts'
import { marketFees } from './fees.ts'
import { broadcast, conclude, follow, signed } from './follow.ts'
import type { Keep, SignedTransaction } from './types.ts'
import type { Clients } from './writer.ts'

/** Sends the transactions of one account, and finds out what became of them. One at a time: the caller sees to it. */
export function createSender(clients: Clients) {
  return {
    /** Simulates first, so that a refusal names the contract's error and costs no gas; then sends and waits. */
    async send<const abi extends Abi, name extends ContractFunctionName<abi, 'nonpayable'>>(
      call: ContractFunctionParameters<abi, 'nonpayable', name>,
      keep?: Keep,
    ): Promise<void> {
      const name: string = call.functionName
      await guard(name, async () => {
        const transaction = await prepare(clients, call as unknown as Call)
        await keep?.(transaction)
        await broadcast(clients, transaction)
        const outcome = await follow(clients, transaction, keep)
        if (outcome !== 'mined') throw failed(name, REASONS[outcome], [transaction.hash])
      })
    },
    conclude: (transaction: SignedTransaction, keep?: Keep) =>
      guard('transaction', () => conclude(clients, transaction, keep)),
  }
}

const REASONS = {
  reverted: 'reverted after it was sent',
  void: 'another transaction of this wallet took its nonce',
} as const

type Call = ContractFunctionParameters<Abi, 'nonpayable', string>

/** Checks everything that can be checked before a transaction exists, and signs it. */
async function prepare(clients: Clients, call: Call): Promise<SignedTransaction> {
  const { rpc, account, chain, maxFeePerGas: limit } = clients
  const { address } = account
  // As a bare address: as an account, gas would be estimated with the fees, and an empty wallet be refused unnamed.
  const dry = { ...call, account: address } as unknown
  await rpc.simulateContract(dry as SimulateContractParameters)
  const [estimate, { maxFeePerGas, maxPriorityFeePerGas }, balance, nonce] = await Promise.all([
    rpc.estimateContractGas(dry as EstimateContractGasParameters),
    marketFees(rpc, limit),
    rpc.getBalance({ address }),
    rpc.getTransactionCount({ address, blockTag: 'pending' }),
  ])
  const gas = (estimate * GAS_MARGIN.numerator) / GAS_MARGIN.denominator
  const needed = gas * maxFeePerGas
  if (balance < needed) throw gasMissing(address, call.functionName, balance, needed)
  const data = encodeFunctionData(call as unknown as EncodeFunctionDataParameters)
  const fees = { maxFeePerGas, maxPriorityFeePerGas }
  return signed(clients, { type: 'eip1559', chainId: chain.id, to: call.address, data, gas, nonce, ...fees })
}
