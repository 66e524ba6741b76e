import { type GossipsubMessage, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Logger } from '../core/logger.ts'
import type { Gossip } from '../core/p2p/gossip.ts'
import { INVALID_MESSAGE_POINTS } from './constants.ts'
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
  return verdict.kind === 'reject' || bothFromSender ? INVALID_MESSAGE_POINTS : 0
}

export type GossipInletComponents = {
  gossip: Gossip
  validate(pubsubTopic: string, data: Uint8Array, source: Source): Promise<Outcome>
  penalise(peer: string, points: number): void
  logger: Logger
}

/** Feeds gossip into the validator and reports its verdicts back. */
export function createGossipInlet(components: GossipInletComponents, topics: readonly string[]) {
  const { gossip, validate, penalise, logger } = components

  const handle = async ({ msgId, msg, propagationSource }: GossipsubMessage): Promise<void> => {
    const peer = propagationSource.toString()
    try {
      const outcome = await validate(msg.topic, msg.data, { via: 'gossip', peer })
      gossip.reportMessageValidationResult(msgId, peer, gossipResult(outcome))
      const points = pointsFor(outcome)
      if (points > 0) penalise(peer, points)
    } catch (err) {
      logger.error({ err }, 'validation failed')
      gossip.reportMessageValidationResult(msgId, peer, TopicValidatorResult.Ignore)
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
