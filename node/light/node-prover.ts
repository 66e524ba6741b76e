import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import {
  attachProof,
  epochAt,
  externalNullifier,
  type Identity,
  type MerklePath,
  share,
  signalX,
} from '@postrider/protocol/rln'
import { timestampToMs, type WakuMessage } from '@postrider/protocol/wire'
import { MAX_REMEMBERED_PROOFS } from './constants.ts'
import type { MessageIds } from './message-ids.ts'
import type { NodeProver } from './types.ts'

/** What the circuit takes. */
export type ProverInputs = {
  identitySecret: bigint
  userMessageLimit: number
  messageId: number
  pathElements: readonly bigint[]
  identityPathIndex: readonly number[]
  x: bigint
  externalNullifier: bigint
}

export type NodeProverComponents = {
  /** Proves on a worker thread; signals are y, root, nullifier, x, externalNullifier. */
  prover: {
    /** Whether another job would be taken. */
    canAccept(): boolean
    prove(inputs: ProverInputs): Promise<{ proof: Uint8Array; signals: readonly bigint[] }>
  }
  /** Where the node's own membership is in the tree. */
  membership: { path(commitment: bigint): MerklePath & { limit: number; root: bigint } }
  ids: MessageIds
}

export type NodeProverOptions = {
  identity: Identity
  network: Pick<Network, 'networkId' | 'epochSeconds'>
}

/**
 * Proves for clients that have no membership, with the node's own. The message id is on disk before the proof is
 * begun: a crash wastes an id and never uses one twice, which would cost the node its deposit. A message that comes
 * again gets the proof that it has: a repeated request is paid once, so it takes one id.
 */
export function createNodeProver(components: NodeProverComponents, options: NodeProverOptions): NodeProver {
  const { prover, membership, ids } = components
  const { identity, network } = options
  let turn: Promise<unknown> = Promise.resolve()

  /**
   * Takes an id and puts its job into the prover's queue, one request after the other: an id is gone once it is taken,
   * so it is taken only when there is room for its proof.
   */
  const begin = (epoch: bigint, inputs: Omit<ProverInputs, 'messageId'>) => {
    const begun = turn.then(async () => {
      if (!prover.canAccept()) throw new PostriderError('ZK_QUEUE_FULL')
      const messageId = await ids.allocate(epoch)
      return { messageId, proving: prover.prove({ ...inputs, messageId }) }
    })
    turn = begun.catch(() => undefined)
    return begun
  }

  const prove = async (
    message: WakuMessage,
    scope: bigint,
    x: bigint,
    epoch: bigint,
  ): Promise<WakuMessage> => {
    const { siblings, indices, limit, root } = membership.path(identity.commitment)
    const { messageId, proving } = await begin(epoch, {
      identitySecret: identity.secret,
      userMessageLimit: limit,
      pathElements: siblings,
      identityPathIndex: indices,
      x,
      externalNullifier: scope,
    })
    const { proof, signals } = await proving
    const { y, nullifier } = share(identity.secret, scope, messageId, x)
    const expected = [y, root, nullifier, x, scope]
    if (!expected.every((value, at) => value === signals[at])) {
      throw new PostriderError('LIGHT_PROVER_MISMATCH')
    }
    return attachProof(message, { proof, root, epoch, x, y, nullifier })
  }

  /** By external nullifier and x, which commit to all of a message and its topic; oldest first. */
  const remembered = new Map<string, Promise<WakuMessage>>()
  const remember = (key: string, proven: Promise<WakuMessage>): void => {
    remembered.set(key, proven)
    proven.catch(() => remembered.delete(key))
    const [oldest] = remembered.keys()
    if (remembered.size > MAX_REMEMBERED_PROOFS && oldest !== undefined) remembered.delete(oldest)
  }

  return {
    async attach(pubsubTopic, message) {
      const epoch = epochAt(timestampToMs(message.timestamp ?? 0n), network.epochSeconds)
      const scope = externalNullifier({ epoch, networkId: network.networkId, pubsubTopic })
      const x = signalX(pubsubTopic, message)
      const key = `${scope}/${x}`
      const proven = remembered.get(key) ?? prove(message, scope, x, epoch)
      if (!remembered.has(key)) remember(key, proven)
      return proven
    },
  }
}
