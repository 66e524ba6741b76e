import { PostriderError } from '@postrider/protocol/errors'
import type { Address, Hex } from '@postrider/protocol/wire'
import { type Db, dbErrors } from '../core/db/index.ts'
import { SIGNED_FORM_PRUNE_COUNT } from './constants.ts'
import type { Revert } from './revert.ts'

const NO_DATA: Hex = '0x'

/**
 * sent: signed and written down, to be watched until its end is known; done: mined and honoured; reverted: mined and
 * refused; replaced: its nonce was used by another transaction, so it can never be mined.
 */
export type TransactionStatus = 'sent' | 'done' | 'reverted' | 'replaced'

/** A signed form of a transaction. */
export type Attempt = {
  hash: Hex
  raw: Hex
  /** Wei per unit of gas. */
  maxFee: bigint
  priorityFee: bigint
  sentMs: number
}

/** What is known of a transaction that was sent at least once. */
export type StoredTransaction = {
  /** The caller's idempotency key. */
  key: string
  /** For people and metrics, for example settleMany. */
  kind: string
  sender: Address
  target: Address
  data: Hex
  /** Wei. */
  value: bigint
  nonce: number
  gas: bigint
  status: TransactionStatus
  /** Oldest first. */
  attempts: Attempt[]
  txHash?: Hex
  blockNumber?: number
  gasUsed?: bigint
  /** Wei per unit of gas that was paid. */
  gasPrice?: bigint
  failure?: Revert
}

export type TransactionEnd = {
  status: Exclude<TransactionStatus, 'sent'>
  txHash?: Hex
  blockNumber?: number
  gasUsed?: bigint
  /** Wei per unit of gas that was paid. */
  gasPrice?: bigint
  failure?: Revert
}

/** Where transactions are written down before they are sent. Each call is atomic and durable when it resolves. */
export type TransactionStore = {
  get(key: string): Promise<StoredTransaction | undefined>
  /** Those of an account whose end is not known, by nonce. */
  open(sender: Address): Promise<StoredTransaction[]>
  /** Those of an account with these nonces that were or may be mined, `to` not included, by nonce. */
  withNonces(sender: Address, from: number, to: number): Promise<StoredTransaction[]>
  /** Writes a transaction with its first attempt; replaces one of the same key that was `replaced`. */
  put(transaction: StoredTransaction): Promise<void>
  addAttempt(key: string, attempt: Attempt): Promise<void>
  end(key: string, end: TransactionEnd): Promise<void>
  /**
   * Forgets call data and signed forms of transactions that ended before a time, some at a time; what became of them
   * stays. Returns of how many.
   */
  prune(endedBeforeMs: number): Promise<number>
}

type TransactionWhere = NonNullable<NonNullable<Parameters<Db['transaction']['findMany']>[0]>['where']>

/** Keeps transactions in node.db. Every call throws `CORE_DB_FAILED` when the database refuses. */
export function createDbTransactionStore(db: Db, nowMs: () => number): TransactionStore {
  const read = async (key: string): Promise<StoredTransaction | undefined> => {
    const row = await db.transaction.findUnique({ where: { key } })
    if (!row) return undefined
    const attempts = await db.transactionAttempt.findMany({ where: { key }, orderBy: { sentMs: 'asc' } })
    return fromRows(row, attempts)
  }

  const put = async (transaction: StoredTransaction): Promise<void> => {
    const { key, attempts } = transaction
    await db.$transaction(async (tx) => {
      await tx.transactionAttempt.deleteMany({ where: { key } })
      await tx.transaction.deleteMany({ where: { key, status: 'replaced' } })
      await tx.transaction.create({ data: toRow(transaction, nowMs()) })
      await tx.transactionAttempt.createMany({ data: attempts.map((attempt) => toAttemptRow(key, attempt)) })
    })
  }

  const find = async (where: TransactionWhere): Promise<StoredTransaction[]> => {
    const rows = await db.transaction.findMany({ where, orderBy: { nonce: 'asc' }, select: { key: true } })
    const found = await Promise.all(rows.map(({ key }) => read(key)))
    return found.filter((transaction) => transaction !== undefined)
  }

  const open = (sender: Address) => find({ sender: sender.toLowerCase(), status: 'sent' })

  const withNonces = (sender: Address, from: number, to: number) =>
    find({ sender: sender.toLowerCase(), nonce: { gte: from, lt: to }, status: { not: 'replaced' } })

  const end = async (key: string, { gasUsed, gasPrice, failure, ...rest }: TransactionEnd): Promise<void> => {
    await db.transaction.update({
      where: { key },
      data: {
        ...rest,
        gasUsed: gasUsed?.toString(),
        gasPrice: gasPrice?.toString(),
        failure: failure && JSON.stringify(failure),
        updatedMs: BigInt(nowMs()),
      },
    })
  }

  const prune = (endedBeforeMs: number): Promise<number> =>
    db.$transaction(async (tx) => {
      const signed = await tx.transactionAttempt.findMany({
        where: { sentMs: { lt: BigInt(endedBeforeMs) } },
        orderBy: { sentMs: 'asc' },
        take: SIGNED_FORM_PRUNE_COUNT,
        select: { key: true },
      })
      const ended = await tx.transaction.findMany({
        where: {
          key: { in: signed.map(({ key }) => key) },
          status: { not: 'sent' },
          updatedMs: { lt: BigInt(endedBeforeMs) },
        },
        select: { key: true },
      })
      const where = { key: { in: ended.map(({ key }) => key) } }
      await tx.transactionAttempt.deleteMany({ where })
      await tx.transaction.updateMany({ where, data: { data: NO_DATA } })
      return ended.length
    })

  return {
    get: (key) => dbErrors(read(key)),
    open: (sender) => dbErrors(open(sender)),
    withNonces: (sender, from, to) => dbErrors(withNonces(sender, from, to)),
    put: (transaction) => dbErrors(put(transaction)),
    async addAttempt(key, attempt) {
      await dbErrors(db.transactionAttempt.create({ data: toAttemptRow(key, attempt) }))
    },
    end: (key, change) => dbErrors(end(key, change)),
    prune: (endedBeforeMs) => dbErrors(prune(endedBeforeMs)),
  }
}

