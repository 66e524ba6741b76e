import { PostriderError } from '@postrider/protocol/errors'
import {
  type Hex,
  keccak256,
  parseTransaction,
  TransactionReceiptNotFoundError,
  type TransactionSerializableEIP1559,
  type TransactionSerializedEIP1559,
} from 'viem'
import { smaller } from '../core/bigint.ts'
import {
  LOOKS_AFTER_USE,
  POLL_INTERVAL_MS,
  STUCK_AFTER_MS,
  TRANSACTION_TIMEOUT_MS,
  TRANSFER_GAS,
} from './constants.ts'
import { notTaken } from './errors.ts'
import { marketFees, raisedFees } from './fees.ts'
import type { Keep, SignedTransaction, TransactionOutcome } from './types.ts'
import type { Clients } from './writer.ts'

/** Signs, as one that replaces `earlier` ones where there are any. */
export async function signed(
  { account }: Clients,
  transaction: TransactionSerializableEIP1559 & { nonce: number },
  earlier: readonly Hex[] = [],
): Promise<SignedTransaction> {
  const raw = await account.signTransaction(transaction)
  const { nonce } = transaction
  return { hash: keccak256(raw), raw, nonce, ...(earlier.length > 0 && { earlier }) }
}

/**
 * Broadcasts. An endpoint that has it already says so with an error of its own wording; what counts is whether it has it.
 *
 * @throws PostriderError `CLIENT_GAS_MISSING`, `CLIENT_CHAIN_UNAVAILABLE`: who has the bytes may still get it mined
 */
export async function broadcast({ rpc }: Clients, { hash, raw }: SignedTransaction): Promise<void> {
  try {
    await rpc.sendRawTransaction({ serializedTransaction: raw })
  } catch (refusal) {
    const known = await rpc.request({ method: 'eth_getTransactionByHash', params: [hash] })
    if (known === null) throw notTaken(refusal)
  }
}

/** Finds out what became of a transaction that may have left earlier; one that waits is sent again and followed. */
export async function conclude(
  clients: Clients,
  transaction: SignedTransaction,
  keep?: Keep,
): Promise<TransactionOutcome> {
  const found = await look(clients, transaction)
  if (found === 'mined' || found === 'reverted') return found
  if (found === 'void') return follow(clients, transaction, keep)
  const { baseFee } = await marketFees(clients.rpc, clients.maxFeePerGas)
  const { maxFeePerGas = 0n } = parsed(transaction)
  const next = maxFeePerGas < baseFee ? await replace(clients, transaction, keep) : transaction
  await fillGap(clients, next)
  await broadcast(clients, next)
  return follow(clients, next, keep)
}

/**
 * Waits for the end of a transaction that was broadcast. One that is stuck is replaced by one with the same nonce that
 * offers more for gas: at most one of them takes effect.
 *
 * @param keep called with each replacement before it leaves
 * @throws PostriderError `CLIENT_TIMEOUT`, `CLIENT_FEE_TOO_HIGH`, `CLIENT_ABORTED`
 */
export async function follow(
  clients: Clients,
  first: SignedTransaction,
  keep?: Keep,
): Promise<TransactionOutcome> {
  const { clock, closing } = clients
  const untilMs = clock.nowMs() + TRANSACTION_TIMEOUT_MS
  let transaction = first
  let broadcastMs = clock.nowMs()
  let looksAfterUse = 0
  for (;;) {
    const found = await look(clients, transaction)
    if (found === 'mined' || found === 'reverted') return found
    looksAfterUse = found === 'void' ? looksAfterUse + 1 : 0
    // Endpoints answer from different blocks: what one of them does not have is believed only after several looks.
    if (looksAfterUse === LOOKS_AFTER_USE) return 'void'
    if (clock.nowMs() >= untilMs) {
      throw new PostriderError('CLIENT_TIMEOUT', { detail: 'the transaction is not mined yet' })
    }
    if (!found && clock.nowMs() - broadcastMs >= STUCK_AFTER_MS) {
      transaction = await replace(clients, transaction, keep)
      broadcastMs = clock.nowMs()
      // Whatever the answer is: the next looks tell.
      await broadcast(clients, transaction).catch(() => undefined)
      await fillGap(clients, transaction)
    }
    await clock.sleep(POLL_INTERVAL_MS, closing)
  }
}

/** What the chain shows of it now; `void`: its nonce is used, and not by it. Undefined while it waits. */
async function look(
  { rpc, account }: Clients,
  { hash, nonce, earlier = [] }: SignedTransaction,
): Promise<TransactionOutcome | undefined> {
  // In this order: a nonce that was used before the receipts were looked for was not used by one without a receipt.
  const used = await rpc.getTransactionCount({ address: account.address })
  if (used <= nonce) return undefined
  for (const version of [hash, ...earlier]) {
    try {
      const { status } = await rpc.getTransactionReceipt({ hash: version })
      return status === 'success' ? 'mined' : 'reverted'
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error
    }
  }
  return 'void'
}

/**
 * Nothing is mined while a lower nonce is neither mined nor in the pool, as after a request to close that the pool has
 * dropped: it is used up by sending nothing to ourselves.
 */
async function fillGap(clients: Clients, { nonce: ours }: SignedTransaction): Promise<void> {
  const { rpc, account, chain, maxFeePerGas: limit } = clients
  const { address } = account
  const nonce = await rpc.getTransactionCount({ address, blockTag: 'pending' })
  if (nonce >= ours) return
  const { maxFeePerGas, maxPriorityFeePerGas } = await marketFees(rpc, limit)
  const fees = { maxFeePerGas, maxPriorityFeePerGas }
  const nothing = { to: address, value: 0n, gas: TRANSFER_GAS, nonce }
  const filler = await signed(clients, { type: 'eip1559', chainId: chain.id, ...nothing, ...fees })
  // Refused where the endpoint that counted was behind and there is no gap.
  await broadcast(clients, filler).catch(() => undefined)
}

/** The same with more for gas, kept and not yet sent; unchanged where the limit or the balance allows no more. */
async function replace(
  clients: Clients,
  transaction: SignedTransaction,
  keep?: Keep,
): Promise<SignedTransaction> {
  const { rpc, account, maxFeePerGas: limit } = clients
  const before = parsed(transaction)
  const { gas = 0n, maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = before
  if (gas === 0n) return transaction
  const [market, balance] = await Promise.all([
    marketFees(rpc, limit),
    rpc.getBalance({ address: account.address }),
  ])
  const fees = raisedFees({ maxFeePerGas, maxPriorityFeePerGas }, market, smaller(limit, balance / gas))
  if (!fees) return transaction
  const { nonce, hash, earlier = [] } = transaction
  const next = await signed(clients, { ...before, ...fees, nonce }, [...earlier, hash])
  await keep?.(next)
  return next
}

function parsed({ raw }: SignedTransaction): TransactionSerializableEIP1559 {
  const {
    r: _r,
    s: _s,
    v: _v,
    yParity: _y,
    ...transaction
  } = parseTransaction(raw as TransactionSerializedEIP1559)
  return transaction
}
