import { type ErrorCode, isPostriderError } from '@postrider/protocol/errors'
import {
  type CheckedMessage,
  EMPTY_SLOT,
  epochAt,
  MAX_CLOCK_GAP_SECONDS,
  type PrecheckResult,
  precheck,
  publicSignals,
  type SlotEffect,
  type SlotEvent,
  slotReducer,
  type Verdict,
} from '@postrider/protocol/rln'
import { equalBytes } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { createRateLimiter, type RateLimiterOptions } from '../core/rate-limiter.ts'
import { createAcceptedCache } from './accepted-cache.ts'
import {
  MAX_ACCEPTED_BYTES_BURST,
  MAX_ACCEPTED_BYTES_PER_SECOND,
  MAX_EVIDENCE_CACHE_BYTES,
  MAX_IN_FLIGHT,
  MAX_IN_FLIGHT_BYTES,
  MAX_NULLIFIERS,
  PRUNE_MARGIN_SECONDS,
  RELAY_VALIDATION_DEADLINE_MS,
} from './constants.ts'
import type { JournalEntry, NullifierJournal } from './nullifier-journal.ts'
import { createNullifierLog, type SlotKey } from './nullifier-log.ts'
import type { RootWait } from './root-wait.ts'
import type { FoundBreach, MembershipRoots, Outcome, ProofVerifier, Source } from './types.ts'

export type ValidatorComponents = {
  verifier: ProofVerifier
  roots: MembershipRoots
  rootWait: RootWait
  /** Absent: nullifiers are forgotten when the process ends. */
  journal?: NullifierJournal
  clock: Clock
  logger: Logger
  /** Called once for each nullifier that was used for two messages. */
  onBreach(breach: FoundBreach): void
}

export type ValidatorOptions = {
  network: { networkId: string; clusterId: number; shardCount: number; epochSeconds: number }
  maxNullifiers?: number
  maxInFlight?: number
  maxEvidenceBytes?: number
  /** Bytes of accepted messages. */
  acceptedBytes?: Pick<RateLimiterOptions, 'perSecond' | 'burst'>
}

/** The one way for a message into the node, by gossip and by lightpush alike. */
export type Validator = {
  /** Takes up the nullifiers of an earlier run. */
  start(): void
  /** Every message gets exactly one outcome; this never rejects. */
  validate(pubsubTopic: string, data: Uint8Array, source: Source): Promise<Outcome>
  /** Prunes epochs that are over and gives up verdicts that are overdue; called about once a second. */
  tick(): void
  /** Ignores whatever is in flight and everything that comes after. */
  stop(): void
  stats(): ValidatorStats
}

export type ValidatorStats = {
  /** Messages between precheck and verdict. */
  inFlight: number
  /** Entries of the nullifier log, how many it may have, and over how many epochs they are spread. */
  nullifiers: number
  maxNullifiers: number
  epochs: number
  /** Bytes kept as possible evidence. */
  evidenceBytes: number
}

type Pending = {
  key: SlotKey
  checked: CheckedMessage
  pubsubTopic: string
  data: Uint8Array
  source: Source
  sinceMs: number
  resolve(outcome: Outcome): void
}

const ACCEPTED_BYTES = { perSecond: MAX_ACCEPTED_BYTES_PER_SECOND, burst: MAX_ACCEPTED_BYTES_BURST }
/** One bucket for all messages. */
const ALL = ''

/** The name of every message of an earlier run: no message in memory has it. */
const RESTORED = 'restored'

/** An ignore that is this node's own doing; nobody is punished for it. */
function ignore(code: ErrorCode): Verdict {
  return { kind: 'ignore', code }
}

