import type { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { type Address, bytesToHex, messageHash } from '@postrider/protocol/wire'
import { callGuarded, toPostriderError } from '../core/errors.ts'
import type { NodeInfo } from '../nodes/types.ts'
import type { Pushed } from '../transport/filter.ts'
import { MAX_SEEN_MESSAGES } from './constants.ts'
import { placeOf } from './outgoing.ts'
import type { ReceivedMessage } from './types.ts'
import { type ProofChecker, toReceived } from './verify.ts'

/** Who wants messages of some topics. */
export type Listener = {
  topics: ReadonlySet<string>
  /** Check the proof before this listener sees a message. */
  verifyProofs: boolean
  onMessage(message: ReceivedMessage): void
}

export type InboxComponents = {
  network: Network
  checker: ProofChecker
  /** A node pushed a message whose proof is wrong: it relays what it did not check. */
  onInvalid(node: NodeInfo, error: PostriderError): void
}

/** Hands pushed messages to their listeners: each once, in the order of their arrival. */
export interface Inbox {
  add(listener: Listener): void
  remove(listener: Listener): void
  listeners(): readonly Listener[]
  /** Takes a message that a node of ours pushed; false for one that it had pushed before, or that nobody wants. */
  take(node: NodeInfo, pushed: Pushed): boolean
}

export function createInbox({ network, checker, onInvalid }: InboxComponents): Inbox {
  const listeners = new Set<Listener>()
  /** Hashes, and which operators pushed each: a second copy of one of them is not paid. */
  const seen = new Map<string, Set<Address>>()
  let delivery: Promise<void> = Promise.resolve()

  const pushersOf = (hash: string): Set<Address> => {
    const pushers = seen.get(hash) ?? new Set()
    seen.set(hash, pushers)
    const [oldest] = seen.keys()
    if (seen.size > MAX_SEEN_MESSAGES && oldest !== undefined) seen.delete(oldest)
    return pushers
  }
  const deliver = async (node: NodeInfo, { message }: Pushed, pubsubTopic: string) => {
    const concerned = [...listeners].filter(({ topics }) => topics.has(message.contentTopic))
    const verify = concerned.some(({ verifyProofs }) => verifyProofs)
    try {
      const proof = verify ? await checker.check(pubsubTopic, message) : 'not-checked'
      const received = toReceived(pubsubTopic, message, node, proof)
      for (const { onMessage } of concerned) callGuarded(() => onMessage(received))
    } catch (error) {
      // Another node may push a good copy: the hash does not cover the proof.
      seen.delete(bytesToHex(messageHash(pubsubTopic, message)))
      onInvalid(node, toPostriderError(error, 'CLIENT_BAD_RESPONSE'))
    }
  }
  return {
    add: (listener) => void listeners.add(listener),
    remove: (listener) => void listeners.delete(listener),
    listeners: () => [...listeners],
    take(node, pushed) {
      const { message } = pushed
      if (![...listeners].some(({ topics }) => topics.has(message.contentTopic))) return false
      const { pubsubTopic } = placeOf(message.contentTopic, network)
      const pushers = pushersOf(bytesToHex(messageHash(pubsubTopic, message)))
      if (pushers.has(node.operator)) return false
      const first = pushers.size === 0
      pushers.add(node.operator)
      if (first) delivery = delivery.then(() => deliver(node, pushed, pubsubTopic))
      return true
    },
  }
}
