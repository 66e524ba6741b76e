import { PostriderError } from '@postrider/protocol/errors'
import type { SlashPhase } from '@postrider/protocol/rln'
import { bigIntToBytes, bytesToBigInt, bytesToHex, type Hex, hexToBytes } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import { amountFromText, amountToText, type Db } from '../core/db/index.ts'
import { MAX_CASES_LISTED } from './constants.ts'
import type { CaseProgress, EvidenceStore, FoundBreach, SlashCaseRecord } from './types.ts'

type Row = NonNullable<Awaited<ReturnType<Db['slashCase']['findUnique']>>>

/** An evidence store that tells of its changes. */
export type ObservableEvidenceStore = EvidenceStore & {
  /** Calls `listener` with the member of each case that was added or went on; returns the way to stop it. */
  subscribe(listener: (commitment: bigint) => void): () => void
  /** Cases, newest first, after one of them: a page holds the evidence of each, so it is kept small. */
  page(request: {
    limit: number
    after?: Pick<SlashCaseRecord, 'foundMs' | 'commitment'>
    states?: readonly SlashPhase[]
  }): Promise<SlashCaseRecord[]>
}

/** Evidence in node.db: one row of `slash_cases` for each member. */
export function createEvidenceStore({ db, clock }: { db: Db; clock: Clock }): ObservableEvidenceStore {
  const listeners = new Set<(commitment: bigint) => void>()
  const notify = (commitment: bigint): void => {
    for (const listener of listeners) listener(commitment)
  }

  return {
    async add(breach) {
      try {
        await db.slashCase.create({ data: toRow(breach, BigInt(clock.nowMs())) })
        notify(breach.commitment)
        return true
      } catch (error) {
        if (isUniqueViolation(error)) return false
        throw error
      }
    },
    async get(commitment) {
      const row = await db.slashCase.findUnique({ where: { commitment: toHex(commitment) } })
      return row ? fromRow(row) : undefined
    },
    async list({ states } = {}) {
      const rows = await db.slashCase.findMany({
        ...(states ? { where: { state: { in: [...states] } } } : {}),
        orderBy: [{ foundMs: 'desc' }, { commitment: 'asc' }],
        take: MAX_CASES_LISTED,
      })
      return rows.map(fromRow)
    },
    async page({ limit, after, states }) {
      const rows = await db.slashCase.findMany({
        where: { ...(states && { state: { in: [...states] } }), ...(after && isAfter(after)) },
        orderBy: [{ foundMs: 'desc' }, { commitment: 'asc' }],
        take: Math.min(limit, MAX_CASES_LISTED),
      })
      return rows.map(fromRow)
    },
    async update(commitment, progress) {
      const { count } = await db.slashCase.updateMany({
        where: { commitment: toHex(commitment) },
        data: { ...progressColumns(progress), updatedMs: BigInt(clock.nowMs()) },
      })
      if (count === 0)
        throw new PostriderError('RELAY_CASE_UNKNOWN', { data: { commitment: toHex(commitment) } })
      notify(commitment)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** Condition of a row that comes after this one in a list, newest first. */
function isAfter({ foundMs, commitment }: Pick<SlashCaseRecord, 'foundMs' | 'commitment'>) {
  const at = BigInt(foundMs)
  return { OR: [{ foundMs: { lt: at } }, { foundMs: at, commitment: { gt: toHex(commitment) } }] }
}

/** Prisma's P2002: the member has a case already. */
function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'P2002'
}

function toRow({ pubsubTopic, first, second, secret, commitment }: FoundBreach, nowMs: bigint) {
  return {
    commitment: toHex(commitment),
    pubsubTopic,
    first: Uint8Array.from(first),
    second: Uint8Array.from(second),
    secret: toHex(secret),
    state: 'found' satisfies SlashPhase,
    foundMs: nowMs,
    updatedMs: nowMs,
  }
}

function progressColumns({ reward, ...progress }: CaseProgress) {
  return { ...progress, ...(reward === undefined ? {} : { reward: amountToText(reward) }) }
}

function fromRow(row: Row): SlashCaseRecord {
  const { pubsubTopic, first, second, attempts } = row
  return {
    pubsubTopic,
    first,
    second,
    attempts,
    commitment: bytesToBigInt(hexToBytes(row.commitment)),
    secret: bytesToBigInt(hexToBytes(row.secret)),
    state: row.state as SlashPhase,
    foundMs: Number(row.foundMs),
    updatedMs: Number(row.updatedMs),
    ...(row.nonce === null ? {} : { nonce: row.nonce as Hex }),
    ...(row.commitHash === null ? {} : { commitHash: row.commitHash as Hex }),
    ...(row.commitBlock === null ? {} : { commitBlock: row.commitBlock }),
    ...(row.revealTx === null ? {} : { revealTx: row.revealTx as Hex }),
    ...(row.reward === null ? {} : { reward: amountFromText(row.reward) }),
    ...(row.reason === null ? {} : { reason: row.reason }),
  }
}

function toHex(element: bigint): Hex {
  return bytesToHex(bigIntToBytes(element, 32))
}
