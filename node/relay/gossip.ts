import { type GossipsubMessage, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Logger } from '../core/logger.ts'
import type { Gossip } from '../core/p2p/gossip.ts'
import { INVALID_MESSAGE_POINTS } from './constants.ts'
import type { Outcome, Source } from './types.ts'

/**
 * What gossipsub is told. Only what no honest node would forward punishes the sender: a breach does so when both
 * halves came from the same peer, since two honest neighbours may well have heard different halves first.
 */
export function gossipResult({ verdict, identical, bothFromSender }: Outcome): TopicValidatorResult {
  switch (verdict.kind) {
    case 'accept':
      return TopicValidatorResult.Accept
    case 'reject':
      return TopicValidatorResult.Reject
    case 'breach':
      return bothFromSender ? TopicValidatorResult.Reject : TopicValidatorResult.Ignore
    case 'ignore':
      // The same bytes came by lightpush while this copy was on its way. Publishing skipped them as seen, so
      // this copy is the one that has to be forwarded.
      return identical ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore
  }
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
    let result: TopicValidatorResult = TopicValidatorResult.Ignore
    try {
      result = gossipResult(await validate(msg.topic, msg.data, { via: 'gossip', peer }))
    } catch (err) {
      logger.error({ err }, 'validation failed')
    }
    gossip.reportMessageValidationResult(msgId, peer, result)
    if (result === TopicValidatorResult.Reject) penalise(peer, INVALID_MESSAGE_POINTS)
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
