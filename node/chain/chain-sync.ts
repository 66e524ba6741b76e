import { isPostriderError, type PostriderError } from '@postrider/protocol/errors'
import type { Clock } from '../core/clock.ts'
import { abortable, abortReason } from '../core/deadline.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { AUDIT_DEPTH_BLOCKS, AUDIT_INTERVAL_MS, HEAD_TOLERANCE_BLOCKS } from './constants.ts'
import {
  advance,
  checkpointToVerify,
  inconsistent,
  nextStep,
  orderEvents,
  type Position,
  rewind,
} from './follower-rules.ts'
import type { BlockHeader, ChainEvent, ChainLogStore, ChainSource, Checkpoint, Projection } from './types.ts'

export type ChainSyncComponents = {
  clock: Clock
  logger: Logger
  metrics?: Metrics
  source: ChainSource
  store: ChainLogStore
  projections: readonly Projection[]
}

export type ChainSyncOptions = {
  /** Identifies chain and contracts; a log of another network is not used. */
  fingerprint: string
  /** Block of the deployment: nothing of interest is older. */
  deployBlock: number
  /** Blocks on top before a block counts. */
  confirmations: number
  /** Most blocks asked for at once. */
  maxBlockRange: number
}

/** Keeps the log of events, and the views built from it, equal to the chain. One poll at a time. */
export type ChainSync = {
  /** Loads the log from disk and builds the views. */
  load(): Promise<void>
  /**
   * One look at the chain: undoes what was reorganised, applies what has its confirmations.
   *
   * @throws PostriderError of the chain or the database; `CORE_ABORTED` with everything kept consistent
   */
  poll(signal: AbortSignal): Promise<void>
  /** Forgets everything and reads it again at the next poll. */
  restart(): Promise<void>
  state(): ChainSyncState
}

export type ChainSyncState = {
  /** Last block in the views, and its time, Unix seconds; undefined before the first. */
  block: number | undefined
  blockTimestamp: number | undefined
  /** Newest block that was seen. */
  head: BlockHeader | undefined
  /** Every confirmed block was applied, up to the polls under way. */
  caughtUp: boolean
  /** The newest block is far below one that was seen before, on the same chain: the endpoint lags. */
  behind: boolean
  /** Reorganisations undone since the start. */
  reorgs: number
}

