import type { Hex } from '@postrider/protocol/wire'
import type { Metrics } from '../core/metrics.ts'
import { MAX_WAITING_WRITES } from './constants.ts'
import type { AccountRecord, ChargeRecord, Ledger } from './types.ts'

export type CommitterComponents = {
  ledger: Pick<Ledger, 'commit'>
  metrics: Metrics
  /**
   * Called at once when a commit fails, before any of its writers hears of it: all accounts that were written
   * or waited to be are no longer what the ledger holds.
   */
  onFailure(): void
}

/** Group commit: what is written while a commit is under way shares the next one. */
export type Committer = {
  /**
   * Writes an account as it is now, and a charge if there is one; resolves when both are durable. Writes become
   * durable in the order of the calls.
   *
   * @throws what the ledger rejects with
   */
  write(account: AccountRecord, charge?: ChargeRecord): Promise<void>
  /** True when so much waits that new work should be refused; `write` itself takes everything. */
  isFull(): boolean
  /** Resolves when everything written so far is durable or failed. */
  settle(): Promise<void>
}

type Batch = {
  accounts: Map<Hex, AccountRecord>
  charges: ChargeRecord[]
  writes: number
  done: PromiseWithResolvers<void>
}

export function createCommitter(components: CommitterComponents): Committer {
  const { ledger, metrics, onFailure } = components
  const commits = metrics.counter('payment_commits_total', { help: 'Transactions of the ledger' })
  const seconds = metrics.histogram('payment_commit_seconds', { help: 'Time of one ledger transaction' })
  let waiting: Batch | undefined
  let running: Promise<void> | undefined

  const openBatch = (): Batch => {
    const done = Promise.withResolvers<void>()
    done.promise.catch(() => undefined) // each writer has its own branch; the batch itself may have none left
    return { accounts: new Map(), charges: [], writes: 0, done }
  }

  const takeWaiting = (): Batch | undefined => {
    const batch = waiting
    waiting = undefined
    return batch
  }

  const commitAll = async (): Promise<void> => {
    // Let every write of this turn of the event loop join the first batch.
    await Promise.resolve()
    for (let batch = takeWaiting(); batch; batch = takeWaiting()) {
      const stopTimer = seconds.startTimer()
      try {
        await ledger.commit({ accounts: [...batch.accounts.values()], charges: batch.charges })
        stopTimer()
        commits.inc()
        batch.done.resolve()
      } catch (error) {
        // What waits builds on what failed, so it must fail too.
        const built = takeWaiting()
        onFailure()
        batch.done.reject(error)
        built?.done.reject(error)
      }
    }
    // Together with the check above, without an await between: a write after it starts a new round.
    running = undefined
  }

  return {
    isFull: () => (waiting?.writes ?? 0) >= MAX_WAITING_WRITES,
    write(account, charge) {
      waiting ??= openBatch()
      waiting.accounts.set(account.channelId, account)
      if (charge) waiting.charges.push(charge)
      waiting.writes++
      const { promise } = waiting.done
      running ??= commitAll()
      return promise
    },
    async settle() {
      while (running) await running
    },
  }
}
