import type { MemberInputs, ProveResult } from '@postrider/circuits/engine'
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
import { throwIfAborted } from '../core/abort.ts'
import type { AheadProver, InputsAhead } from './ahead.ts'
import type { IdAllocator } from './allocator.ts'
import type { Members } from './members.ts'
import type { ProofEngine, ProverOptions } from './types.ts'

/** A message with its proof, and what it took. */
export type ProvenMessage = { message: WakuMessage; epoch: bigint; messageId: number; remaining: number }

/** What it takes to prove as one member. */
export type ProvingParts = {
  engine: Pick<ProofEngine, 'prove'>
  /** Absent: every proof is made from the beginning. */
  ahead?: Pick<AheadProver, 'take'> | undefined
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
  options: ProverOptions = {},
): Promise<ProvenMessage> {
  const { allocator, identity, members, network } = parts
  const epoch = epochAt(timestampToMs(message.timestamp ?? 0n), network.epochSeconds)
  const x = signalX(pubsubTopic, message)
  const inputsOf = inputsFor(parts, pubsubTopic, epoch)
  if (!inputsOf) throw new PostriderError('CLIENT_RLN_NOT_MEMBER')
  const root = members.root()
  const { messageId, remaining } = await allocator.allocate(pubsubTopic, epoch)
  const inputs = inputsOf(messageId)
  const nullifier = inputs.externalNullifier
  const result = await makeProof(parts, inputs, x, options).catch(toProverError)
  const own = share(identity.secret, nullifier, messageId, x)
  const expected = [own.y, root, own.nullifier, x, nullifier]
  // A prover that is out of step (another root, another id) must not speak for the membership.
  if (!expected.every((value, at) => value === result.signals[at])) {
    throw new PostriderError('CLIENT_PROVER_FAILED', { detail: 'the proof is of other inputs' })
  }
  const proof = { proof: result.proof, root, epoch, x, ...own }
  return { message: attachProof(message, proof), epoch, messageId, remaining }
}

/**
 * What messages of an epoch are proven from, by their message id, as the member list is now; undefined when the identity
 * is no member.
 */
export function inputsFor(
  { identity, members, network }: Pick<ProvingParts, 'identity' | 'members' | 'network'>,
  pubsubTopic: string,
  epoch: bigint,
): ((messageId: number) => InputsAhead) | undefined {
  const own = memberInputs({ identity, members })
  if (!own) return undefined
  const scope = externalNullifier({ epoch, networkId: network.networkId, pubsubTopic })
  return (messageId) => ({ ...own, messageId, externalNullifier: scope })
}

/** What all messages of a member are proven from; undefined when the identity is none. */
export function memberInputs({
  identity,
  members,
}: Pick<ProvingParts, 'identity' | 'members'>): MemberInputs | undefined {
  const member = members.find(identity.commitment)
  if (!member) return undefined
  const path = members.path(member.index)
  return {
    identitySecret: identity.secret,
    userMessageLimit: member.limit,
    pathElements: path.siblings,
    identityPathIndex: path.indices,
  }
}

async function makeProof(
  { engine, ahead }: ProvingParts,
  inputs: InputsAhead,
  x: bigint,
  options: ProverOptions,
): Promise<ProveResult> {
  const prepared = ahead?.take(inputs)
  try {
    if (prepared) return await prepared.complete(x, options)
  } catch {
    // Gone with its worker. The same message again under its id gives nothing away.
    throwIfAborted(options.signal)
  }
  return engine.prove({ ...inputs, x }, options)
}

function toProverError(cause: unknown): never {
  throw isPostriderError(cause) ? cause : new PostriderError('CLIENT_PROVER_FAILED', { cause })
}
