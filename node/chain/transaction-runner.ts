import { PostriderError } from '@postrider/protocol/errors'
import type { Address, Hex } from '@postrider/protocol/wire'
import { keccak256, type LocalAccount, type TransactionReceipt, TransactionReceiptNotFoundError } from 'viem'
import type { Clock } from '../core/clock.ts'
import { abortReason } from '../core/deadline.ts'
import type { Logger } from '../core/logger.ts'
import { type ChainClient, rpcErrors } from './client.ts'
import {
  GAS_MARGIN_PERCENT,
  REBROADCAST_AFTER_MS,
  REPLACED_AFTER_LOOKS,
  STUCK_AFTER_MS,
  TRANSFER_GAS,
} from './constants.ts'
import { currentFees, type Fees, raisedFees } from './fees.ts'
import { type Revert, toSendError } from './revert.ts'
import type { Attempt, StoredTransaction, TransactionEnd, TransactionStore } from './transaction-store.ts'

/** What shall be done on chain. */
export type TransactionIntent = {
  /** Idempotency key: the same key is never sent as two transactions that could both be mined. */
  key: string
  /** For people and metrics, for example settleMany. */
  kind: string
  to: Address
  data: Hex
  /** Wei; 0 if absent. */
  value?: bigint
}

/** What a transaction would cost if it were sent now. */
export type Quote = { gas: bigint; fees: Fees; maxCost: bigint }

export type RunnerOptions = {
  account: LocalAccount
  /** Most wei paid per unit of gas. */
  maxFeePerGas: bigint
  /** Blocks on top before a receipt is believed. */
  confirmations: number
  /** Pause between two looks for a receipt, ms. */
  pollMs: number
}

/** Carries one transaction at a time from intent to its end. */
export type TransactionRunner = {
  /**
   * Simulates, estimates and prices, and sends nothing.
   *
   * @throws PostriderError `CHAIN_REVERTED`, `CHAIN_INSUFFICIENT_GAS_MONEY`, `CHAIN_FEE_TOO_HIGH`, `CHAIN_UNREACHABLE`
   */
  quote(intent: TransactionIntent): Promise<Quote>
  /** Signs, writes down, then broadcasts; throws as `quote` does, with nothing sent. */
  send(intent: TransactionIntent): Promise<StoredTransaction>
  /**
   * Watches a transaction that was written down until its end is known, through outages of the chain; raises its
   * fee when it is stuck.
   *
   * @param broadcastMs when this process broadcast it, Unix ms; absent: it did not, and does at once if it is not mined
   * @throws PostriderError `CORE_ABORTED` only; the transaction goes on being watched after the next start
   */
  watch(transaction: StoredTransaction, signal: AbortSignal, broadcastMs?: number): Promise<Ended>
}

export type Ended =
  | { status: 'done'; receipt: TransactionReceipt }
  | { status: 'reverted'; txHash: Hex; failure: Revert }
  | { status: 'replaced' }

export type RunnerComponents = {
  client: ChainClient
  store: TransactionStore
  clock: Clock
  logger: Logger
}

type Signable = Pick<StoredTransaction, 'nonce' | 'target' | 'data' | 'value' | 'gas'>

