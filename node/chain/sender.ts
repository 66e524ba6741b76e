import { PostriderError } from '@postrider/protocol/errors'
import type { Address } from '@postrider/protocol/wire'
import type { LocalAccount, TransactionReceipt } from 'viem'
import type { Clock, Timer } from '../core/clock.ts'
import { abortable } from '../core/deadline.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { createBoundedQueue } from '../core/queue.ts'
import { type ChainClient, rpcErrors } from './client.ts'
import {
  MAX_QUEUED_TRANSACTIONS,
  REORG_WINDOW_BLOCKS,
  SIGNED_FORM_PRUNE_INTERVAL_MS,
  SIGNED_FORM_RETENTION_MS,
} from './constants.ts'
import { revertError } from './revert.ts'
import {
  createTransactionRunner,
  type Ended,
  type Quote,
  readReceipt,
  type TransactionIntent,
} from './transaction-runner.ts'
import type { StoredTransaction, TransactionStore } from './transaction-store.ts'

export type SenderOptions = {
  account: LocalAccount
  /** Most wei paid per unit of gas. */
  maxFeePerGas: bigint
  /** Blocks on top before a receipt is believed. */
  confirmations: number
  /** Pause between two looks for a receipt, ms. */
  pollMs: number
}

/** Sends transactions of one account, one after the other, each written down before it leaves. */
export type Sender = {
  readonly address: Address
  /** Takes up what was out when the process ended, then what is submitted. */
  start(): Promise<void>
  /** Stops watching; what is out stays written down. */
  stop(): Promise<void>
  /**
   * Simulates, sends and waits until the receipt has its confirmations. A key that was submitted before, in this
   * process or an earlier one, is not sent again: the call tells what became of it.
   *
   * @throws PostriderError `CHAIN_REVERTED` (data: errorName, args, and txHash if it was mined),
   *   `CHAIN_INSUFFICIENT_GAS_MONEY`, `CHAIN_FEE_TOO_HIGH`, `CHAIN_UNREACHABLE` with nothing sent,
   *   `CHAIN_TRANSACTION_REPLACED` with nothing done, `CHAIN_SENDER_STOPPED` with the outcome open,
   *   `CHAIN_SENDER_BUSY`
   */
  submit(intent: TransactionIntent): Promise<TransactionReceipt>
  /** What `submit` would do and cost, without sending; throws as `submit` does. */
  quote(intent: TransactionIntent): Promise<Quote>
  /** Native balance, wei. */
  balance(): Promise<bigint>
  /** Transactions that are out or wait. */
  pending(): number
}

type Job = { intent: TransactionIntent } & PromiseWithResolvers<TransactionReceipt>

