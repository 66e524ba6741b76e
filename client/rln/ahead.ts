import type { RlnInputs } from '@postrider/circuits/engine'
import { isPostriderError, type PostriderError } from '@postrider/protocol/errors'
import type { Clock } from '../core/clock.ts'
import { toPostriderError } from '../core/errors.ts'
import { AHEAD_CHECK_MS, AHEAD_IDLE_MS, AHEAD_PAUSE_MS, MAX_UNUSED_AHEAD } from './constants.ts'
import type { PreparedProof, ProofEngine } from './types.ts'

/** What a proof is made from before its message is known. */
export type InputsAhead = Omit<RlnInputs, 'x'>

export type AheadComponents = {
  engine: Pick<ProofEngine, 'proveAhead'>
  clock: Clock
  /** What the next message on a topic would be proven from now; undefined if it could not be proven. */
  next(pubsubTopic: string): Promise<InputsAhead | undefined>
  onError(error: PostriderError): void
}

/** Makes the next message's proof as far as it goes without the message, while nothing else is proven. */
export interface AheadProver {
  start(): void
  stop(): Promise<void>
  /** Where the next message is likely to be published. */
  expect(pubsubTopic: string): void
  /**
   * The proof made ahead from exactly these inputs, if it is ready. Whatever else was made or begun is given up, so
   * that the prover is free for the message that is there now.
   */
  take(inputs: InputsAhead): PreparedProof | undefined
}

type Held = { key: string; abort: AbortController; proof?: PreparedProof }

/**
 * The message id is the one that the allocator would give next. It is only looked at, and taken when the message is
 * there; until then nothing exists that tells of it. So no id is burnt, and when the id, the epoch or the tree's root
 * is another one by then, the work is thrown away and the proof made at once.
 */
export function createAheadProver({ engine, clock, next, onError }: AheadComponents): AheadProver {
  const stopped = new AbortController()
  let topic: string | undefined
  let held: Held | undefined
  let following: Promise<unknown> = Promise.resolve()
  let idleSinceMs = Number.NEGATIVE_INFINITY
  let begunAtMs = Number.NEGATIVE_INFINITY
  let unused = 0

  const giveUp = () => {
    held?.abort.abort()
    held?.proof?.drop()
    held = undefined
  }
  const isDue = () => {
    const nowMs = clock.nowMs()
    const rested = unused === 0 || nowMs - begunAtMs >= AHEAD_PAUSE_MS
    return rested && unused < MAX_UNUSED_AHEAD && nowMs - idleSinceMs >= AHEAD_IDLE_MS
  }
  const make = async (inputs: InputsAhead) => {
    const own: Held = { key: keyOf(inputs), abort: new AbortController() }
    held = own
    begunAtMs = clock.nowMs()
    unused++
    try {
      const proof = await engine.proveAhead(inputs, { signal: own.abort.signal })
      if (held === own) own.proof = proof
      else proof.drop()
    } catch (error) {
      // It stays held without a proof: the same inputs would fail again.
      if (!own.abort.signal.aborted) throw error
    }
  }
  const refresh = async () => {
    if (topic === undefined || !isDue()) return
    const wanted = topic
    const inputs = await next(wanted)
    // A message or another topic came meanwhile.
    if (topic !== wanted || !isDue() || stopped.signal.aborted) return
    if (held?.key === (inputs && keyOf(inputs))) return
    giveUp()
    if (inputs) await make(inputs)
  }
  const follow = async () => {
    for (;;) {
      await clock.sleep(AHEAD_CHECK_MS, stopped.signal)
      await refresh().catch((error) => onError(toPostriderError(error, 'CLIENT_PROVER_FAILED')))
    }
  }

  return {
    start() {
      following = follow().catch((error) => {
        if (!isPostriderError(error) || error.code !== 'CLIENT_ABORTED') throw error
      })
    },
    async stop() {
      stopped.abort()
      giveUp()
      await following
    },
    expect(pubsubTopic) {
      topic = pubsubTopic
      unused = held === undefined ? 0 : 1
    },
    take(inputs) {
      const found = held
      idleSinceMs = clock.nowMs()
      unused = 0
      if (found?.proof === undefined || found.key !== keyOf(inputs)) {
        giveUp()
        return undefined
      }
      held = undefined
      return found.proof
    },
  }
}

function keyOf(inputs: InputsAhead): string {
  const { externalNullifier, messageId, userMessageLimit, pathElements, identityPathIndex } = inputs
  return [externalNullifier, messageId, userMessageLimit, ...pathElements, ...identityPathIndex].join(' ')
}
