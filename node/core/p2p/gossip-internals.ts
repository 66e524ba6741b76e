import { hash } from 'node:crypto'
import type { GossipSub } from '@libp2p/gossipsub'
import { PostriderError } from '@postrider/protocol/errors'
import { MAX_MESSAGES_PER_RPC, MAX_RPC_MESSAGE_BYTES, SCORE_GRAYLIST_THRESHOLD } from './constants.ts'
import type { Gossip } from './gossip.ts'

type RpcMessage = { topic: string; data?: Uint8Array }
type Rpc = { messages: RpcMessage[] }

/** What is used of gossipsub's class beyond its interface. */
type Internals = Omit<Gossip, 'otherSenders' | 'forget'> & {
  acceptFrom(peer: string): boolean
  decodeRpc(bytes: Uint8Array): Rpc
  sendRpc(peer: string, rpc: Rpc): boolean
  readonly mcache: { readonly msgs: ReadonlyMap<string, { readonly originatingPeers: ReadonlySet<string> }> }
  readonly seenCache: { readonly entries: Map<string, unknown> }
  readonly fastMsgIdCache: { readonly entries: Map<string, unknown> }
}

const METHODS = [
  'reportMessageValidationResult',
  'getMeshPeers',
  'getScore',
  'acceptFrom',
  'decodeRpc',
  'sendRpc',
] as const

function check(service: GossipSub): Internals {
  const internals = service as unknown as Partial<Internals>
  const missing: string[] = METHODS.filter((name) => typeof internals[name] !== 'function')
  const maps = {
    streamsOutbound: internals.streamsOutbound,
    mcache: internals.mcache?.msgs,
    seenCache: internals.seenCache?.entries,
    fastMsgIdCache: internals.fastMsgIdCache?.entries,
  }
  for (const [name, map] of Object.entries(maps)) if (!(map instanceof Map)) missing.push(name)
  if (missing.length > 0) {
    throw new PostriderError('RELAY_GOSSIP_INCOMPATIBLE', { detail: `no ${missing.join(', ')}` })
  }
  return internals as Internals
}

/** Told apart before anything is decoded: equal bytes on one topic. */
export function fastMessageId(topic: string, data: Uint8Array): string {
  return `${topic} ${hash('sha256', data, 'base64')}`
}

/**
 * Adds to gossipsub what it lacks: a peer in disgrace is not heard, messages are kept without the RPC around them,
 * RPCs are not larger than others take, and a message can be forgotten.
 *
 * @throws PostriderError `RELAY_GOSSIP_INCOMPATIBLE` when the installed gossipsub is built otherwise
 */
export function hardenGossip(service: GossipSub, options: { peerScore(peer: string): number }): Gossip {
  const internals = check(service)
  const acceptFrom = internals.acceptFrom.bind(service)
  const decodeRpc = internals.decodeRpc.bind(service)
  const sendRpc = internals.sendRpc.bind(service)
  return Object.assign(internals, {
    // Gossipsub goes on listening for a second to a peer whose score was good until now; the book knows better.
    acceptFrom: (peer: string) => options.peerScore(peer) >= SCORE_GRAYLIST_THRESHOLD && acceptFrom(peer),
    decodeRpc: (bytes: Uint8Array) => compact(decodeRpc(bytes)),
    sendRpc: (peer: string, rpc: Rpc) => split(rpc).every((part) => sendRpc(peer, part)),
    otherSenders: (messageId: string) => [...(internals.mcache.msgs.get(messageId)?.originatingPeers ?? [])],
    forget({ messageId, topic, data }: { messageId: string; topic: string; data: Uint8Array }) {
      internals.seenCache.entries.delete(messageId)
      internals.fastMsgIdCache.entries.delete(fastMessageId(topic, data))
    },
  })
}

/** Messages are parts of the RPC's memory and outlive it: one small message could hold 1 MiB for seconds. */
function compact(rpc: Rpc): Rpc {
  for (const message of rpc.messages) if (message.data) message.data = new Uint8Array(message.data)
  return rpc
}

/** Gossipsub answers an IWANT for any number of messages with one RPC, which no node would take. */
function split(rpc: Rpc): Rpc[] {
  if (rpc.messages.length <= 1) return [rpc]
  const parts: RpcMessage[][] = []
  let bytes = 0
  for (const message of rpc.messages) {
    const size = message.data?.length ?? 0
    const last = parts.at(-1)
    const fits = last && last.length < MAX_MESSAGES_PER_RPC && bytes + size <= MAX_RPC_MESSAGE_BYTES
    if (fits) last.push(message)
    else parts.push([message])
    bytes = fits ? bytes + size : size
  }
  return parts.map((messages, i) => (i === 0 ? { ...rpc, messages } : { messages }))
}
