import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import {
  attachProof,
  epochAt,
  externalNullifier,
  type Identity,
  share,
  signalX,
} from '@postrider/protocol/rln'
import { timestampToMs, type WakuMessage } from '@postrider/protocol/wire'
import type { IdAllocator } from './allocator.ts'
import type { Members } from './members.ts'
import type { ProofEngine } from './types.ts'

/** A message with its proof, and what it took. */
export type ProvenMessage = { message: WakuMessage; epoch: bigint; messageId: number; remaining: number }

/** What it takes to prove as one member. */
export type ProvingParts = {
  engine: ProofEngine
  allocator: IdAllocator
  identity: Identity
  members: Members
  network: Network
}

/**
 * Takes a message id (on disk before anything else happens), proves and attaches the proof. The id is gone
 * whatever the outcome.
 *
 * @throws PostriderError `CLIENT_RLN_NOT_MEMBER`, `CLIENT_PROVER_FAILED`, what `allocate` throws, the signal's reason
 */
export async function proveMessage(
  parts: ProvingParts,
  pubsubTopic: string,
  message: WakuMessage,
  signal?: AbortSignal,
): Promise<ProvenMessage> {
  const { engine, allocator, identity, members, network } = parts
  const member = members.find(identity.commitment)
  if (!member) throw new PostriderError('CLIENT_RLN_NOT_MEMBER')
  const epoch = epochAt(timestampToMs(message.timestamp ?? 0n), network.epochSeconds)
  const nullifier = externalNullifier({ epoch, networkId: network.networkId, pubsubTopic })
  const x = signalX(pubsubTopic, message)
  const path = members.path(member.index)
  const root = members.root()
  const { messageId, remaining } = await allocator.allocate(pubsubTopic, epoch)
  const inputs = {
    identitySecret: identity.secret,
    userMessageLimit: member.limit,
    messageId,
    pathElements: path.siblings,
    identityPathIndex: path.indices,
    x,
    externalNullifier: nullifier,
  }
  const result = await engine.prove(inputs, signal).catch(toProverError)
  const own = share(identity.secret, nullifier, messageId, x)
  const expected = [own.y, root, own.nullifier, x, nullifier]
  // A prover that is out of step (another root, another id) must not speak for the membership.
  if (!expected.every((value, at) => value === result.signals[at])) {
    throw new PostriderError('CLIENT_PROVER_FAILED', { detail: 'the proof is of other inputs' })
  }
  const proof = { proof: result.proof, root, epoch, x, ...own }
  return { message: attachProof(message, proof), epoch, messageId, remaining }
}

function toProverError(cause: unknown): never {
  throw isPostriderError(cause) ? cause : new PostriderError('CLIENT_PROVER_FAILED', { cause })
}
