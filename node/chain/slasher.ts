import {
  openSlashCase,
  type SlashCase,
  type SlashEffect,
  type SlashEvent,
  type SlashPhase,
  slashCaseEnded,
  slashCommitHash,
  slashingReducer,
} from '@postrider/protocol/rln'
import { bytesToHex, type Hex } from '@postrider/protocol/wire'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Random } from '../core/random.ts'
import type { Follower } from './follower.ts'
import type { SlashChain } from './slash-chain.ts'
import { sendCommit, sendReveal, slashedEvent } from './slash-steps.ts'

/** What a case has reached, for the store. */
export type SlashProgress = {
  state: SlashPhase
  nonce?: Hex
  commitHash?: Hex
  commitBlock?: number
  revealTx?: Hex
  /** Base units paid to this node. */
  reward?: bigint
  /** Why it ended without a reward. */
  reason?: string
  /** Failed transactions. */
  attempts?: number
}

/** A case at rest. */
export type StoredSlashCase = {
  commitment: bigint
  secret: bigint
  state: SlashPhase
  nonce?: Hex | undefined
  attempts: number
}

/** Where cases are kept; the part that finds breaches stores them before it reports them. */
export type SlashCaseStore = {
  list(filter: { states: readonly SlashPhase[] }): Promise<StoredSlashCase[]>
  update(commitment: bigint, progress: SlashProgress): Promise<void>
}

/** Turns recovered secrets into slashings, in its own time, across restarts and outages. */
export type Slasher = {
  /** Takes up the cases that were open. */
  start(): Promise<void>
  /** Sends nothing more; what is open stays in the store. */
  stop(): Promise<void>
  /** Opens the case of a breach that is in the store; nothing happens if it is open already. */
  report(breach: { commitment: bigint; secret: bigint }): Promise<void>
  /** Cases that have not ended. */
  open(): readonly SlashCase[]
}

export type SlasherComponents = {
  chain: SlashChain
  follower: Pick<Follower, 'subscribe' | 'status'>
  cases: SlashCaseStore
  random: Random
  logger: Logger
  metrics?: Metrics
}

const OPEN_PHASES: readonly SlashPhase[] = ['found', 'committed', 'revealable']

export function createSlasher(components: SlasherComponents): Slasher {
  const { chain, follower, cases, random, logger, metrics } = components
  const open = new Map<bigint, SlashCase>()
  /** One chain of steps a case, so that states reach the disk in order and before what they cause. */
  const tails = new Map<bigint, Promise<void>>()
  let unsubscribe: (() => void) | undefined
  let stopping = new AbortController()

  const ended = metrics?.counter('slash_cases_total', { help: 'Slashing cases by end', labels: ['end'] })
  metrics?.gauge('slash_cases_open', {
    help: 'Slashing cases under way',
    collect: (gauge) => gauge.set(open.size),
  })

  const inOrder = (commitment: bigint, task: () => Promise<void>): void => {
    const previous = tails.get(commitment) ?? Promise.resolve()
    tails.set(
      commitment,
      previous.then(task).catch((err) => retryLater(commitment, err)),
    )
  }

  const dispatch = (commitment: bigint, event: SlashEvent, notes: Partial<SlashProgress> = {}): void => {
    const before = open.get(commitment)
    if (!before || stopping.signal.aborted) return
    const { state, effects } = slashingReducer(before, event)
    if (state === before && effects.length === 0) return
    open.set(commitment, state)
    if (slashCaseEnded(state)) open.delete(commitment)
    inOrder(commitment, () => take(state, effects, notes))
  }

  /** What a transaction leaves to note. A case that has ended meanwhile has said it all. */
  const note = (commitment: bigint, notes: Partial<SlashProgress>): void => {
    const now = open.get(commitment)
    if (!now || stopping.signal.aborted) return
    inOrder(commitment, () => cases.update(commitment, { state: now.phase, ...notes }))
  }

  const take = async (
    state: SlashCase,
    effects: readonly SlashEffect[],
    notes: Partial<SlashProgress>,
  ): Promise<void> => {
    const { commitment, phase, failures, committedAtBlock } = state
    const commitBlock = committedAtBlock === undefined ? {} : { commitBlock: Number(committedAtBlock) }
    await cases.update(commitment, { state: phase, attempts: failures, ...commitBlock, ...notes })
    for (const effect of effects) {
      if (effect.type === 'ended') finish(commitment, effect.phase)
      else void send(state, effect.type).catch((err) => retryLater(commitment, err))
    }
  }

  const finish = (commitment: bigint, phase: SlashPhase): void => {
    tails.delete(commitment)
    ended?.inc({ end: phase })
    logger.info({ commitment, end: phase }, 'slashing case ended')
  }

  /** A transaction takes as long as it takes; its end comes back as events. */
  const send = async (state: SlashCase, step: 'sendCommit' | 'sendReveal'): Promise<void> => {
    const { commitment } = state
    if (stopping.signal.aborted) return
    const { events, notes } =
      step === 'sendCommit'
        ? await sendCommit({ chain, logger }, state, follower.status().headTimestamp ?? 0)
        : await sendReveal({ chain, logger }, state)
    for (const event of events) dispatch(commitment, event, notes)
    if (events.length === 0) note(commitment, notes)
  }

  const retryLater = (commitment: bigint, err: unknown): void => {
    logger.error({ err, commitment }, 'cannot store the slashing case')
    const now = open.get(commitment)
    if (now) open.set(commitment, { ...now, sending: false })
  }

  const look = (commitment: bigint): void => {
    const slashing = chain.slashing(commitment)
    const { state, head, headTimestamp } = follower.status()
    const ours = open.get(commitment)
    if (!ours) return
    if (slashing) {
      const event = slashedEvent(slashing, chain.slasher)
      const { reward, txHash: revealTx } = slashing
      dispatch(commitment, event, event.byUs ? { reward, revealTx } : { reason: 'another account was first' })
    } else if (state === 'following' && head !== undefined && headTimestamp !== undefined) {
      const turn = chain.turn(slashCommitHash(chain.slasher, ours.secret, ours.nonce))
      dispatch(commitment, { type: 'head', block: BigInt(head), time: BigInt(headTimestamp), turn })
    }
  }

  const lookAtAll = (): void => {
    for (const commitment of [...open.keys()]) look(commitment)
  }

  const add = async (stored: Omit<StoredSlashCase, 'state'>): Promise<void> => {
    const { commitment, secret, attempts } = stored
    if (open.has(commitment)) return
    const nonce = stored.nonce ?? bytesToHex(random.bytes(32))
    open.set(commitment, { ...openSlashCase({ commitment, secret, nonce }), failures: attempts })
    // From `found` on, whatever was reached: a promise that stands is found on chain again.
    const commitHash = slashCommitHash(chain.slasher, secret, nonce)
    await cases.update(commitment, { state: 'found', nonce, commitHash })
  }

  return {
    async start() {
      stopping = new AbortController()
      for (const stored of await cases.list({ states: OPEN_PHASES })) await add(stored)
      unsubscribe = follower.subscribe(lookAtAll)
      lookAtAll()
    },
    async stop() {
      stopping.abort()
      unsubscribe?.()
      await Promise.all(tails.values())
    },
    async report({ commitment, secret }) {
      await add({ commitment, secret, attempts: 0 })
      look(commitment)
    },
    open: () => [...open.values()],
  }
}