/** Keeps transactions in memory: for tests, and for tools that wait for each of their transactions. */
export function createMemoryTransactionStore(nowMs: () => number = Date.now): TransactionStore {
  const transactions = new Map<string, StoredTransaction>()
  const endedMs = new Map<string, number>()
  const find = (of: Address, wanted: (transaction: StoredTransaction) => boolean): StoredTransaction[] => {
    const own = [...transactions.values()].filter(
      (transaction) => transaction.sender.toLowerCase() === of.toLowerCase() && wanted(transaction),
    )
    return structuredClone(own.sort((a, b) => a.nonce - b.nonce))
  }
  return {
    get: async (key) => structuredClone(transactions.get(key)),
    open: async (sender) => find(sender, ({ status }) => status === 'sent'),
    withNonces: async (sender, from, to) =>
      find(sender, ({ status, nonce }) => status !== 'replaced' && nonce >= from && nonce < to),
    async put(transaction) {
      const known = transactions.get(transaction.key)
      if (known && known.status !== 'replaced') {
        throw new PostriderError('CORE_DB_FAILED', { detail: `transaction ${transaction.key} exists` })
      }
      transactions.set(transaction.key, structuredClone(transaction))
      endedMs.delete(transaction.key)
    },
    async addAttempt(key, attempt) {
      transactions.get(key)?.attempts.push({ ...attempt })
    },
    async end(key, change) {
      const transaction = transactions.get(key)
      if (!transaction) return
      transactions.set(key, { ...transaction, ...change })
      endedMs.set(key, nowMs())
    },
    async prune(endedBeforeMs) {
      const old = [...transactions.values()].filter(
        ({ key, attempts }) => attempts.length > 0 && (endedMs.get(key) ?? endedBeforeMs) < endedBeforeMs,
      )
      for (const ended of old) Object.assign(ended, { attempts: [], data: NO_DATA })
      return old.length
    },
  }
}

type AttemptRow = { hash: string; raw: string; maxFee: string; priorityFee: string; sentMs: bigint }

type TransactionRow = {
  key: string
  kind: string
  sender: string
  target: string
  data: string
  value: string
  nonce: number
  gas: string
  status: string
  txHash: string | null
  blockNumber: number | null
  gasUsed: string | null
  gasPrice: string | null
  failure: string | null
}

function toRow(transaction: StoredTransaction, nowMs: number) {
  const { attempts: _, failure, value, gas, gasUsed, gasPrice, sender, ...rest } = transaction
  return {
    ...rest,
    sender: sender.toLowerCase(),
    value: value.toString(),
    gas: gas.toString(),
    gasUsed: gasUsed?.toString(),
    gasPrice: gasPrice?.toString(),
    failure: failure && JSON.stringify(failure),
    createdMs: BigInt(nowMs),
    updatedMs: BigInt(nowMs),
  }
}

function toAttemptRow(key: string, { maxFee, priorityFee, sentMs, ...rest }: Attempt) {
  return { key, ...rest, maxFee: `${maxFee}`, priorityFee: `${priorityFee}`, sentMs: BigInt(sentMs) }
}

function fromRows(row: TransactionRow, attempts: readonly AttemptRow[]): StoredTransaction {
  const { key, kind, nonce, txHash, blockNumber, gasUsed, gasPrice, failure } = row
  return {
    key,
    kind,
    nonce,
    sender: row.sender as Address,
    target: row.target as Address,
    data: row.data as Hex,
    value: BigInt(row.value),
    gas: BigInt(row.gas),
    status: row.status as TransactionStatus,
    attempts: attempts.map((attempt) => ({
      hash: attempt.hash as Hex,
      raw: attempt.raw as Hex,
      maxFee: BigInt(attempt.maxFee),
      priorityFee: BigInt(attempt.priorityFee),
      sentMs: Number(attempt.sentMs),
    })),
    ...(txHash !== null && { txHash: txHash as Hex }),
    ...(blockNumber !== null && { blockNumber }),
    ...(gasUsed !== null && { gasUsed: BigInt(gasUsed) }),
    ...(gasPrice !== null && { gasPrice: BigInt(gasPrice) }),
    ...(failure !== null && { failure: JSON.parse(failure) }),
  }
}