export function createChainSync(components: ChainSyncComponents, options: ChainSyncOptions): ChainSync {
  const { clock, logger, source, store, projections, metrics } = components
  const { fingerprint, deployBlock } = options
  const beginning: Position = { nextBlock: deployBlock, checkpoints: [] }
  let position = beginning
  let head: BlockHeader | undefined
  let doneHash: string | undefined
  let caughtUp = false
  let reorgs = 0
  /** Greatest height that was seen since the last reorganisation. */
  let highest = 0
  let lastAuditMs = Number.NEGATIVE_INFINITY
  /** Up to here the views were found equal to the contracts. */
  let audited: Checkpoint | undefined
  /** The endpoint that events were read from is suspected already; nothing was read since. */
  let suspected = false

  const load = async (): Promise<void> => {
    const snapshot = await store.load(fingerprint)
    position = snapshot ?? beginning
    const tip = position.checkpoints.at(-1)
    for (const projection of projections) projection.reset(snapshot?.events ?? [], tip)
  }

  const undo = async (next: Position): Promise<void> => {
    logger.warn({ from: position.nextBlock - 1, to: next.nextBlock - 1 }, 'undoing blocks')
    caughtUp = false
    doneHash = undefined
    await store.truncate(fingerprint, next.nextBlock)
    await load()
  }

  const undoReorganised = async (read: ChainSource, newest: BlockHeader): Promise<void> => {
    const next = await findCommon(read, position, newest)
    if (next === position) return
    reorgs++
    highest = newest.number
    if (!next) metrics?.error('CHAIN_REORG_TOO_DEEP')
    await undo(next ?? beginning)
  }

  /** State of older blocks is not kept by every endpoint; what was missed there is found by the audit. */
  const verify = async (events: readonly ChainEvent[], block: number, newest: BlockHeader) => {
    for (const projection of projections) projection.check?.(events)
    if (newest.number - block > AUDIT_DEPTH_BLOCKS) return
    for (const projection of projections) await projection.verify?.(events, block)
  }

  const applyRange = async (
    read: ChainSource,
    from: number,
    to: number,
    newest: BlockHeader,
  ): Promise<void> => {
    const { last, events } = await readRange(read, position, from, to)
    suspected = false
    await verify(events, to, newest)
    const next = advance(position, events, last)
    await store.append({ fingerprint, newFrom: from, events, ...next })
    position = next
    for (const projection of projections) projection.apply(events, last)
  }

  const applyNew = async (read: ChainSource, newest: BlockHeader, signal: AbortSignal): Promise<void> => {
    for (;;) {
      const step = nextStep(position, newest.number, options)
      if (step.type === 'wait') return
      if (signal.aborted) throw abortReason(signal)
      if (step.to < newest.number - options.confirmations) caughtUp = false
      await applyRange(read, step.from, step.to, newest)
    }
  }

  const peek = async (read: ChainSource, newest: BlockHeader): Promise<void> => {
    if (!projections.some((projection) => projection.peek)) return
    const from = position.nextBlock
    const events = newest.number >= from ? await read.events(from, newest.number) : []
    for (const projection of projections) projection.peek?.(events)
  }

  const audit = async (newest: BlockHeader, signal: AbortSignal): Promise<void> => {
    const block = position.nextBlock - 1
    const due = clock.nowMs() - lastAuditMs >= AUDIT_INTERVAL_MS
    if (!due || block < deployBlock || block > newest.number || newest.number - block > AUDIT_DEPTH_BLOCKS)
      return
    try {
      for (const { audit: compare } of projections) if (compare) await abortable(compare(block), signal)
    } catch (error) {
      if (isInconsistent(error)) await undoUnaudited()
      throw error
    }
    lastAuditMs = clock.nowMs()
    audited = position.checkpoints.at(-1)
  }

  /** What was missed lies behind the last good audit: it is read again, from another endpoint if there is one. */
  const undoUnaudited = async (): Promise<void> => {
    const good = position.checkpoints.find(({ hash }) => hash === audited?.hash)
    if (good && good.number < position.nextBlock - 1) await undo(rewind(position, good))
  }

  const checkTime = ({ number, timestamp }: BlockHeader): void => {
    const known = position.checkpoints.at(-1)
    if (known && number >= known.number && timestamp < known.timestamp) {
      throw inconsistent(`block ${number} is dated before block ${known.number}`)
    }
  }

  const look = async (signal: AbortSignal): Promise<void> => {
    const read = abortableSource(source, signal)
    const newest = await read.head()
    head = newest
    if (newest.hash !== doneHash) {
      await undoReorganised(read, newest)
      checkTime(newest)
      highest = Math.max(highest, newest.number)
      await applyNew(read, newest, signal)
      await peek(read, newest)
      doneHash = newest.hash
      caughtUp = true
    }
    await audit(newest, signal)
  }

  return {
    load,
    async poll(signal) {
      try {
        await look(signal)
      } catch (error) {
        if (isInconsistent(error) && !suspected) {
          suspected = true
          source.suspect?.(error)
        }
        throw error
      }
    },
    async restart() {
      lastAuditMs = Number.NEGATIVE_INFINITY
      await undo(beginning)
    },
    state: () => ({
      block: position.checkpoints.length > 0 ? position.nextBlock - 1 : undefined,
      blockTimestamp: position.checkpoints.at(-1)?.timestamp,
      head,
      caughtUp,
      behind:
        head !== undefined && head.number + HEAD_TOLERANCE_BLOCKS < Math.max(highest, position.nextBlock - 1),
      reorgs,
    }),
  }
}

function isInconsistent(error: unknown): error is PostriderError {
  return isPostriderError(error) && error.code === 'CHAIN_LOGS_INCONSISTENT'
}

/** A source whose calls reject as soon as the signal aborts, so that stopping does not wait for a slow endpoint. */
function abortableSource(source: ChainSource, signal: AbortSignal): ChainSource {
  return {
    head: () => abortable(source.head(), signal),
    block: (number) => abortable(source.block(number), signal),
    events: (from, to) => abortable(source.events(from, to), signal),
  }
}

/** `position` itself if the chain still has it, the one to go back to, or undefined if no remembered block is left. */
async function findCommon(
  read: ChainSource,
  position: Position,
  newest: BlockHeader,
): Promise<Position | undefined> {
  const known = checkpointToVerify(position, newest.number)
  if (!known || (await hashAt(read, known.number, newest)) === known.hash) return position
  for (const older of position.checkpoints.filter(({ number }) => number < known.number).toReversed()) {
    if ((await hashAt(read, older.number, newest)) === older.hash) return rewind(position, older)
  }
  return undefined
}

async function hashAt(read: ChainSource, number: number, newest: BlockHeader): Promise<string> {
  const block = number === newest.number ? newest : await read.block(number)
  if (!block) throw inconsistent(`block ${number} is missing below block ${newest.number}`)
  return block.hash
}

/** Reads a range so that all of it belongs to one chain, which continues `position`. */
async function readRange(
  read: ChainSource,
  position: Position,
  from: number,
  to: number,
): Promise<{ last: BlockHeader; events: ChainEvent[] }> {
  const last = await read.block(to)
  if (!last) throw inconsistent(`block ${to} is missing`)
  const events = orderEvents(await read.events(from, to), from, last)
  const previous = position.checkpoints.at(-1)
  if (previous && (await read.block(previous.number))?.hash !== previous.hash) {
    throw inconsistent(`block ${previous.number} changed while events were read`)
  }
  // Asked last: a block's hash fixes all its ancestors, so everything above was read from this very chain.
  if ((await read.block(to))?.hash !== last.hash) {
    throw inconsistent(`block ${to} changed while events were read`)
  }
  return { last, events }
}
