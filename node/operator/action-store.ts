import type { ErrorCode } from '@postrider/protocol/errors'
import { type Db, dbErrors } from '../core/db/index.ts'
import { MAX_OPEN_ACTIONS } from './constants.ts'
import type { Step } from './plan.ts'

/** accepted: written down, under way; done: every transaction was mined and honoured; failed: one was not. */
export type ActionState = 'accepted' | 'done' | 'failed'

export type ActionStep = Pick<Step, 'label' | 'call'>

/** What the operator told the node to do on chain. */
export type ActionRecord = {
  /** Sorts by age. */
  id: string
  /** The request that asked for it; no two actions have the same. */
  request: string
  /** For example `stake.exit`. */
  kind: string
  state: ActionState
  steps: readonly ActionStep[]
  effects: readonly string[]
  failure: { code: ErrorCode; text: string } | undefined
  createdMs: number
  updatedMs: number
}

/** What has resolved survives a killed process. Every call throws `CORE_DB_FAILED` when the database refuses. */
export type ActionStore = {
  get(id: string): Promise<ActionRecord | undefined>
  byRequest(request: string): Promise<ActionRecord | undefined>
  /** Newest first, with ids below `before`. */
  page(page: { before?: string; limit: number }): Promise<ActionRecord[]>
  /** Those that have not ended, oldest first. */
  open(): Promise<ActionRecord[]>
  create(record: ActionRecord): Promise<void>
  end(id: string, end: Pick<ActionRecord, 'state' | 'failure' | 'updatedMs'>): Promise<void>
}

/** Keeps actions in node.db. */
export function createActionStore(db: Db): ActionStore {
  const one = async (where: { id: string } | { request: string }) => {
    const row = await dbErrors(db.operatorAction.findUnique({ where }))
    return row ? fromRow(row) : undefined
  }
  return {
    get: (id) => one({ id }),
    byRequest: (request) => one({ request }),
    async page({ before, limit }) {
      const where = before === undefined ? {} : { id: { lt: before } }
      const rows = db.operatorAction.findMany({ where, orderBy: { id: 'desc' }, take: limit })
      return (await dbErrors(rows)).map(fromRow)
    },
    async open() {
      const where = { state: 'accepted' satisfies ActionState }
      const rows = db.operatorAction.findMany({ where, orderBy: { id: 'asc' }, take: MAX_OPEN_ACTIONS })
      return (await dbErrors(rows)).map(fromRow)
    },
    async create(record) {
      await dbErrors(db.operatorAction.create({ data: toRow(record) }))
    },
    async end(id, { state, failure, updatedMs }) {
      const reason = failure && { code: failure.code, reason: failure.text }
      const data = { state, ...reason, updatedMs: BigInt(updatedMs) }
      await dbErrors(db.operatorAction.update({ where: { id }, data }))
    },
  }
}

type Row = Awaited<ReturnType<Db['operatorAction']['findUniqueOrThrow']>>

function toRow({ steps, effects, failure, createdMs, updatedMs, ...record }: ActionRecord): Row {
  return {
    ...record,
    steps: JSON.stringify(steps.map(({ label, call: { kind, to, data } }) => ({ label, kind, to, data }))),
    effects: JSON.stringify(effects),
    code: failure?.code ?? null,
    reason: failure?.text ?? null,
    createdMs: BigInt(createdMs),
    updatedMs: BigInt(updatedMs),
  }
}

function fromRow({ steps, effects, code, reason, state, createdMs, updatedMs, ...row }: Row): ActionRecord {
  const written = JSON.parse(steps) as ({ label: string } & ActionStep['call'])[]
  return {
    ...row,
    state: state as ActionState,
    steps: written.map(({ label, ...call }) => ({ label, call })),
    effects: JSON.parse(effects) as string[],
    failure: code === null ? undefined : { code: code as ErrorCode, text: reason ?? '' },
    createdMs: Number(createdMs),
    updatedMs: Number(updatedMs),
  }
}