export function createSender(
  components: {
    client: ChainClient
    store: TransactionStore
    clock: Clock
    logger: Logger
    metrics?: Metrics
  },
  options: SenderOptions,
): Sender {
  const { client, store, clock, logger, metrics } = components
  const runner = createTransactionRunner(components, options)
  const jobs = createBoundedQueue<Job>({ limit: MAX_QUEUED_TRANSACTIONS, drop: 'newest' })
  /** Submitted in this process and not ended, by key. */
  const waiting = new Map<string, Promise<TransactionReceipt>>()
  let stopping = new AbortController()
  let wake = Promise.withResolvers<void>()
  let loop: Promise<void> | undefined
  let pruning: Timer | undefined

  const counter = metrics?.counter('transactions_total', {
    help: 'Transactions by end',
    labels: ['kind', 'end'],
  })
  metrics?.gauge('transactions_pending', {
    help: 'Transactions that are out or wait',
    collect: (gauge) => gauge.set(waiting.size),
  })

  const settle = async (transaction: StoredTransaction, ended: Ended): Promise<TransactionReceipt> => {
    const { key, kind } = transaction
    counter?.inc({ kind, end: ended.status })
    logger.info({ key, kind, end: ended.status }, 'transaction ended')
    if (ended.status === 'done') return ended.receipt
    if (ended.status === 'reverted') throw revertError(ended.failure, { txHash: ended.txHash })
    throw new PostriderError('CHAIN_TRANSACTION_REPLACED', { data: { key } })
  }

  const watch = async (
    transaction: StoredTransaction,
    signal: AbortSignal,
    broadcastMs?: number,
  ): Promise<TransactionReceipt> =>
    settle(transaction, await abortable(runner.watch(transaction, signal, broadcastMs), signal))

  const run = async (intent: TransactionIntent, signal: AbortSignal): Promise<TransactionReceipt> => {
    const known = await store.get(intent.key)
    if (!known || known.status === 'replaced') {
      // Stopping in the middle is safe: nothing is broadcast before it is written down.
      return watch(await abortable(runner.send(intent), signal), signal, clock.nowMs())
    }
    if (known.status === 'sent') return watch(known, signal)
    const { txHash, failure, blockNumber = 0 } = known
    if (known.status === 'reverted' && failure) throw revertError(failure, { txHash })
    const receipt = txHash && (await rpcErrors(readReceipt(client, txHash)))
    if (receipt) return receipt
    // A young receipt that is gone was reorganised away; an old one may just not be kept any more. One without signed
    // forms is old whatever its block: there is nothing to send again, and to wait for it would hold up the others.
    const head = await rpcErrors(client.rpc.getBlockNumber())
    const isYoung = known.attempts.length > 0 && head <= BigInt(blockNumber + REORG_WINDOW_BLOCKS)
    if (isYoung) return watch(known, signal)
    throw new PostriderError('CHAIN_RPC_FAILED', { detail: `the endpoint has no receipt of ${txHash}` })
  }

  /** The submitter of what was out is gone; the end is in the store for whoever submits the key again. */
  const takeUp = async (open: readonly StoredTransaction[], signal: AbortSignal): Promise<void> => {
    for (const transaction of open) {
      await watch(transaction, signal).catch((err) => {
        logger.info({ err, key: transaction.key }, 'transaction of an earlier run')
      })
    }
  }

  const work = async (open: readonly StoredTransaction[], signal: AbortSignal): Promise<void> => {
    await takeUp(open, signal)
    while (!signal.aborted) {
      const job = jobs.shift()
      if (job) await run(job.intent, signal).then(job.resolve, job.reject)
      else await abortable(wake.promise, signal).catch(() => undefined)
    }
  }

  const prune = async (): Promise<void> => {
    try {
      await store.prune(clock.nowMs() - SIGNED_FORM_RETENTION_MS)
    } catch (err) {
      logger.warn({ err }, 'old transactions not pruned, trying again later')
    }
  }

  const enqueue = (intent: TransactionIntent): Promise<TransactionReceipt> => {
    const job: Job = { intent, ...Promise.withResolvers<TransactionReceipt>() }
    if (jobs.push(job) > 0)
      throw new PostriderError('CHAIN_SENDER_BUSY', { data: { limit: MAX_QUEUED_TRANSACTIONS } })
    waiting.set(intent.key, job.promise)
    void job.promise.finally(() => waiting.delete(intent.key)).catch(() => undefined)
    wake.resolve()
    wake = Promise.withResolvers()
    return job.promise
  }

  return {
    address: options.account.address,
    async start() {
      stopping = new AbortController()
      loop = work(await store.open(options.account.address), stopping.signal)
      pruning = clock.every(SIGNED_FORM_PRUNE_INTERVAL_MS, prune)
    },
    async stop() {
      pruning?.stop()
      stopping.abort(new PostriderError('CHAIN_SENDER_STOPPED'))
      await loop
      for (const job of jobs.drain(MAX_QUEUED_TRANSACTIONS))
        job.reject(new PostriderError('CHAIN_SENDER_STOPPED'))
    },
    async submit(intent) {
      return waiting.get(intent.key) ?? enqueue(intent)
    },
    quote: runner.quote,
    balance: () => rpcErrors(client.rpc.getBalance({ address: options.account.address })),
    pending: () => waiting.size,
  }
}