export function createTransactionRunner(
  components: RunnerComponents,
  options: RunnerOptions,
): TransactionRunner {
  const { client, store, clock, logger } = components
  const { account, maxFeePerGas } = options
  const { rpc } = client

  const quote = async ({ to, data, value = 0n }: TransactionIntent): Promise<Quote> => {
    try {
      // Pending: the block the transaction will be in, which is what a reveal after its promise depends on.
      const call = { account: account.address, to, data, value, blockTag: 'pending' as const }
      await rpc.call(call)
      const gas = ((await rpc.estimateGas(call)) * GAS_MARGIN_PERCENT) / 100n
      const fees = await currentFees(client, maxFeePerGas)
      return { gas, fees, maxCost: gas * fees.maxFee + value }
    } catch (error) {
      throw toSendError(error, account.address)
    }
  }

  const checkMoney = async ({ maxCost }: Quote): Promise<void> => {
    const balance = await rpcErrors(rpc.getBalance({ address: account.address }))
    if (balance >= maxCost) return
    throw new PostriderError('CHAIN_INSUFFICIENT_GAS_MONEY', {
      detail: `${account.address} has ${balance} wei and may need ${maxCost}`,
      data: { account: account.address, balance: `${balance}`, needed: `${maxCost}` },
    })
  }

  const sign = async (transaction: Signable, fees: Fees): Promise<Attempt> => {
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId: client.network.chainId,
      nonce: transaction.nonce,
      to: transaction.target,
      data: transaction.data,
      value: transaction.value,
      gas: transaction.gas,
      maxFeePerGas: fees.maxFee,
      maxPriorityFeePerGas: fees.priorityFee,
    })
    return { hash: keccak256(raw), raw, ...fees, sentMs: clock.nowMs() }
  }

  /** What the answer is does not matter: `watch` finds out what became of it. */
  const broadcast = async ({ hash, raw }: Attempt): Promise<void> => {
    try {
      await rpc.request({ method: 'eth_sendRawTransaction', params: [raw] })
    } catch (err) {
      logger.debug({ err, hash }, 'broadcast was refused')
    }
  }

  const send = async (intent: TransactionIntent): Promise<StoredTransaction> => {
    const quoted = await quote(intent)
    await checkMoney(quoted)
    // Pending, because a person may have sent from this account by other means.
    const nonce = await rpcErrors(rpc.getTransactionCount({ address: account.address, blockTag: 'pending' }))
    const draft = {
      key: intent.key,
      kind: intent.kind,
      sender: account.address,
      target: intent.to,
      data: intent.data,
      value: intent.value ?? 0n,
      nonce,
      gas: quoted.gas,
      status: 'sent' as const,
    }
    const attempt = await sign(draft, quoted.fees)
    const transaction = { ...draft, attempts: [attempt] }
    await store.put(transaction)
    await broadcast(attempt)
    return transaction
  }

  const findReceipt = async ({ attempts }: StoredTransaction): Promise<TransactionReceipt | undefined> => {
    for (const { hash } of attempts.toReversed()) {
      const receipt = await readReceipt(client, hash)
      if (receipt) return receipt
    }
    return undefined
  }

  const isConfirmed = async ({ blockNumber }: TransactionReceipt): Promise<boolean> => {
    if (options.confirmations === 0) return true
    const head = await rpcErrors(rpc.getBlockNumber())
    return head - blockNumber >= BigInt(options.confirmations)
  }

  const nonceIsUsed = async ({ nonce }: StoredTransaction): Promise<boolean> =>
    (await rpcErrors(rpc.getTransactionCount({ address: account.address, blockTag: 'latest' }))) > nonce

  /** Another branch may take back what has fewer confirmations, and ours could be mined there. */
  const nonceIsUsedForGood = async ({ nonce }: StoredTransaction): Promise<boolean> => {
    const head = await rpcErrors(rpc.getBlockNumber())
    const blockNumber = head - BigInt(options.confirmations)
    if (blockNumber < 0n) return false
    return (await rpcErrors(rpc.getTransactionCount({ address: account.address, blockNumber }))) > nonce
  }

  /**
   * Nothing is mined while a lower nonce is neither mined nor in the pool. One that a reorganisation removed is
   * broadcast again; one of somebody else's that vanished is used up by sending nothing to ourselves.
   */
  const fillGap = async ({ nonce: ours }: StoredTransaction): Promise<void> => {
    const nonce = await rpcErrors(rpc.getTransactionCount({ address: account.address, blockTag: 'pending' }))
    if (nonce >= ours) return
    const [known] = await store.withNonces(account.address, nonce, nonce + 1)
    logger.warn({ nonce, ours, key: known?.key }, 'a nonce before ours is missing')
    await broadcast(known?.attempts.at(-1) ?? (await signNothing(nonce)))
  }

  const signNothing = async (nonce: number): Promise<Attempt> => {
    const nothing = { target: account.address, data: '0x' as const, value: 0n, gas: TRANSFER_GAS, nonce }
    return sign(nothing, await currentFees(client, maxFeePerGas))
  }

  /** Broadcasts again, with a higher fee once it has waited for long. */
  const push = async (transaction: StoredTransaction): Promise<StoredTransaction> => {
    await fillGap(transaction)
    const last = transaction.attempts.at(-1)
    if (!last) return transaction
    const waitedMs = clock.nowMs() - last.sentMs
    const fees =
      waitedMs >= STUCK_AFTER_MS
        ? raisedFees(last, await currentFees(client, maxFeePerGas), maxFeePerGas)
        : undefined
    if (!fees) {
      await broadcast(last)
      return transaction
    }
    const attempt = await sign(transaction, fees)
    logger.warn(
      { key: transaction.key, waitedMs, maxFee: fees.maxFee },
      'transaction is stuck; raising its fee',
    )
    await store.addAttempt(transaction.key, attempt)
    await broadcast(attempt)
    return { ...transaction, attempts: [...transaction.attempts, attempt] }
  }

  const conclude = async (transaction: StoredTransaction, receipt: TransactionReceipt): Promise<Ended> => {
    const { transactionHash: txHash, gasUsed, effectiveGasPrice } = receipt
    const mined = { txHash, blockNumber: Number(receipt.blockNumber), gasUsed, gasPrice: effectiveGasPrice }
    if (receipt.status === 'success') {
      await store.end(transaction.key, { status: 'done', ...mined })
      return { status: 'done', receipt }
    }
    const failure = await findFailure(client, transaction, receipt)
    await store.end(transaction.key, { status: 'reverted', ...mined, failure })
    return { status: 'reverted', txHash, failure }
  }

  const watch = async (started: StoredTransaction, signal: AbortSignal, broadcastMs = 0): Promise<Ended> => {
    let transaction = started
    let pushedMs = broadcastMs
    let looksAfterUse = 0

    const look = async (): Promise<Ended | undefined> => {
      const receipt = await findReceipt(transaction)
      if (receipt) return (await isConfirmed(receipt)) ? conclude(transaction, receipt) : undefined
      if (await nonceIsUsed(transaction)) {
        // Endpoints answer from different blocks: believe it only after several looks.
        if (await nonceIsUsedForGood(transaction)) looksAfterUse++
        if (looksAfterUse < REPLACED_AFTER_LOOKS) return undefined
        await store.end(transaction.key, { status: 'replaced' } satisfies TransactionEnd)
        return { status: 'replaced' }
      }
      looksAfterUse = 0
      if (clock.nowMs() - pushedMs < REBROADCAST_AFTER_MS) return undefined
      pushedMs = clock.nowMs()
      transaction = await push(transaction)
      return undefined
    }

    while (!signal.aborted) {
      try {
        const ended = await look()
        if (ended) return ended
      } catch (err) {
        logger.debug({ err, key: transaction.key }, 'cannot look for the transaction now')
      }
      await clock.sleep(options.pollMs, signal).catch(() => undefined)
    }
    throw abortReason(signal)
  }

  return { quote, send, watch }
}

/** The receipt of a mined transaction; undefined if it is not mined. */
export async function readReceipt(client: ChainClient, hash: Hex): Promise<TransactionReceipt | undefined> {
  try {
    return await client.rpc.getTransactionReceipt({ hash })
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return undefined
    throw error
  }
}

/** Why a mined transaction was refused: the same call again, on top of its block. */
async function findFailure(
  client: ChainClient,
  { sender, target, data, value }: StoredTransaction,
  { blockNumber, gasUsed }: TransactionReceipt,
): Promise<Revert> {
  try {
    await client.rpc.call({ account: sender, to: target, data, value, blockNumber })
    return { errorName: 'unknown', args: { gasUsed: `${gasUsed}` } }
  } catch (error) {
    const { code, data: found } = toSendError(error, sender)
    const { errorName, args } = found as Partial<Revert>
    return code === 'CHAIN_REVERTED' && errorName !== undefined && args !== undefined
      ? { errorName, args }
      : { errorName: 'unknown', args: {} }
  }
}
