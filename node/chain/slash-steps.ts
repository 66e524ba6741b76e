import { isPostriderError } from '@postrider/protocol/errors'
import { type SlashCase, type SlashEvent, slashCommitHash } from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import type { Logger } from '../core/logger.ts'
import type { SlashChain } from './slash-chain.ts'
import type { Slashing } from './slashings.ts'

/** What a transaction led to: events for the case's rule, and what to note in the store. */
export type StepResult = {
  events: SlashEvent[]
  notes: { commitHash?: Hex; revealTx?: Hex; reason?: string }
}

/** Refusals that say that our promise is not on chain (any more). */
const PROMISE_GONE: ReadonlySet<unknown> = new Set([
  'RlnMembership_NotCommitted',
  'RlnMembership_CommitExpired',
])

/** A refusal that the next block lifts, from endpoints that simulate on the newest block and not on the next. */
const TOO_EARLY = 'RlnMembership_RevealTooEarly'

/** Who took the deposit, as an event. */
export function slashedEvent({ slasher }: Slashing, us: string): SlashEvent & { type: 'slashed' } {
  return { type: 'slashed', byUs: slasher.toLowerCase() === us.toLowerCase() }
}

/**
 * Sends the promise unless it stands already. Never throws.
 *
 * @param nowSeconds the chain's time, Unix seconds
 */
export async function sendCommit(
  { chain, logger }: { chain: SlashChain; logger: Logger },
  state: SlashCase,
  nowSeconds: number,
): Promise<StepResult> {
  const { commitment, secret, nonce, failures } = state
  const commitHash = slashCommitHash(chain.slasher, secret, nonce)
  return explained(logger, state, async () => {
    const deposit = await chain.deposit(commitment)
    if (deposit === 'gone') return { events: [{ type: 'gone' }], notes: { reason: 'there is no deposit' } }
    // Who did it counts once it is confirmed; until then only nothing is sent.
    if (deposit === 'slashed') return { events: [{ type: 'restarted' }], notes: {} }
    const before = await chain.promise(commitHash)
    if (!before || before.expiresAt <= BigInt(nowSeconds)) {
      // The block of an expired promise makes the key new; a restart in between finds the same key.
      await chain.commit(commitHash, `slash-commit/${commitHash}/${before?.block ?? 0n}/${failures}`)
    }
    const promise = await chain.promise(commitHash)
    const event: SlashEvent = promise ? { type: 'committed', ...promise } : { type: 'sendFailed' }
    return { events: [event], notes: { commitHash } }
  })
}

/** Sends the secret. Never throws. The end of the case comes with the confirmed event. */
export async function sendReveal(
  { chain, logger }: { chain: SlashChain; logger: Logger },
  state: SlashCase,
): Promise<StepResult> {
  const { commitment, secret, nonce, failures } = state
  const commitHash = slashCommitHash(chain.slasher, secret, nonce)
  return explained(logger, state, async () => {
    // Who did it counts once it is confirmed; until then only nothing is sent.
    if ((await chain.deposit(commitment)) === 'slashed') return { events: [{ type: 'restarted' }], notes: {} }
    const revealTx = await chain.reveal(secret, nonce, `slash-reveal/${commitHash}/${failures}`)
    return { events: [], notes: { revealTx } }
  })
}

/** Only a refusal by the contract counts as a failure: an outage of hours must not end a case. */
async function explained(
  logger: Logger,
  { commitment, phase }: SlashCase,
  step: () => Promise<StepResult>,
): Promise<StepResult> {
  try {
    return await step()
  } catch (err) {
    const refusal = isPostriderError(err) && err.code === 'CHAIN_REVERTED' ? err.data.errorName : undefined
    if (refusal === TOO_EARLY) return { events: [{ type: 'restarted' }], notes: {} }
    if (refusal === undefined) {
      logger.warn({ err, commitment, phase }, 'cannot slash now; will try again')
      return { events: [{ type: 'restarted' }], notes: {} }
    }
    logger.info({ commitment, phase, refusal }, 'the contract refused')
    const events: SlashEvent[] = [{ type: 'sendFailed' }]
    if (PROMISE_GONE.has(refusal)) events.push({ type: 'uncommitted' })
    return { events, notes: { reason: String(refusal) } }
  }
}
