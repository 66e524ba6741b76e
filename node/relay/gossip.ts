import { type GossipsubMessage, TopicValidatorResult } from '@libp2p/gossipsub'
import type { ErrorCode } from '@postrider/protocol/errors'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Gossip } from '../core/p2p/gossip.ts'
import { INVALID_MESSAGE_POINTS, INVALID_PROOF_POINTS, STAND_IN_POLL_MS } from './constants.ts'
import type { Outcome, Source } from './types.ts'

/**
 * What gossipsub is told. A rejection punishes every peer that sent the message, so it is only for what no honest node
 * forwards. Half of a breach is not: whoever heard that half first forwarded it in good faith.
 */
export function gossipResult({ verdict, identical }: Outcome): TopicValidatorResult {
  switch (verdict.kind) {
    case 'accept':
      return TopicValidatorResult.Accept
    case 'reject':
      return TopicValidatorResult.Reject
    case 'breach':
      return TopicValidatorResult.Ignore
    case 'ignore':
      // The same bytes came by lightpush while this copy was on its way. Publishing skipped them as seen, so
      // this copy is the one that has to be forwarded.
      return identical ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore
  }
}

/**
 * Penalty points for the one peer that a message came from. The peer that sent both halves of a breach gets them
 * here and not from gossipsub, which would punish the senders of copies too.
 */
function pointsFor({ verdict, bothFromSender }: Outcome): number {
  if (verdict.kind === 'reject')
    return verdict.code === 'RLN_PROOF_INVALID' ? INVALID_PROOF_POINTS : INVALID_MESSAGE_POINTS
  return bothFromSender ? INVALID_MESSAGE_POINTS : 0
}

/** Ignored for a reason that passes: a later copy of the message must not be taken for a repetition. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RELAY_OVERLOADED',
  'RELAY_PEER_BUDGET',
  'RELAY_LOG_FULL',
  'RLN_SLOT_BUSY',
  'RLN_UNKNOWN_ROOT',
])

const codeOf = ({ verdict }: Outcome): ErrorCode | undefined =>
  verdict.kind === 'ignore' ? verdict.code : undefined

export type GossipInletComponents = {
  gossip: Gossip
  validate(pubsubTopic: string, data: Uint8Array, source: Source): Promise<Outcome>
  /** Whether the messages of a peer are verified before those of others. */
  isTrusted(peer: string): boolean
  penalise(peer: string, points: number): void
  clock: Clock
  logger: Logger
}

/** A verdict, and in whose name it was given. */
type Decision = { outcome: Outcome; peer: string }

/** Feeds gossip into the validator and reports its verdicts back. */
export function createGossipInlet(components: GossipInletComponents, topics: readonly string[]) {
  const { gossip, validate, isTrusted, penalise, clock, logger } = components

  const ask = async ({ msg }: GossipsubMessage, peer: string): Promise<Decision> => ({
    outcome: await validate(msg.topic, msg.data, { via: 'gossip', peer }),
    peer,
  })

  /** In the name of a trusted sender of the same message, as soon as there is one; else as `own` says. */
  const askStandIn = async (
    message: GossipsubMessage,
    own: Promise<Decision>,
    decided: AbortSignal,
  ): Promise<Decision> => {
    while (!decided.aborted) {
      await clock.sleep(STAND_IN_POLL_MS, decided).catch(() => undefined)
      const peer = decided.aborted ? undefined : gossip.otherSenders(message.msgId).find(isTrusted)
      if (peer === undefined) continue
      const decision = await ask(message, peer)
      return decision.outcome.verdict.kind === 'ignore' ? own : decision
    }
    return own
  }

  /** In the name of one sender. What an untrusted one sends may wait for long; a trusted one then stands in. */
  const decideAs = async (message: GossipsubMessage, peer: string): Promise<Decision> => {
    if (isTrusted(peer)) return ask(message, peer)
    const decided = new AbortController()
    const own = ask(message, peer).finally(() => decided.abort())
    return Promise.race([own, askStandIn(message, own, decided.signal)])
  }

  /**
   * In the name of the first sender. When only that one may not send more now, the next one that sent the same message
   * stands in: being first with a message must not keep it from the node.
   */
  const decide = async (message: GossipsubMessage): Promise<Decision> => {
    const tried = new Set<string>()
    for (let peer: string | undefined = message.propagationSource.toString(); ; ) {
      tried.add(peer)
      const decision = await decideAs(message, peer)
      const next = gossip.otherSenders(message.msgId).find((other) => !tried.has(other))
      if (codeOf(decision.outcome) !== 'RELAY_PEER_BUDGET' || next === undefined) return decision
      peer = next
    }
  }

  const handle = async (message: GossipsubMessage): Promise<void> => {
    const { msgId, msg, propagationSource } = message
    const first = propagationSource.toString()
    try {
      const { outcome, peer } = await decide(message)
      gossip.reportMessageValidationResult(msgId, first, gossipResult(outcome))
      const points = pointsFor(outcome)
      if (points > 0) penalise(peer, points)
      const code = codeOf(outcome)
      if (code && PASSING.has(code)) gossip.forget({ messageId: msgId, topic: msg.topic, data: msg.data })
    } catch (err) {
      logger.error({ err }, 'validation failed')
      gossip.reportMessageValidationResult(msgId, first, TopicValidatorResult.Ignore)
    }
  }

  const onMessage = (event: CustomEvent<GossipsubMessage>) => void handle(event.detail)

  return {
    start() {
      gossip.addEventListener('gossipsub:message', onMessage)
      for (const topic of topics) gossip.subscribe(topic)
    },
    stop() {
      gossip.removeEventListener('gossipsub:message', onMessage)
      for (const topic of topics) gossip.unsubscribe(topic)
    },
  }
}
