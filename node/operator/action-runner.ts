import { type ErrorCode, errorTable, isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Sender } from '../chain/sender.ts'
import type { TransactionIntent } from '../chain/transaction-runner.ts'
import type { TransactionStore } from '../chain/transaction-store.ts'
import type { Clock } from '../core/clock.ts'
import { abortable } from '../core/deadline.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Random } from '../core/random.ts'
import type { ActionRecord, ActionStore } from './action-store.ts'
import { MAX_SENDINGS, RESUME_WITHIN_MS } from './constants.ts'
import type { Plan } from './plan.ts'

export type ActionRunnerComponents = {
  store: ActionStore
  sender: Pick<Sender, 'submit'>
  transactions: Pick<TransactionStore, 'get'>
  clock: Clock
  random: Random
  logger: Logger
  metrics: Metrics
}

/**
 * Carries out what an operator told the node to do. An action is on disk before anything of it is sent, and each of its
 * transactions has a key made of its id: whatever the moment of a crash, after the restart it goes on where it was,
 * and nothing is sent twice.
 */
export type ActionRunner = {
  /** Takes up what an earlier process left. */
  start(): Promise<void>
  /** Waits for nothing on chain: what was sent stays sent, and the next process takes it up. */
  stop(): Promise<void>
  /**
   * Writes an action down and begins it; resolves once it is written. The request that was seen before gets the action
   * that it began then.
   *
   * @param kind for example `stake.exit`
   * @throws PostriderError `CORE_DB_FAILED`
   */
  begin(request: string, kind: string, plan: Pick<Plan, 'steps' | 'effects'>): Promise<ActionRecord>
  /** The action that a request began. */
  find: ActionStore['byRequest']
  get: ActionStore['get']
  page: ActionStore['page']
  /** Calls `listener` with the id of every action that began, moved on or ended; returns the way to stop it. */
  subscribe(listener: (id: string) => void): () => void
}

/** The idempotency key of an action's transaction. */
export const transactionKey = (id: string, step: number): string => `${id}/${step}`

export function createActionRunner(components: ActionRunnerComponents): ActionRunner {
  const { store, sender, transactions, clock, random, logger, metrics } = components
  const listeners = new Set<(id: string) => void>()
  /** The end of the action begun last: one at a time, or the approval of one would be used up by another. */
  let last: Promise<void> = Promise.resolve()
  const stopping = new AbortController()

  const ends = metrics.counter('operator_actions_total', {
    help: 'Actions of the operator by end',
    labels: ['kind', 'end'],
  })

  const tell = (id: string) => {
    for (const listener of listeners) listener(id)
  }

  const end = async ({ id, kind }: ActionRecord, failure?: ActionRecord['failure']): Promise<void> => {
    const state = failure ? 'failed' : 'done'
    await store.end(id, { state, failure, updatedMs: clock.nowMs() })
    ends.inc({ kind, end: state })
    logger.info({ action: id, state, code: failure?.code }, 'action ended')
    tell(id)
  }

  /** Whether the transaction is known to have been honoured, although the call could not say so. */
  const isDone = async (key: string) => (await transactions.get(key))?.status === 'done'

  /** Another program that uses the same account can take a nonce; the same key is then sent anew. */
  const send = async (intent: TransactionIntent): Promise<void> => {
    for (let times = 1; ; times++) {
      try {
        await abortable(sender.submit(intent), stopping.signal)
        return
      } catch (error) {
        if (!hasCode(error, 'CHAIN_TRANSACTION_REPLACED') || times === MAX_SENDINGS) throw error
      }
    }
  }

  const carryOut = async (record: ActionRecord): Promise<void> => {
    const { id, steps } = record
    for (const [at, { call }] of steps.entries()) {
      if (stopping.signal.aborted) return
      const key = transactionKey(id, at)
      try {
        await send({ ...call, key })
      } catch (error) {
        if (stopping.signal.aborted || hasCode(error, 'CHAIN_SENDER_STOPPED')) return
        if (!(await isDone(key))) return await end(record, failureOf(error))
      }
      tell(id)
    }
    await end(record)
  }

  const run = (record: ActionRecord) => {
    last = last
      .then(() => carryOut(record))
      .catch((err) => {
        // The disk refused: the action stays open, and the next start takes it up.
        if (isPostriderError(err)) metrics.error(err.code)
        logger.error({ err, action: record.id }, 'action interrupted')
      })
  }

  /** Nothing of it was sent, and it is too long ago to send it now unasked. */
  const isExpired = async ({ id, createdMs }: ActionRecord): Promise<boolean> =>
    clock.nowMs() - createdMs > RESUME_WITHIN_MS &&
    (await transactions.get(transactionKey(id, 0))) === undefined

  return {
    async start() {
      for (const record of await store.open()) {
        if (await isExpired(record)) await end(record, reasonOf('API_ACTION_EXPIRED'))
        else run(record)
      }
    },
    async stop() {
      stopping.abort(new PostriderError('CORE_ABORTED'))
      await last
    },
    async begin(request, kind, { steps, effects }) {
      const known = await store.byRequest(request)
      if (known) return known
      const nowMs = clock.nowMs()
      const record: ActionRecord = {
        id: actionId(nowMs, random),
        request,
        kind,
        state: 'accepted',
        steps: steps.map(({ label, call }) => ({ label, call })),
        effects,
        failure: undefined,
        createdMs: nowMs,
        updatedMs: nowMs,
      }
      await store.create(record)
      logger.info({ action: record.id, kind }, 'action accepted')
      tell(record.id)
      run(record)
      return record
    },
    find: store.byRequest,
    get: store.get,
    page: store.page,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const hasCode = (error: unknown, code: ErrorCode): boolean => isPostriderError(error) && error.code === code

function failureOf(error: unknown): NonNullable<ActionRecord['failure']> {
  if (!isPostriderError(error)) return reasonOf('API_INTERNAL')
  return { code: error.code, text: error.message }
}

const reasonOf = (code: 'API_ACTION_EXPIRED' | 'API_INTERNAL') => ({ code, text: errorTable[code].title })

/** A new id: sorts by time of creation, and is never made twice. */
function actionId(nowMs: number, random: Random): string {
  return `a${String(nowMs).padStart(14, '0')}-${Buffer.from(random.bytes(8)).toString('hex')}`
}
