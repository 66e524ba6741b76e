import {
  type Abi,
  type ContractFunctionName,
  type ContractFunctionParameters,
  type EncodeFunctionDataParameters,
  type EstimateContractGasParameters,
  encodeFunctionData,
  type Hex,
  keccak256,
  type SimulateContractParameters,
  TransactionReceiptNotFoundError,
} from 'viem'
import { GAS_MARGIN, TRANSACTION_TIMEOUT_MS } from './constants.ts'
import { failed, gasMissing, guard } from './errors.ts'
import type { Keep, SignedTransaction, TransactionOutcome } from './types.ts'
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
        const signed = await sign(clients, call as unknown as Call)
        await keep?.(signed)
        await clients.rpc.sendRawTransaction({ serializedTransaction: signed.raw })
        const outcome = await receiptOf(clients, signed.hash)
        if (outcome !== 'mined') throw failed(name, REASONS[outcome], [signed.hash])
      })
    },
    conclude: (transaction: SignedTransaction) => guard('transaction', () => conclude(clients, transaction)),
  }
}

const REASONS = {
  reverted: 'reverted after it was sent',
  void: 'another transaction of this wallet took its nonce',
} as const

type Call = ContractFunctionParameters<Abi, 'nonpayable', string>

/** Checks everything that can be checked before a transaction exists. */
async function sign({ rpc, account, chain }: Clients, call: Call): Promise<SignedTransaction> {
  const { address } = account
  // As a bare address: as an account, gas would be estimated with the fees, and an empty wallet be refused unnamed.
  const dry = { ...call, account: address } as unknown
  await rpc.simulateContract(dry as SimulateContractParameters)
  const [estimate, fees, balance, nonce] = await Promise.all([
    rpc.estimateContractGas(dry as EstimateContractGasParameters),
    rpc.estimateFeesPerGas(),
    rpc.getBalance({ address }),
    rpc.getTransactionCount({ address, blockTag: 'pending' }),
  ])
  const gas = (estimate * GAS_MARGIN.numerator) / GAS_MARGIN.denominator
  const needed = gas * fees.maxFeePerGas
  if (balance < needed) throw gasMissing(address, call.functionName, balance, needed)
  const data = encodeFunctionData(call as unknown as EncodeFunctionDataParameters)
  const transaction = {
    type: 'eip1559',
    chainId: chain.id,
    to: call.address,
    data,
    gas,
    nonce,
    ...fees,
  } as const
  const raw = await account.signTransaction(transaction)
  return { hash: keccak256(raw), raw, nonce }
}

async function receiptOf({ rpc }: Clients, hash: Hex): Promise<TransactionOutcome> {
  // The receipt may be of the transaction that took this one's place.
  const receipt = await rpc.waitForTransactionReceipt({ hash, timeout: TRANSACTION_TIMEOUT_MS })
  if (receipt.transactionHash !== hash) return 'void'
  return receipt.status === 'success' ? 'mined' : 'reverted'
}

async function conclude(
  clients: Clients,
  { hash, raw, nonce }: SignedTransaction,
): Promise<TransactionOutcome> {
  const { rpc, account } = clients
  // In this order: a nonce that was used before the receipt was looked for was not used by this transaction.
  const used = await rpc.getTransactionCount({ address: account.address })
  const known = await findReceipt(clients, hash)
  if (known) return known
  if (used > nonce) return 'void'
  // An endpoint that has it already says so with an error of its own wording; what counts is the receipt.
  const refusal = await rpc.sendRawTransaction({ serializedTransaction: raw }).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (refusal && !(await isKnown(clients, hash))) throw refusal
  return receiptOf(clients, hash)
}

async function findReceipt({ rpc }: Clients, hash: Hex): Promise<TransactionOutcome | undefined> {
  try {
    const { status } = await rpc.getTransactionReceipt({ hash })
    return status === 'success' ? 'mined' : 'reverted'
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return undefined
    throw error
  }
}

/** Whether the endpoint has the transaction, mined or not. */
async function isKnown({ rpc }: Clients, hash: Hex): Promise<boolean> {
  return (await rpc.request({ method: 'eth_getTransactionByHash', params: [hash] })) !== null
}