export function createValidator(components: ValidatorComponents, options: ValidatorOptions): Validator {
  const { verifier, roots, rootWait, journal, clock, logger } = components
  const { network, maxInFlight = MAX_IN_FLIGHT, maxNullifiers = MAX_NULLIFIERS } = options
  const log = createNullifierLog(maxNullifiers)
  const cache = createAcceptedCache(options.maxEvidenceBytes ?? MAX_EVIDENCE_CACHE_BYTES)
  const accepted = createRateLimiter(clock, options.acceptedBytes ?? ACCEPTED_BYTES)
  const pending = new Map<string, Pending>()
  let pendingBytes = 0
  let lastId = 0
  let stopped = false

  const dispatch = (key: SlotKey, event: SlotEvent): void => {
    const { slot, effects } = slotReducer(log.get(key), event)
    log.put(key, slot) // before the effects: one of them may dispatch again
    for (const effect of effects) apply(key, effect, slot.accepted?.id)
  }

  const apply = (key: SlotKey, effect: SlotEffect, acceptedId: string | undefined): void => {
    const id = effect.type === 'verify' ? effect.entry.id : effect.id
    const message = pending.get(id)
    if (!message) return
    if (effect.type === 'verify') return void verify(key, id, message)
    pending.delete(id)
    pendingBytes -= message.data.length
    message.resolve(conclude(id, message, effect.verdict, acceptedId))
  }

  const verify = async (key: SlotKey, id: string, { checked, source }: Pending): Promise<void> => {
    const { proof, externalNullifier } = checked
    if (!verifier.canAccept()) return dispatch(key, { type: 'dropped', id, code: 'RELAY_OVERLOADED' })
    try {
      const valid = await verifier.verify(proof.proof, publicSignals(proof, externalNullifier), source.peer)
      dispatch(key, { type: 'verified', id, valid })
    } catch (err) {
      logger.debug({ err }, 'verification gave no answer')
      // Whatever failed, it was not the message: the code must be one that punishes nobody.
      const isPeers = isPostriderError(err) && err.code === 'ZK_SOURCE_BUDGET'
      dispatch(key, { type: 'dropped', id, code: isPeers ? 'RELAY_PEER_BUDGET' : 'RELAY_OVERLOADED' })
    }
  }

  const conclude = (id: string, message: Pending, verdict: Verdict, acceptedId?: string): Outcome => {
    if (verdict.kind === 'accept') return accept(id, message)
    const first = acceptedId === undefined ? undefined : cache.get(acceptedId)
    if (verdict.kind === 'breach') {
      const { secret, commitment } = verdict
      const { pubsubTopic, data } = message
      components.onBreach({
        pubsubTopic,
        first: first?.data ?? new Uint8Array(),
        second: data,
        secret,
        commitment,
      })
      return { verdict, bothFromSender: first?.peer === message.source.peer }
    }
    const duplicate = verdict.code === 'RLN_DUPLICATE' && first !== undefined
    return duplicate ? { verdict, identical: equalBytes(first.data, message.data) } : { verdict }
  }

  const accept = (id: string, { key, checked, pubsubTopic, data, source }: Pending): Outcome => {
    const { message, hash, proof } = checked
    // Before anybody hears of the message: after a restart a second one must not pass.
    journal?.append({ ...key, x: proof.x, y: proof.y, hash })
    accepted.take(ALL, data.length)
    cache.put(id, { data, peer: source.peer, epoch: key.epoch })
    return {
      verdict: { kind: 'accept' },
      accepted: { pubsubTopic, message, hash, receivedAtMs: clock.nowMs(), data },
    }
  }

  const restore = ({ x, y, ...key }: JournalEntry): void => {
    if (log.get(key).accepted || !log.hasRoom(key)) return
    log.put(key, { ...EMPTY_SLOT, accepted: { id: RESTORED, x, y } })
  }

  /** The first epoch of which a message may still come. */
  const oldestEpoch = (): bigint => {
    const oldestMs = clock.nowMs() - (MAX_CLOCK_GAP_SECONDS + PRUNE_MARGIN_SECONDS) * 1000
    return epochAt(oldestMs, network.epochSeconds)
  }

  /** A trusted source's message must not wait for a copy that another source put into a slower queue. */
  const isPreferred = (key: SlotKey, peer: string): boolean => {
    const sourceOf = ({ id }: { id: string }) => pending.get(id)?.source.peer
    const others = log.get(key).verifying.map(sourceOf)
    return verifier.isTrusted(peer) && others.every((other) => !other || !verifier.isTrusted(other))
  }

  const isFull = ({ length }: Uint8Array): boolean =>
    pending.size >= maxInFlight ||
    pendingBytes + length > MAX_IN_FLIGHT_BYTES ||
    accepted.waitMs(ALL, length) > 0

  const check = (pubsubTopic: string, data: Uint8Array): PrecheckResult & { root?: bigint } => {
    let root: bigint | undefined
    const rootKnown = (candidate: bigint): boolean => {
      root = candidate
      return roots.isKnown(candidate)
    }
    const result = precheck(data, pubsubTopic, { ...network, nowMs: clock.nowMs(), rootKnown })
    return root === undefined ? result : { ...result, root }
  }

  /** Precheck, with one wait for a root that is not known yet. */
  const checkOrWait = async (
    pubsubTopic: string,
    data: Uint8Array,
    peer: string,
  ): Promise<PrecheckResult> => {
    const result = check(pubsubTopic, data)
    const unknown = !result.ok && 'code' in result.verdict && result.verdict.code === 'RLN_UNKNOWN_ROOT'
    if (!unknown || result.root === undefined) return result
    return (await rootWait.wait(result.root, peer)) ? check(pubsubTopic, data) : result
  }

  return {
    start() {
      for (const entry of journal?.load(oldestEpoch()) ?? []) restore(entry)
    },
    async validate(pubsubTopic, data, source) {
      if (stopped) return { verdict: ignore('RELAY_STOPPED') }
      // Before the prechecks: under overload they would only cost what the verifier's thread lacks.
      if (!verifier.canAccept()) return { verdict: ignore('RELAY_OVERLOADED') }
      const checked = await checkOrWait(pubsubTopic, data, source.peer)
      if (!checked.ok) return { verdict: checked.verdict }
      const { externalNullifier, proof } = checked
      const key = { epoch: proof.epoch, externalNullifier, nullifier: proof.nullifier }
      if (stopped) return { verdict: ignore('RELAY_STOPPED') }
      if (isFull(data)) return { verdict: ignore('RELAY_OVERLOADED') }
      if (!log.hasRoom(key)) return { verdict: ignore('RELAY_LOG_FULL') }
      return new Promise((resolve) => {
        const id = String(++lastId)
        const sinceMs = clock.nowMs()
        pendingBytes += data.length
        pending.set(id, { key, checked, pubsubTopic, data, source, sinceMs, resolve })
        const entry = { id, x: proof.x, y: proof.y }
        dispatch(key, { type: 'arrived', entry, preferred: isPreferred(key, source.peer) })
      })
    },
    tick() {
      const nowMs = clock.nowMs()
      const epoch = oldestEpoch()
      log.pruneBefore(epoch)
      cache.pruneBefore(epoch)
      journal?.pruneBefore(epoch)
      for (const [id, { key, sinceMs }] of pending) {
        if (nowMs - sinceMs < RELAY_VALIDATION_DEADLINE_MS) break // the map is in order of arrival
        dispatch(key, { type: 'dropped', id, code: 'RELAY_OVERLOADED' })
      }
    },
    stop() {
      stopped = true
      for (const { resolve } of pending.values()) resolve({ verdict: ignore('RELAY_STOPPED') })
      pending.clear()
      journal?.close()
    },
    stats: () => ({
      inFlight: pending.size,
      nullifiers: log.size(),
      maxNullifiers,
      epochs: log.epochs(),
      evidenceBytes: cache.bytes(),
    }),
  }
}
