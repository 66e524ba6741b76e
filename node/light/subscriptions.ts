import { PostriderError } from '@postrider/protocol/errors'
import { MAX_CRITERIA_PER_SUBSCRIBER, MAX_SUBSCRIBERS } from './constants.ts'

/** Who wants which content topics; pure bookkeeping, without time or network. */
export type Subscriptions = {
  /** @throws PostriderError `LIGHT_TOO_MANY_SUBSCRIPTIONS`; nothing is added then */
  add(peer: string, pubsubTopic: string, contentTopics: readonly string[]): void
  /**
   * Removes what is there of it; a client without criteria is forgotten.
   *
   * @throws PostriderError `LIGHT_NOT_SUBSCRIBED` when none of it was there
   */
  remove(peer: string, pubsubTopic: string, contentTopics: readonly string[]): void
  /** Forgets a client; false if it had nothing. */
  removeAll(peer: string): boolean
  has(peer: string): boolean
  /** Clients that want a message. */
  match(pubsubTopic: string, contentTopic: string): readonly string[]
  clients(): number
  criteria(): number
}

const keyOf = (pubsubTopic: string, contentTopic: string) => `${pubsubTopic}\0${contentTopic}`

export function createSubscriptions(): Subscriptions {
  const byPeer = new Map<string, Set<string>>()
  const byKey = new Map<string, Set<string>>()

  const unlink = (peer: string, key: string) => {
    const peers = byKey.get(key)
    peers?.delete(peer)
    if (peers?.size === 0) byKey.delete(key)
  }

  return {
    add(peer, pubsubTopic, contentTopics) {
      const own = byPeer.get(peer) ?? new Set<string>()
      const keys = contentTopics.map((topic) => keyOf(pubsubTopic, topic)).filter((key) => !own.has(key))
      const isNew = !byPeer.has(peer)
      if ((isNew && byPeer.size >= MAX_SUBSCRIBERS) || own.size + keys.length > MAX_CRITERIA_PER_SUBSCRIBER) {
        throw new PostriderError('LIGHT_TOO_MANY_SUBSCRIPTIONS')
      }
      byPeer.set(peer, own)
      for (const key of keys) {
        own.add(key)
        byKey.set(key, (byKey.get(key) ?? new Set()).add(peer))
      }
    },
    remove(peer, pubsubTopic, contentTopics) {
      const own = byPeer.get(peer)
      const removed = contentTopics.filter((topic) => {
        const key = keyOf(pubsubTopic, topic)
        if (!own?.delete(key)) return false
        unlink(peer, key)
        return true
      })
      if (removed.length === 0) throw new PostriderError('LIGHT_NOT_SUBSCRIBED')
      if (own?.size === 0) byPeer.delete(peer)
    },
    removeAll(peer) {
      for (const key of byPeer.get(peer) ?? []) unlink(peer, key)
      return byPeer.delete(peer)
    },
    has: (peer) => byPeer.has(peer),
    match: (pubsubTopic, contentTopic) => [...(byKey.get(keyOf(pubsubTopic, contentTopic)) ?? [])],
    clients: () => byPeer.size,
    criteria: () => [...byPeer.values()].reduce((sum, own) => sum + own.size, 0),
  }
}
