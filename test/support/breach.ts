// A breach with real proofs: two messages of one member under one message id.
import { type ArtifactSource, loadArtifacts } from '@postrider/circuits'
import { createProver } from '@postrider/circuits/engine'
import type { Network } from '@postrider/protocol/network'
import {
  attachProof,
  createMembershipTree,
  encodeBreach,
  epochAt,
  externalNullifier,
  type Identity,
  rateCommitment,
  share,
  signalX,
} from '@postrider/protocol/rln'
import {
  createWakuMessage,
  encode,
  msToTimestamp,
  pubsubTopic,
  WakuMessageSchema,
} from '@postrider/protocol/wire'

const LIMIT = 10
const INDEX = 3
const MESSAGE_ID = 4

/** The portable evidence, on the network's first shard, proven with these keys. */
export async function makeBreach(
  network: Pick<Network, 'networkId' | 'clusterId' | 'epochSeconds'>,
  identity: Identity,
  keys: ArtifactSource,
): Promise<Uint8Array> {
  const nowMs = Date.now()
  const topic = pubsubTopic(network.clusterId, 0)
  const epoch = epochAt(nowMs, network.epochSeconds)
  const scope = externalNullifier({ epoch, networkId: network.networkId, pubsubTopic: topic })
  const tree = createMembershipTree()
  tree.set(INDEX, rateCommitment(identity.commitment, LIMIT))
  const path = tree.path(INDEX)
  const prover = createProver(await loadArtifacts(keys))
  const prove = async (text: string) => {
    const payload = new TextEncoder().encode(text)
    const timestamp = msToTimestamp(nowMs)
    const message = createWakuMessage({ contentTopic: '/evidence/1/room/utf8', payload, timestamp })
    const x = signalX(topic, message)
    const { proof } = await prover.prove({
      ...{ identitySecret: identity.secret, userMessageLimit: LIMIT, messageId: MESSAGE_ID },
      ...{ pathElements: path.siblings, identityPathIndex: path.indices, x, externalNullifier: scope },
    })
    const shared = share(identity.secret, scope, MESSAGE_ID, x)
    return encode(WakuMessageSchema, attachProof(message, { proof, root: tree.root(), epoch, x, ...shared }))
  }
  const breach = encodeBreach({ pubsubTopic: topic, first: await prove('one'), second: await prove('two') })
  await prover.close()
  return breach
}
